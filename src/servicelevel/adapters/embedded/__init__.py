"""A broker and a Redis that need no installation: for the demo, for trying out, for tests."""
