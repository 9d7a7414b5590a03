"""What the length of a window costs: per event, for a status, and in memory for each group.

`python -m benchmarks.windows` measures an evaluator alone, without broker or files, and prints
ratios to the shortest window of the same run.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction

from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.replay import ForgetfulState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, duration_text

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE_MS = 10_000
QUARTER_MS = 15 * MINUTE_MS
RULE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction("14.4"), Severity.PAGE)
WINDOWS_MS = (HOUR_MS, DAY_MS, 30 * DAY_MS, 90 * DAY_MS)
PANES = 2_000
GROUPS = 30
ROUNDS = 1


def main() -> int:
    """Print all measurements as a table, and as JSON in the last line."""
    costs = {w: min(panes_us(w) for _ in range(ROUNDS)) for w in WINDOWS_MS}
    waits = {w: min(status_us(w) for _ in range(ROUNDS)) for w in WINDOWS_MS}
    print("| window | CPU per series and pane | ratio | CPU per status | ratio |")
    print("| --- | --: | --: | --: | --: |")
    first = WINDOWS_MS[0]
    for w in WINDOWS_MS:
        print(
            f"| {duration_text(w)} | {costs[w]:.1f} µs | {costs[w] / costs[first]:.2f} "
            f"| {waits[w]:.1f} µs | {waits[w] / waits[first]:.2f} |"
        )
    kib = group_kib()
    print(f"\n{kib:.0f} KiB for each group over 30 days, with events in every quarter of an hour")
    print(
        json.dumps(
            {
                "pane_us": {duration_text(w): round(v, 2) for w, v in costs.items()},
                "status_us": {duration_text(w): round(v, 2) for w, v in waits.items()},
                "group_kib": round(kib, 1),
            }
        )
    )
    return 0


def evaluator(window_ms: int, *, grouped: bool = False) -> Evaluator:
    """Of one SLO over this window, with one rule."""
    group_by = ("customer",) if grouped else ()
    indicator = Indicator("i", "request", "shop", "", "good", group_by, max_groups=100_000)
    objective = Objective("ok", indicator, Fraction(999, 1000), (RULE,))
    slo = Slo("shop", "shop", window_ms, (objective,), "d")
    policy = EvaluationPolicy(shipped_ladder(), allowed_lateness_ms=0, early=False)
    made = Evaluator(Catalogue.of([slo]), policy, ForgetfulState())
    made.apply(CountsMessage(0, (Claim("requests/0", 1, "bench", 0, {"requests": 1}),)), 0)
    return made


def messages(cells: Iterator[tuple[Cell, ...]]) -> Iterator[CountsMessage]:
    """A message for each pane end."""
    for number, some in enumerate(cells):
        end = some[0].pane_end_ms + 1
        range_ = Range("requests/0", 1, number, number + 1, end, cells=some)
        yield CountsMessage(0, (), (range_,))


def panes_us(window_ms: int) -> float:
    """CPU time to count and judge one pane with bad events, in a window that is full of them."""
    made = evaluator(window_ms)
    full = (
        (Cell("i", "", T0 + n * QUARTER_MS, 99, 100),) for n in range(1, window_ms // QUARTER_MS)
    )
    offset = feed(made, messages(full), 1)
    begin = T0 + window_ms
    young = ((Cell("i", "", begin + n * PANE_MS, 99, 100),) for n in range(PANES))
    made_ready = list(messages(young))
    started = time.process_time()
    feed(made, _renumbered(made_ready, offset), offset)
    return (time.process_time() - started) / PANES * 1e6


def _renumbered(found: list[CountsMessage], offset: int) -> Iterator[CountsMessage]:
    """The ranges go on where the ones before them ended."""
    for number, message in enumerate(found):
        (each,) = message.ranges
        start = offset - 1 + number
        yield CountsMessage(
            0, (), (Range("requests/0", 1, start, start + 1, each.max_time_ms, cells=each.cells),)
        )


def feed(made: Evaluator, log: Iterator[CountsMessage], offset: int) -> int:
    """Apply all messages; the offset after the last."""
    for message in log:
        made.apply(message, offset)
        offset += 1
    return offset


def status_us(window_ms: int) -> float:
    """CPU time of one status of a full window."""
    made = evaluator(window_ms)
    full = (
        (Cell("i", "", T0 + n * QUARTER_MS, 99, 100),) for n in range(1, window_ms // QUARTER_MS)
    )
    feed(made, messages(full), 1)
    times = 2_000
    started = time.process_time()
    for _ in range(times):
        made.statuses(T0 + window_ms)
    return (time.process_time() - started) / times * 1e6


def group_kib() -> float:
    """Memory of one group, as the growth of a process that holds many of them."""
    module = "benchmarks.windows"
    few, many = (
        int(subprocess.check_output([sys.executable, "-m", module, "--groups", str(n)]))
        for n in (1, GROUPS + 1)
    )
    return (many - few) / GROUPS


def resident_kib(groups: int) -> int:
    """The largest resident size of this process with so many groups of a full 30-day window."""
    made = evaluator(30 * DAY_MS, grouped=True)
    full = (
        tuple(Cell("i", f"customer=c{g}", T0 + n * QUARTER_MS, 100, 100) for g in range(groups))
        for n in range(1, 30 * 96)
    )
    feed(made, messages(full), 1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    if sys.argv[1:2] == ["--groups"]:
        print(resident_kib(int(sys.argv[2])))
        sys.exit(0)
    sys.exit(main())
