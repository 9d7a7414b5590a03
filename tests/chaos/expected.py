"""What the input topic says must come out: counted with plain JSON and integers.

Shares no code with the product: each rule of `docs/explanation/event-time.md` stands here again,
in the slowest and plainest form.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.chaos.promises import Sli

PANE_MS = 10_000
MAX_FUTURE_MS = 300_000

Objective = tuple[str, str]
"""(SLO, objective)."""

Series = tuple[str, str, str]
"""(SLO, objective, group)."""


class Record(NamedTuple):
    """One record of the input topic; `written_ms` is the wall clock's."""

    partition: int
    offset: int
    written_ms: int
    value: bytes


@dataclass
class Expected:
    """`panes` by series and pane end are [good, total]; `tallies` by source partition."""

    panes: dict[Series, dict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    tallies: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    """Read, counted, late, dead, repeated."""
    ends: dict[int, int] = field(default_factory=dict)
    """After the last record of each partition."""
    dead: set[tuple[int, int]] = field(default_factory=set)
    """(partition, offset)."""
    late: dict[tuple[int, int], str] = field(default_factory=dict)
    """What becomes of a late event: `revision` or `dropped`."""


def expect(
    records: Iterable[Record],
    slis: Mapping[Objective, Sli],
    *,
    lateness_ms: int,
    horizon_ms: int,
    dedup_records: int = 0,
) -> Expected:
    """Count records, which come in the order of offsets within each partition."""
    found = Expected()
    seen: dict[tuple[int, str], int] = {}  # the offset at which an id came last
    newest: dict[int, int] = {}
    for record in records:
        tally = found.tallies[record.partition]
        place = record.partition, record.offset
        found.ends[record.partition] = record.offset + 1
        tally[0] += 1
        event = read_event(record)
        if event is None:
            tally[3] += 1
            found.dead.add(place)
            continue
        if dedup_records and (id_ := event.get("id")):
            last = seen.get((record.partition, id_))
            seen[record.partition, id_] = record.offset
            if last is not None and record.offset - last <= dedup_records:
                tally[4] += 1
                continue
        behind = newest.get(record.partition, event["time"]) - event["time"]
        newest[record.partition] = max(newest.get(record.partition, 0), event["time"])
        if behind <= lateness_ms:
            tally[1] += 1
        else:
            tally[2] += 1
            is_dropped = behind > lateness_ms + horizon_ms
            found.late[place] = "dropped" if is_dropped else "revision"
            if is_dropped:
                continue
        _count(found, event, slis)
    return found


def read_event(record: Record) -> dict[str, Any] | None:
    """The event of a record; None where it is none, or its time is yet to come."""
    try:
        event = json.loads(record.value.decode())
    except ValueError:
        return None
    if not isinstance(event, dict) or not event.get("service"):
        return None
    time_ms = event.get("time")
    if not isinstance(time_ms, int) or time_ms > record.written_ms + MAX_FUTURE_MS:
        return None
    return event


def _count(found: Expected, event: dict[str, Any], slis: Mapping[Objective, Sli]) -> None:
    end = -(-event["time"] // PANE_MS) * PANE_MS
    for (slo, objective), sli in slis.items():
        if sli.service != event["service"] or (good := sli.is_good(event)) is None:
            continue
        groups = [""]
        if sli.group_by:
            groups.append(f"attributes.{sli.group_by}={event['attributes'][sli.group_by]}")
        for group in groups:
            pane = found.panes[slo, objective, group][end]
            pane[0] += good
            pane[1] += 1
