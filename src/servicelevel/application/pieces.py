"""Long work in pieces, so that others in the process have their turn in between."""

import asyncio
from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
Pieces = Generator[None, None, T]
"""Each `next` does a piece of the work; what it comes to is returned at the end."""


class _Work(Generic[T]):
    """Iterate over it to do the work; then it has the `result`."""

    result: T

    def __init__(self, pieces: Pieces[T]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[None]:
        self.result = yield from self._pieces


def at_once(pieces: Pieces[T]) -> T:
    """Do all of it; what it comes to."""
    work = _Work(pieces)
    for _ in work:
        pass
    return work.result


async def in_turns(pieces: Pieces[T]) -> T:
    """Do all of it, and give way after each piece; what it comes to."""
    work = _Work(pieces)
    for _ in work:
        await asyncio.sleep(0)
    return work.result
