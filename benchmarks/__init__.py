"""How fast this is, beside what else could do the same; see `python -m benchmarks.run --help`."""
