"""What the messages on `counts` add up to once all that stalled owners wrote is left out.

The rules of the ledger once more: a claim counts if its epoch is above the one in force; a range
if its epoch is the one in force and it begins where the last one ended.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class CountsLog:
    """One partition of `counts`. `panes` by indicator, group and end are [good, total]."""

    epochs: dict[str, int] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    panes: dict[tuple[str, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    claims: int = 0
    rejected: int = 0
    """Ranges with records in them that do not count."""

    def add(self, value: bytes) -> None:
        """The next message."""
        message = json.loads(value)
        for source, epoch, _, start, *_ in message["c"]:
            if source not in self.epochs or epoch > self.epochs[source]:
                self.epochs[source] = epoch
                self.applied.setdefault(source, start)
                self.claims += 1
        for raw in message["r"]:
            self._range(*raw)

    def _range(
        self,
        source: str,
        epoch: int,
        start: int,
        end: int,
        _max_time_ms: int | None,
        _idle: bool,
        tally: list[int],
        cells: list[list[Any]],
    ) -> None:
        if self.epochs.get(source) != epoch or self.applied[source] != start or end < start:
            self.rejected += end > start
            return
        self.applied[source] = end
        for column, number in enumerate(tally):  # of four, where nothing was repeated
            self.tallies[source][column] += number
        for indicator, group, pane_end, good, total, *_ in cells:
            pane = self.panes[indicator, group, pane_end]
            pane[0] += good
            pane[1] += total


def read_counts(messages: Iterable[tuple[int, bytes]]) -> dict[int, CountsLog]:
    """(partition, value) of all messages, in order within each partition."""
    logs: dict[int, CountsLog] = defaultdict(CountsLog)
    for partition, value in messages:
        logs[partition].add(value)
    return dict(logs)
