"""Definitions are read anew when asked to; a set that is not good changes nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from servicelevel.application.definitions import Definitions
from servicelevel.bootstrap import read_definitions
from servicelevel.entrypoints.reloading import Reloader, keep_current
from servicelevel.errors import DependencyError
from servicelevel.settings import Settings
from tests.builders.availability import availability
from tests.services.process import wait_until_async

WITHIN_S = 30


class Files:
    """A file of definitions, and a reloader of it at work."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write("0.9")
        settings = Settings(definitions=(file,))
        self.definitions = read_definitions(settings)
        self.due = asyncio.Event()
        self.reloader = Reloader(self.definitions, partial(read_definitions, settings), self.due)

    def write(self, target: str, name: str = "one") -> None:
        self.file.write_text(availability("shop", target, name=name))

    @asynccontextmanager
    async def kept_current(self, *watched: Path) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(keep_current(self.reloader, self.due, watched, stop))
        try:
            yield
        finally:
            stop.set()
            await task

    def target(self, name: str = "one") -> float:
        return float(self.definitions.catalogue.slos[name].objectives[0].target)


async def until(condition: Callable[[], object], what: str) -> None:
    await wait_until_async(lambda: bool(condition()), WITHIN_S, what=what)


async def test_a_good_set_is_taken_when_it_is_asked_for(tmp_path: Path) -> None:
    files = Files(tmp_path / "slos.yaml")
    with capture_logs() as logs:
        async with files.kept_current():
            files.write("0.99", name="two")
            files.due.set()
            await until(lambda: files.reloader.counters.taken, "the new set")
    assert set(files.definitions.catalogue.slos) == {"two"}
    assert {key: logs[0][key] for key in ("event", "added", "removed", "changed")} == {
        "event": "definitions changed",
        "added": ("two",),
        "removed": ("one",),
        "changed": (),
    }


async def test_each_problem_of_a_broken_set_is_told_and_the_former_one_stays(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path / "slos.yaml")
    before = files.definitions.catalogue
    with capture_logs() as logs:
        async with files.kept_current():
            files.file.write_text("kind: nonsense\n---\n" + availability("shop", "2", name="x"))
            files.due.set()
            await until(lambda: files.reloader.counters.refused, "the refusal")
            assert files.definitions.catalogue is before

            files.file.unlink()
            files.due.set()
            await until(lambda: files.reloader.counters.refused == 2, "another refusal")
            assert files.definitions.catalogue is before

            files.write("0.5")
            files.due.set()
            await until(lambda: files.reloader.counters.taken, "a good set")
    assert files.target() == 0.5
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    problems = [entry["problem"] for entry in errors if "problem" in entry]
    places = [problem.removeprefix(f"{files.file}:").split(":")[0] for problem in problems]
    assert places[:2] == ["1", "17"]
    assert str(files.file) in problems[2]
    assert [entry["problems"] for entry in errors if "problems" in entry] == [2, 1]


async def test_what_is_asked_for_while_one_reads_is_read_after_it_once(tmp_path: Path) -> None:
    files = Files(tmp_path / "slos.yaml")
    go_on, reads = threading.Event(), []

    def read() -> Definitions:
        reads.append(len(reads))
        go_on.wait(WITHIN_S)
        return Definitions(files.definitions.catalogue, 4)

    due = files.due
    reloading = asyncio.create_task(Reloader(files.definitions, read, due).run())
    due.set()
    await until(lambda: reads, "the first reading")
    for _ in range(3):
        due.set()
    await asyncio.sleep(0)
    assert reads == [0]
    go_on.set()
    await until(lambda: len(reads) == 2 and not due.is_set(), "the second reading")
    reloading.cancel()
    assert reads == [0, 1]


async def test_an_error_of_any_kind_refuses_a_set(tmp_path: Path) -> None:
    files = Files(tmp_path / "slos.yaml")
    errors = iter([RecursionError("too deep"), DependencyError("gone")])

    def read() -> Definitions:
        raise next(errors)

    reloader = Reloader(files.definitions, read, files.due)
    reloading = asyncio.create_task(reloader.run())
    for count in (1, 2):
        files.due.set()
        await until(lambda count=count: reloader.counters.refused == count, "the refusal")
    reloading.cancel()


async def test_watched_files_are_read_when_they_change_or_are_replaced(tmp_path: Path) -> None:
    files = Files(tmp_path / "slos.yaml")
    async with files.kept_current(files.file):
        files.write("0.99")
        await until(lambda: files.target() == 0.99, "what was written")
        for target in ("0.95", "0.5"):  # as editors do
            draft = tmp_path / "draft"
            draft.write_text(availability("shop", target, name="one"))
            draft.rename(files.file)
            await until(lambda target=target: files.target() == float(target), "the replacement")


async def test_a_watched_link_is_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: `slos.yaml` → `..data/slos.yaml` → `..1/slos.yaml`."""
    for number, target in (("1", "0.9"), ("2", "0.99")):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}/slos.yaml").write_text(availability("shop", target, name="one"))
    data = tmp_path / "..data"
    data.symlink_to("..1")
    (tmp_path / "slos.yaml").symlink_to("..data/slos.yaml")
    settings = Settings(definitions=(tmp_path / "slos.yaml",))
    definitions, due, stop = read_definitions(settings), asyncio.Event(), asyncio.Event()
    reloader = Reloader(definitions, partial(read_definitions, settings), due)
    task = asyncio.create_task(keep_current(reloader, due, settings.definitions, stop))
    new = tmp_path / "..new"
    new.symlink_to("..2")
    new.rename(data)
    await until(lambda: reloader.counters.taken, "the new link's content")
    assert float(definitions.catalogue.slos["one"].objectives[0].target) == 0.99
    stop.set()
    await task


async def test_a_watched_folder_is_read_when_a_file_comes_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "slos.yaml").write_text(availability("shop", "0.9", name="one"))
    settings = Settings(definitions=(tmp_path,))
    definitions, due, stop = read_definitions(settings), asyncio.Event(), asyncio.Event()
    reloader = Reloader(definitions, partial(read_definitions, settings), due)
    task = asyncio.create_task(keep_current(reloader, due, settings.definitions, stop))
    (tmp_path / "deep/more.yaml").write_text(availability("shop", "0.9", name="two"))
    await until(lambda: set(definitions.catalogue.slos) == {"one", "two"}, "the second SLO")
    stop.set()
    await task


@pytest.mark.parametrize("linked", [False, True], ids=["folder", "link"])
async def test_a_watched_folder_in_the_place_of_another_is_read(
    tmp_path: Path, linked: bool
) -> None:
    """As a deployment swaps a whole set at once."""
    given = tmp_path / "slos"
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "slos.yaml").write_text(availability("shop", "0.9", name=name))

    def put(name: str) -> None:
        if linked:
            (tmp_path / "new").symlink_to(name)
            (tmp_path / "new").rename(given)
            return
        if given.exists():
            given.rename(tmp_path / f"before-{name}")
        (tmp_path / name).rename(given)

    put("first")
    settings = Settings(definitions=(given,))
    definitions, due, stop = read_definitions(settings), asyncio.Event(), asyncio.Event()
    reloader = Reloader(definitions, partial(read_definitions, settings), due)
    task = asyncio.create_task(keep_current(reloader, due, settings.definitions, stop))
    for name in ("second", "third"):
        put(name)
        await until(lambda name=name: set(definitions.catalogue.slos) == {name}, f"the {name}")
    (given / "slos.yaml").write_text(availability("shop", "0.9", name="fourth"))
    await until(lambda: set(definitions.catalogue.slos) == {"fourth"}, "a change within")
    stop.set()
    await task


async def test_a_watched_folder_that_was_away_is_read_when_it_is_back(tmp_path: Path) -> None:
    given, away = tmp_path / "slos", tmp_path / "away"
    given.mkdir()
    (given / "slos.yaml").write_text(availability("shop", "0.9", name="one"))
    settings = Settings(definitions=(given,))
    definitions, due, stop = read_definitions(settings), asyncio.Event(), asyncio.Event()
    reloader = Reloader(definitions, partial(read_definitions, settings), due)
    task = asyncio.create_task(keep_current(reloader, due, settings.definitions, stop))
    given.rename(away)
    await until(lambda: reloader.counters.refused, "the refusal")
    assert set(definitions.catalogue.slos) == {"one"}
    (away / "slos.yaml").write_text(availability("shop", "0.9", name="two"))
    away.rename(given)
    await until(lambda: set(definitions.catalogue.slos) == {"two"}, "the new set")
    stop.set()
    await task
