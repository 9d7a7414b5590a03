"""Golden scenarios: a story, told in phases, becomes events; what is told of them becomes text.

Nothing is drawn by lot: of every m events exactly n fail, spread evenly, so that numbers in
`alerts.txt` can be checked by hand. `python -m tests.golden.stories` writes the files anew.

story.yaml:
    starts: time of the first event
    clock:  the wall clock, where it is not that of the story's end
    together: how many records are counted at once
    dedup_records: among how many records an event is known by its id; without, it is not
    phases: in order; lengths are `90s`, `5m`, `2h`, `30d`
      - for: 10m            how long it lasts; or `repeat: 4` with `phases` of its own
        every: 10s          time between two events; without, there are none
        errors: 1/20        share of events with status 503, the others have 200
        slow: 3/10          share of events that take `slow_ms`, the others take `usual_ms`
        again: 4            events that fail are written so many times more, with the same id
        behind: 20m         event times are so much earlier than the story's, `ahead: …` later
        service: shop
        customers: 9        attribute `customer` of the events takes so many values in turn
    statuses: true          tells where each objective stands at the end, too
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.application.evaluate import EvaluationPolicy
from servicelevel.application.lines import RecordedLine
from servicelevel.application.replay import (
    Recording,
    Replayed,
    ReplayOptions,
    replay,
)
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import Percentile, Status, Transition
from servicelevel.domain.sight import Number
from servicelevel.entrypoints.cli.arguments import duration_ms
from servicelevel.schemas.moments import rfc3339
from tests.builders.ladder import LADDER

SCENARIOS = Path(__file__).with_name("scenarios")

Duration = Annotated[int, BeforeValidator(lambda raw: duration_ms(str(raw)))]
Share = Annotated[Fraction, BeforeValidator(lambda raw: Fraction(str(raw)))]


class Phase(BaseModel):
    """See the head of this file."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    for_: Duration = 0
    every: Duration | None = None
    errors: Share = Fraction(0)
    slow: Share = Fraction(0)
    usual_ms: float = 50
    slow_ms: float = 2_000
    again: int = 0
    behind: Duration = 0
    ahead: Duration = 0
    service: str = "shop"
    customers: int = 0
    repeat: int = 1
    phases: "list[Phase]" = []


class Story(BaseModel):
    """See the head of this file."""

    model_config = ConfigDict(extra="forbid")

    starts: datetime
    clock: datetime | None = None
    together: int = 200
    dedup_records: int = 0
    statuses: bool = False
    phases: list[Phase]


def load_story(folder: Path) -> Story:
    """The story of a scenario's folder."""
    text = (folder / "story.yaml").read_text("utf-8")
    return Story.model_validate(_renamed(yaml.safe_load(text)))


def _renamed(raw: Any) -> Any:
    """`for` is a word of Python."""
    if isinstance(raw, dict):
        return {"for_" if k == "for" else k: _renamed(v) for k, v in raw.items()}
    return [_renamed(item) for item in raw] if isinstance(raw, list) else raw


def flat(phases: Sequence[Phase]) -> Iterator[Phase]:
    """All phases in order, repeats written out."""
    for phase in phases:
        for _ in range(phase.repeat):
            if phase.phases:
                yield from flat(phase.phases)
            else:
                yield phase


def events(story: Story) -> Iterator[dict[str, Any]]:
    """The events in the order in which they arrive."""
    at = milliseconds(story.starts)
    number = 0
    for phase in flat(story.phases):
        count = phase.for_ // phase.every if phase.every else 0
        for i in range(count):
            number += 1
            event = {
                "id": str(number),
                "time": at + (i + 1) * (phase.every or 0) - phase.behind + phase.ahead,
                "service": phase.service,
                "status_code": 503 if is_chosen(i, phase.errors) else 200,
                "duration_ms": phase.slow_ms if is_chosen(i, phase.slow) else phase.usual_ms,
                **_attributes(i, phase),
            }
            yield from [event] * (1 + phase.again * is_chosen(i, phase.errors))
        at += phase.for_


def _attributes(i: int, phase: Phase) -> dict[str, Any]:
    if not phase.customers:
        return {}
    return {"attributes": {"customer": f"c{i % phase.customers + 1:03}"}}


def is_chosen(i: int, share: Fraction) -> bool:
    """Whether the i-th of many is one of those that make up the share, spread evenly."""
    return (i + 1) * share // 1 > i * share // 1


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)


def end_ms(story: Story) -> int:
    return milliseconds(story.starts) + sum(phase.for_ for phase in flat(story.phases))


def tell(folder: Path, together: int | None = None) -> str:
    """Replay a scenario; the text that `alerts.txt` must have."""
    loaded = load_definitions([folder / "slos.yaml"])
    assert loaded.is_complete, loaded.findings
    story = load_story(folder)
    lines = [RecordedLine(n, json.dumps(event).encode()) for n, event in enumerate(events(story))]
    options = ReplayOptions(
        now_ms=milliseconds(story.clock) if story.clock else end_ms(story),
        policy=EvaluationPolicy(LADDER, early=False),
        chunk=together or story.together,
        statuses=story.statuses,
        dedup_records=story.dedup_records,
    )
    told = replay(loaded.catalogue, [Recording("requests", "request", lines)], options)
    return as_text(told, loaded.catalogue)


def as_text(told: Replayed, catalogue: Catalogue) -> str:
    """What became of the events, a line; then a line for each transition."""
    tally = told.tally
    lines = [f"{tally.read} read: {tally.counted} counted, {tally.late} late, {tally.dead} dead"]
    if tally.repeated:
        lines[0] += f", {tally.repeated} repeated"
    lines += [
        f"dead letters: {count} {reason}"
        for reason, count in sorted(Counter(letter.reason for letter in told.dead).items())
    ]
    lines += [
        f"late: {count} {disposition}"
        for disposition, count in sorted(Counter(late.disposition for late in told.late).items())
    ]
    several = sum(len(slo.objectives) for slo in catalogue.slos.values()) > 1
    several |= any(t.group for t in (*told.transitions, *told.statuses))
    lines += [transition_line(t, several=several) for t in told.transitions]
    lines += [status_line(s) for s in told.statuses]
    return "\n".join(lines) + "\n"


def transition_line(t: Transition, *, several: bool) -> str:
    """Columns; `several`: the SLO and objective must be named."""
    columns = [
        rfc3339(t.at_ms).replace(".000Z", "Z"),
        f"{t.kind:7} {t.state.value:11}",
        f"{t.severity.value:6}",
        *([f"{_path(t):20}"] if several else []),
        f"{t.rule:7}",
        f"{amount(t.good)}/{t.total} good",
        f"burn {number(t.burn_rate_long)} / {number(t.burn_rate_short)}",
        f"budget left {number(t.budget_remaining, '.1%')}",
    ]
    return "  ".join(columns).rstrip()


def status_line(s: Status) -> str:
    columns = [
        rfc3339(s.at_ms).replace(".000Z", "Z"),
        f"status  {s.state:9}",
        f"{_path(s):20}",
        f"{amount(s.good)}/{s.total} good",
        f"budget left {number(s.remaining_ratio, '.1%')}",
        *([percentile(s.percentile)] if s.percentile is not None else []),
        *(f"corrected by {c.name} ({c.effect})" for c in s.corrections),
    ]
    return "  ".join(columns).rstrip()


def percentile(told: Percentile) -> str:
    return f"p{float(told.ratio * 100):g} {told.value:.4g}"


def _path(output: Transition | Status) -> str:
    return "/".join(filter(None, (output.slo, output.objective, output.group)))


def amount(value: Number) -> str:
    """A whole number, or a fraction rounded to six digits."""
    return str(value) if isinstance(value, int) else f"{float(value):.6g}"


def number(value: float | None, form: str = ".4g") -> str:
    return "-" if value is None else format(value, form)


def names() -> list[str]:
    return sorted(path.parent.name for path in SCENARIOS.glob("*/story.yaml"))


def bless(wanted: Sequence[str]) -> None:
    """Write `alerts.txt` of these scenarios, or of all."""
    for name in wanted or names():
        folder = SCENARIOS / name
        path = folder / "alerts.txt"
        before = path.read_text("utf-8") if path.exists() else None
        after = tell(folder)
        path.write_text(after, "utf-8")
        print(f"{name}: {'as before' if before == after else 'written'}")


if __name__ == "__main__":
    bless(sys.argv[1:])
