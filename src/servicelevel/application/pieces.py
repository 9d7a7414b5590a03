"""Long work in pieces, so that others in the process have their turn in between."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
Pieces = Generator[None, None, T]
"""Each `next` does a piece of the work; what it comes to is returned at the end."""


def at_once(pieces: Pieces[T]) -> T:
    """Do all of it; what it comes to."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result


async def in_turns(pieces: Pieces[T]) -> T:
    """Do all of it, and give way after each piece; what it comes to."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)
