"""All that a run left behind, as plain values, for the oracle to judge."""

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.counts_log import CountsLog
from tests.chaos.expected import Expected, Series

Pane = tuple[int, int, int]
"""(pane end, good, total); an end may come more than once."""

Aside = tuple[str, int, int, str | None]
"""(topic, partition, offset, disposition) of a dead letter or late event."""


@dataclass
class Outcome:
    """What came of the input, and the input's own account of it in `expected`.

    `stored` is the evaluator's table, `commits` the combiners' offsets by source partition.
    `told` are the messages on warnings and breaches, `replayed` those of a replay by one process,
    on time only. Statuses are by key, as the last of each on the topic and as in Redis.
    """

    expected: Expected
    counts: dict[int, CountsLog]
    stored: dict[Series, list[Pane]]
    commits: dict[int, int]
    tallies: dict[int, dict[str, list[int]]]
    """By counts partition and source: read, counted, late, dead, repeated, by the evaluator."""
    told: list[dict[str, Any]]
    replayed: list[dict[str, Any]]
    asides: list[Aside]
    statuses: dict[str, dict[str, Any]]
    mirrored: dict[str, dict[str, Any]]
    mirrored_open: set[str]
    indicators: dict[str, tuple[str, str]]
    """(SLO, objective) of each indicator."""
    complete_to_ms: int
    """Up to this time all panes are complete: what is told of later ones may be missing."""
    unexpected: list[str] = field(default_factory=list)
    """Workers that ended as none should, and steps that did not settle."""
