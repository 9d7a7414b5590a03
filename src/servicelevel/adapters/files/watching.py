"""Tells when files or folders of definitions change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from servicelevel.errors import DependencyError

LOOK_MS = 1_000
"""How often it is looked whether a folder is still the one that is watched."""


async def changed_folders(folders: Iterable[Path]) -> AsyncIterator[None]:
    """Tell of each change within these folders, at any depth. Raises DependencyError."""
    roots = tuple(folders)
    async for _ in _changes(lambda: roots, DefaultFilter(), recursive=True):
        yield


async def changed_files(files: Iterable[Path]) -> AsyncIterator[None]:
    """Tell of each change of these files, also where another takes their place, as editors do.

    Raises DependencyError.
    """
    paths = tuple(files)

    def places() -> set[Path]:
        return {place for path in paths for place in (path.absolute(), path.resolve())}

    def concerns(_: Change, path: str) -> bool:
        name = Path(path).name
        # Kubernetes swaps a link, `..data`, to change all files of a ConfigMap.
        return name.startswith("..") or any(place.name == name for place in places())

    async for _ in _changes(lambda: {p.parent for p in places()}, concerns, recursive=False):
        yield


async def _changes(
    folders: Callable[[], Iterable[Path]],
    concerns: Callable[[Change, str], bool],
    *,
    recursive: bool,
) -> AsyncIterator[None]:
    """As long as a folder is away it is waited for; one in its place is a change."""
    while True:
        watched = _identities(folders())
        try:
            async with aclosing(
                awatch(
                    *watched,
                    watch_filter=concerns,
                    recursive=recursive,
                    rust_timeout=LOOK_MS,
                    yield_on_timeout=True,
                )
            ) as changes:
                async for found in changes:
                    if found:
                        yield
                    if _identities(folders()) != watched:
                        break
        except FileNotFoundError:
            await asyncio.sleep(LOOK_MS / 1_000)  # it went in this moment
        except OSError as error:
            raise DependencyError(
                f"the definitions in {', '.join(map(str, watched))} cannot be watched ({error}): "
                "run without --watch, and tell of changes with SIGHUP"
            ) from error
        yield


def _identities(folders: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Of each folder that is there, what tells it from another one of its name."""
    found: dict[Path, tuple[int, int]] = {}
    for folder in sorted(folders):
        with suppress(OSError):
            status = folder.stat()
            found[folder] = (status.st_dev, status.st_ino)
    return found
