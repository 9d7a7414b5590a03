"""Tells when files or folders of definitions change."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from servicelevel.errors import DependencyError


async def changed_folders(folders: Iterable[Path]) -> AsyncIterator[None]:
    """Tell of each change within these folders, at any depth. Raises DependencyError."""
    async for _ in _changes(folders, DefaultFilter(), recursive=True):
        yield


async def changed_files(files: Iterable[Path]) -> AsyncIterator[None]:
    """Tell of each change of these files, also where another takes their place, as editors do.

    Raises DependencyError.
    """
    places = {place for file in files for place in (file.absolute(), file.resolve())}
    names = {place.name for place in places}

    def concerns(_: Change, path: str) -> bool:
        name = Path(path).name
        # Kubernetes swaps a link, `..data`, to change all files of a ConfigMap.
        return name in names or name.startswith("..")

    async for _ in _changes({place.parent for place in places}, concerns, recursive=False):
        yield


async def _changes(
    folders: Iterable[Path], concerns: Callable[[Change, str], bool], *, recursive: bool
) -> AsyncIterator[None]:
    paths = sorted(set(folders))
    try:
        async for _ in awatch(*paths, watch_filter=concerns, recursive=recursive):
            yield
    except OSError as error:
        raise DependencyError(
            f"the definitions in {', '.join(map(str, paths))} cannot be watched ({error}): run "
            "without --watch, and tell of changes with SIGHUP"
        ) from error
