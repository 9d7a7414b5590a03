"""What a run prints: a line a step, the differences, and one row of figures, also as JSON."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.outcome import Outcome
from tests.chaos.plan import Step


@dataclass
class Summary:
    """One run in figures."""

    seed: int
    minutes: float
    events: int = 0
    late: int = 0
    dead: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    slowest_settled_s: float = 0.0
    restarts: dict[int, int] = field(default_factory=dict)
    """By exit code: workers that ended by themselves and were started again."""
    slow_stops: int = 0
    panes: int = 0
    alerts: int = 0
    transitions: int = 0
    """Told on time, each id once."""
    repeats: int = 0
    """Messages on warnings and breaches beyond the first of each id."""
    rejected: int = 0
    """Ranges of counts that the ledger left out."""
    differences: int = 0

    def take(self, outcome: Outcome, found: list[str]) -> None:
        """Fill in what came out."""
        tallies = outcome.expected.tallies.values()
        self.events = sum(read for read, *_ in tallies)
        self.late = sum(late for _, _, late, _, _ in tallies)
        self.dead = sum(dead for _, _, _, dead, _ in tallies)
        self.panes = sum(map(len, outcome.expected.panes.values()))
        ids = Counter(event["id"] for event in outcome.told)
        on_time = {e["id"]: e for e in outcome.told if not e["data"]["early"]}
        self.alerts = len({event["data"]["alert_id"] for event in on_time.values()})
        self.transitions = len(on_time)
        self.repeats = ids.total() - len(ids)
        self.rejected = sum(log.rejected for log in outcome.counts.values())
        self.differences = len(found)

    def row(self) -> str:
        """As a row of a Markdown table."""
        steps = ", ".join(f"{count} {kind}" for kind, count in sorted(self.steps.items()))
        cells = (
            *(self.seed, f"{self.minutes:.1f}", f"{self.events:,}", steps),
            *(self.alerts, self.transitions, self.repeats, self.rejected, self.differences),
        )
        return "| " + " | ".join(map(str, cells)) + " |"


HEAD = (
    "| seed | minutes | events | steps | alerts | transitions | repeats | rejected ranges "
    "| differences |"
)


class Log:
    """Prints, and writes to `chaos.log` in the folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "chaos.log"

    def line(self, text: str) -> None:
        print(text, flush=True)
        with self._file.open("a") as file:
            file.write(text + "\n")

    def step(self, at_s: float, step: Step, done: str, settled_s: float) -> None:
        """One line: when it began, what it was, and how long until all was applied."""
        self.line(
            f"{at_s:7.1f} s  {step.number:3d} {step.kind:15s} {done}; "
            f"settled {settled_s:.1f} s later"
        )


def write_summary(folder: Path, summary: Summary, found: list[str]) -> None:
    """`summary.json`: the figures and the differences."""
    content = {**asdict(summary), "found": found}
    (folder / "summary.json").write_text(json.dumps(content, indent=2) + "\n")
