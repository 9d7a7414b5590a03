"""The command `servicelevel`: one file for each group of commands."""

from servicelevel.entrypoints.cli.app import main

__all__ = ["main"]
