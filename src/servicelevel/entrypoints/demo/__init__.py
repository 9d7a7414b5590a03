"""The demo: a generated shop of five services, in which something goes wrong and is mended."""
