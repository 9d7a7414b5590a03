"""A streaming service-level evaluator on Kafka and Faust."""

__version__ = "0.1.0"
