"""What it costs to leave out repeated events: processor time an event, memory an id that is held.

Prints, for several windows, the time of decoding and counting without and with deduplication, how
many ids are held then, and what the worker that takes over reads again for them.
Run: python -m benchmarks.repeats [EVENTS]
"""

import gc
import sys
import tracemalloc
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from time import process_time

import msgspec

from benchmarks.counting import catalogue, indicators
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.lines import RecordedLine
from servicelevel.application.repeats import Repeats
from servicelevel.entrypoints.collecting import THRESHOLDS
from servicelevel.schemas.events import Event

BATCH = 500
FLUSH_EVENTS = 20_000
ROUNDS = 12
WINDOWS = (1_000, 10_000, 100_000)
FIRST_MS = 1_700_000_000_000


def main() -> None:
    """Print the table."""
    gc.set_threshold(*THRESHOLDS)  # as the worker does
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    batches = list(records(count))
    plan = Plan(catalogue(indicators(3, services=5)), 4)
    ways: dict[str, Callable[[], Iterator[None]]] = {"": partial(count_all, plan, batches, 0)}
    for window in WINDOWS:
        ways[f"count {window}"] = partial(count_all, plan, batches, window)
        ways[f"note {window}"] = partial(note_all, batches, window)
    print(f"{count} events with UUIDs, one in a hundred repeated; processor time, best of {ROUNDS}")
    took = {name: seconds / count * 1e6 for name, seconds in best(ways).items()}
    print(f"without: {took['']:.2f} us an event")
    print("window     us an event  ratio  ids held  bytes an id  us a record read again")
    for window in WINDOWS:
        each, again = took[f"count {window}"], took[f"note {window}"]
        held, size = memory(window)
        print(
            f"{window:<10} {each:11.2f} {each / took['']:6.2f} {held:9} {size / held:12.0f}"
            f" {again:23.2f}"
        )


def records(count: int) -> Iterator[list[RecordedLine]]:
    """Batches of request events as JSON; the hundredth has the id of the one before."""
    rng = Random(7)
    name = ""
    for start in range(0, count, BATCH):
        batch = []
        for offset in range(start, start + BATCH):
            if offset % 100 != 99:
                name = str(uuid.UUID(int=rng.getrandbits(128)))
            event = {
                "id": name,
                "time": FIRST_MS + offset // 20,
                "service": f"svc-{offset % 5}",
                "operation": "GET /cart",
                "status_code": 503 if rng.random() < 0.01 else 200,
                "duration_ms": rng.randrange(400),
                "attributes": {"region": "eu"},
            }
            batch.append(RecordedLine(offset, msgspec.json.encode(event)))
        yield batch


def decoded(batch: Sequence[RecordedLine]) -> Batch:
    """The batch's events; all are some."""
    events, _ = decode_batch(
        batch,
        topic="requests",
        partition=0,
        kind="request",
        now_ms=FIRST_MS + 86_400_000,
        limits=DecodeLimits(),
    )
    return events


def count_all(plan: Plan, batches: Sequence[Sequence[RecordedLine]], window: int) -> Iterator[None]:
    """As the combiner does it, a batch a step; 0: nothing is deduplicated."""
    repeats = Repeats(window) if window else None
    accumulator = SourceAccumulator(
        "requests/0",
        "request",
        plan,
        allowed_lateness_ms=10_000,
        late_horizon_ms=86_400_000,
        max_time_ms=None,
    )
    seen = 0
    for records in batches:
        batch, repeated = decoded(records), 0
        if repeats is not None:
            batch, repeated = repeats.leave_out(batch)
        accumulator.add(batch, 0, repeated)
        seen += len(records)
        if seen >= FLUSH_EVENTS:
            accumulator.take()
            seen = 0
        yield


def note_all(batches: Sequence[Sequence[RecordedLine]], window: int) -> Iterator[None]:
    """As the combiner does it for records before those that it counts, a batch a step."""
    repeats = Repeats(window)
    for records in batches:
        repeats.note(decoded(records))
        yield


def best(ways: Mapping[str, Callable[[], Iterator[None]]]) -> dict[str, float]:
    """Seconds of processor time of each: the sum over its steps of the least of some rounds.

    All have their turn in each round; so what else the machine does counts little.
    """
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            gc.collect()
            found = list(steps(run()))
            times[name] = list(map(min, found, times.get(name, found)))
    return {name: sum(each) for name, each in times.items()}


def steps(run: Iterator[None]) -> Iterator[float]:
    """The processor time of each step."""
    start = process_time()
    for _ in run:
        yield process_time() - start
        start = process_time()


def memory(window: int) -> tuple[int, int]:
    """How many ids are held where they are most, and the bytes for all."""
    rng = Random(8)
    repeats = Repeats(window)
    tracemalloc.start()
    for start in range(0, 2 * window, BATCH):
        ids = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(BATCH)]
        events = [Event(service="svc", time=FIRST_MS, id=name) for name in ids]
        repeats.note(Batch(events, range(start, start + BATCH), [b""] * BATCH))
    del ids, events
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return len(repeats), size


if __name__ == "__main__":
    main()
