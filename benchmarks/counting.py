"""How much faster events are counted by signature than one by one.

Prints, for several numbers of SLIs, events a second of both ways on one core and their ratio.
Run: python benchmarks/counting.py [EVENTS]
"""

import gc
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from time import process_time

from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.entrypoints.collecting import THRESHOLDS
from servicelevel.schemas.events import Event

BATCH = 500
FLUSH_EVENTS = 20_000  # what a flush of 200 ms holds at 100,000 events/s
SERVICES = 20


def main() -> None:
    """Print the table."""
    gc.set_threshold(*THRESHOLDS)  # as the worker does
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    print(f"{count} events in batches of {BATCH}, flushed every {FLUSH_EVENTS}")
    print(
        "SLIs                          signature/s  one by one/s  ratio  slower than the first by"
    )
    first = None
    for name, found, services in (
        ("1", indicators(1, services=1), 1),
        ("10 of one service", indicators(10, services=1), 1),
        ("100 of one service", indicators(100, services=1), 1),
        ("3 for each of 20 services", indicators(3, services=SERVICES), SERVICES),
        ("5 for each of 20 services", indicators(5, services=SERVICES), SERVICES),
        ("3 for each of 2,000 services", indicators(3, services=2_000), 2_000),
        ("3, each event an own URL", hard("operation.startsWith('GET /u/9')", ()), 1),
        ("3, groups of 10,000 customers", hard("status_code < 500", ("customer",)), 1),
    ):
        batches = list(traffic(count, services))
        plan = Plan(catalogue(found), 4)
        fast = rate(partial(by_signature, plan, batches), count)
        few = batches[: max(1, len(batches) // 10)]
        naive = rate(partial(one_by_one, plan, few), len(few) * BATCH)
        first = first or fast
        print(f"{name:29} {fast:11,.0f} {naive:13,.0f} {fast / naive:6.1f} {first / fast:8.2f}")


def hard(good: str, group_by: tuple[str, ...]) -> list[Indicator]:
    """SLIs for which nearly every event looks different."""
    return [Indicator(f"i{n}", "request", "svc-0", "", good, group_by) for n in range(3)]


def indicators(count: int, services: int) -> list[Indicator]:
    """Availability, latency with distinct thresholds, and both within one operation."""
    shapes: list[Callable[[int], tuple[str, str]]] = [
        lambda _: ("", "status_code < 500"),
        lambda n: ("", f"duration_ms <= {50 + 7 * n}"),
        lambda n: ("operation == 'GET /cart'", f"status_code < 500 && duration_ms < {200 + n}.5"),
        lambda _: ("status_code != 404", "status_code < 500"),
        lambda n: ("operation in ['POST /pay', 'GET /cart']", f"duration_ms <= {30 + 11 * n}"),
    ]
    found = []
    for service in range(services):
        for n in range(count):
            total, good = shapes[n % len(shapes)](n)
            found.append(Indicator(f"i{service}-{n}", "request", f"svc-{service}", total, good))
    return found


def catalogue(found: Sequence[Indicator]) -> Catalogue:
    """An SLO for each indicator."""
    return Catalogue.of(
        Slo(i.id, i.service, 86_400_000, (Objective("o", i, Fraction(99, 100), ()),), "d")
        for i in found
    )


def traffic(count: int, services: int) -> Iterator[Batch]:
    """Batches as they are polled: 20,000 events/s, log-normal durations, 1 % errors."""
    rng = random.Random(7)
    operations = ["GET /cart", "POST /pay", "GET /item", "GET /search", "DELETE /cart"]
    for start in range(0, count, BATCH):
        events = [
            Event(
                service=f"svc-{rng.randrange(services)}",
                time=1_700_000_000_000 + (start + n) // 20,
                id=f"e{start + n}",
                operation=rng.choice(operations)
                if services > 1 or n % 2
                else f"GET /u/{start + n}",
                status_code=rng.choice((200, 200, 201, 404)) if rng.random() < 0.99 else 503,
                duration_ms=rng.lognormvariate(4, 0.8),
                attributes={"region": "eu", "customer": f"c{rng.randrange(10_000)}"},
            )
            for n in range(BATCH)
        ]
        yield Batch(events, list(range(start, start + BATCH)), [b""] * BATCH)


def by_signature(plan: Plan, batches: Sequence[Batch]) -> None:
    """As the combiner does it."""
    accumulator = SourceAccumulator(
        "requests/0",
        "request",
        plan,
        allowed_lateness_ms=10_000,
        late_horizon_ms=86_400_000,
        max_time_ms=None,
    )
    seen = 0
    for batch in batches:
        accumulator.add(batch, 0)
        seen += len(batch.events)
        if seen >= FLUSH_EVENTS:
            accumulator.take()
            seen = 0
    accumulator.take()


def one_by_one(plan: Plan, batches: Sequence[Batch]) -> None:
    """Each predicate on each event, and a counter a cell; no evidence."""
    services = plan.services("request")
    cells: dict[tuple[str, str, int], list[int]] = {}
    for batch in batches:
        for event in batch.events:
            for each in services[event.service].indicators:
                answer = each.judge(event)
                if answer is not None:
                    pane = each.indicator.pane_ms
                    key = (each.indicator.id, each.group(event), -(-event.time // pane) * pane)
                    cell = cells.setdefault(key, [0, 0])
                    cell[0] += answer
                    cell[1] += 1


def rate(run: Callable[[], None], count: int) -> float:
    """Events a second of CPU time, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        start = process_time()
        run()
        best = min(best, process_time() - start)
    return count / best


if __name__ == "__main__":
    main()
