"""Brokers, Redis servers and other processes that tests run against."""
