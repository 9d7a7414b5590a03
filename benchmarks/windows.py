"""What the length of a window costs, and the memory of many groups.

`python -m benchmarks.windows` measures an evaluator with its state, without broker or files: the
processor time for each pane and for each status, beside those of the shortest window of the same
run, and the resident size of a process with 10,000 groups. It starts from stored state, of which
every pane has events. Writes JSON to benchmarks/results/.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from benchmarks.filled import BAD_EVERY, PANE_MS, SOURCE, fill
from benchmarks.meter import machine, versions
from servicelevel.adapters.faust.state import FaustState
from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.domain.counts import BadEvidence, Cell, CountsMessage, Range
from servicelevel.domain.ladder import KEPT_MS
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.rules import Rule, pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, duration_text

ROOT = Path(__file__).resolve().parents[1]
AT_MS = 1_767_258_000_000  # 2026-01-01T09:00:00Z
WINDOWS_MS = (HOUR_MS, DAY_MS, 30 * DAY_MS, 90 * DAY_MS)
RULE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction("14.4"), Severity.PAGE)
TIERS = (
    RULE,
    pair("6h/30m", 6 * HOUR_MS, 30 * MINUTE_MS, Fraction(6), Severity.PAGE),
    pair("1d/2h", DAY_MS, 2 * HOUR_MS, Fraction(3), Severity.TICKET),
    pair("3d/6h", 3 * DAY_MS, 6 * HOUR_MS, Fraction(1), Severity.TICKET),
)
INDICATOR = Indicator(
    "0123456789abcdef", "request", "shop", "", "good", ("customer",), max_groups=100_000
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 unless a measurement fails."""
    options = _parser().parse_args(arguments)
    if options.resident:
        print(json.dumps(resident(options.groups, options.panes)))
        return 0
    panes_us, status_us = lengths(options.panes, options.rounds)
    child = [sys.executable, "-m", "benchmarks.windows", "--resident"]
    child += ["--groups", str(options.groups), "--panes", "6"]
    memory = json.loads(subprocess.check_output(child, cwd=ROOT))
    print("| window | µs for a pane | ratio | µs for a status | ratio |")
    print("| --- | --: | --: | --: | --: |")
    for w in WINDOWS_MS:
        print(
            f"| {duration_text(w)} | {panes_us[w]:.1f} | {panes_us[w] / panes_us[HOUR_MS]:.2f} "
            f"| {status_us[w]:.1f} | {status_us[w] / status_us[HOUR_MS]:.2f} |"
        )
    print(f"\n{memory['groups']:,} groups: {memory['peak_mib']} MiB at the peak, {memory}")
    now = datetime.now(UTC)
    result = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "pane_us": {duration_text(w): round(us, 1) for w, us in panes_us.items()},
        "status_us": {duration_text(w): round(us, 1) for w, us in status_us.items()},
        "memory": memory,
    }
    path = ROOT / "benchmarks" / "results" / f"{now:%Y-%m-%d-%H%M}-windows.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def lengths(panes: int, rounds: int) -> tuple[dict[int, float], dict[int, float]]:
    """By window: microseconds of processor time for a pane, and for a status; best of the rounds.

    All have one rule, so that they differ in the window alone.
    """
    pane_us = dict.fromkeys(WINDOWS_MS, float("inf"))
    status_us = dict(pane_us)
    for _ in range(rounds):
        for w in WINDOWS_MS:
            filled = Filled(w, (RULE,), (), for_ms=w + DAY_MS)
            pane_us[w] = min(pane_us[w], filled.run(panes) / panes * 1e6)
            started = time.process_time()
            for _ in range(panes):
                filled.evaluator.statuses(filled.at_ms)
            status_us[w] = min(status_us[w], (time.process_time() - started) / panes * 1e6)
    return pane_us, status_us


def resident(groups: int, panes: int) -> dict[str, float]:
    """Sizes in MiB of this process, with so many groups of a 30-day window after so many panes."""
    names = tuple(f"customer=c{number:05}" for number in range(groups))
    filled = Filled(30 * DAY_MS, TIERS, names, for_ms=KEPT_MS)
    filled.run(panes)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "groups": groups,
        "peak_mib": round(peak_mib),
        "entries": len(filled.entries),
        "table_mib": round(sum(len(k) + len(v) for k, v in filled.entries.items()) / 2**20),
    }


class Filled:
    """An evaluator over stored state of `for_ms`, to be fed with further panes."""

    def __init__(
        self, window_ms: int, rules: tuple[Rule, ...], groups: tuple[str, ...], *, for_ms: int
    ) -> None:
        objective = Objective("ok", INDICATOR, Fraction(95, 100), rules)
        slo = Slo("shop", "shop", window_ms, (objective,), "d")
        self.entries: dict[bytes, bytes] = {}
        self.groups = groups or ("",)
        self.at_ms = AT_MS
        before = FaustState(0, self.entries, "0" * 32)
        names = [(INDICATOR.id, group) for group in dict.fromkeys(("", *groups))]
        self.offset = fill(before, shipped_ladder(), names, AT_MS, for_ms)
        before.end()
        self.state = FaustState(0, self.entries, "1" * 32)
        policy = EvaluationPolicy(shipped_ladder(), allowed_lateness_ms=0)
        self.evaluator = Evaluator(Catalogue.of([slo]), policy, self.state)

    def run(self, panes: int) -> float:
        """Seconds of processor time for so many further panes with an event in each group."""
        taken = 0.0
        for _ in range(panes):
            self.at_ms += PANE_MS
            cells = tuple(self._cell(number, group) for number, group in enumerate(self.groups))
            range_ = Range(SOURCE, 1, self.offset, self.offset + 1, self.at_ms + 1, cells=cells)
            message = CountsMessage(0, (), (range_,))
            started = time.process_time()
            self.evaluator.apply(message, self.offset)
            self.evaluator.told(self.offset)
            self.state.end()
            taken += time.process_time() - started
            self.offset += 1
        return taken

    def _cell(self, number: int, group: str) -> Cell:
        if (self.at_ms // PANE_MS + number) % BAD_EVERY:
            return Cell(INDICATOR.id, group, self.at_ms, 1, 1)
        bad = BadEvidence({SOURCE: (self.offset, self.offset)}, {"status_code=503": 1})
        return Cell(INDICATOR.id, group, self.at_ms, 0, 1, bad)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What the length of a window costs.")
    parser.add_argument("--panes", type=int, default=3_000, help="panes and statuses of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--resident", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
