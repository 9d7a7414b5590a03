"""How fast this is, beside what else could count the same events; see `benchmarks.run`."""
