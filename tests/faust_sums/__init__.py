"""A small evaluator that adds up counts, and a worker process that runs it on Faust."""
