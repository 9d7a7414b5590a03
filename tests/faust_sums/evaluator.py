"""Adds up the totals of each indicator, and tells nothing but a raised alert per message."""

from collections.abc import Sequence
from fractions import Fraction

from servicelevel.application.evaluate.records import PROGRESS_KEY
from servicelevel.application.pieces import Pieces
from servicelevel.application.ports import StateStore
from servicelevel.domain.counts import CountsMessage
from servicelevel.domain.outputs import AlertState, Evidence, Output, Transition
from servicelevel.domain.severity import Severity


class SumEvaluator:
    """Keeps `sum/<indicator>` and what is told; `alerts` says which offsets raise one."""

    def __init__(self, state: StateStore, alerts: frozenset[int] = frozenset()) -> None:
        self.state = state
        self._alerts = alerts
        self.told_offsets: list[int] = []
        self.ranges = 0  # handled so far

    @property
    def next_offset(self) -> int | None:
        """The first message that is not in the state."""
        progress = self.state.get(PROGRESS_KEY)
        return None if progress is None else progress.offset + 1

    watermark_ms: int | None = None
    rejected = 0

    def steps(self, message: CountsMessage, offset: int) -> Pieces[list[Output]]:
        """Add the cells, a range in each piece; the progress is written last."""
        for range_ in message.ranges:
            for cell in range_.cells:
                key = f"sum/{cell.indicator}"
                entry = self.state.get(key)
                if entry is not None and entry.offset >= offset:
                    continue
                self.state.put(key, offset, cell.total + (entry.value if entry else 0))
            self.ranges += 1
            yield
        alerts: list[Output] = [alert(offset)] if offset in self._alerts else []
        self.state.put(PROGRESS_KEY, offset, [offset] if alerts else [])
        return alerts

    def pending(self) -> Sequence[Output]:
        """The alert that was decided last, unless it was told."""
        progress = self.state.get(PROGRESS_KEY)
        return [alert(offset) for offset in progress.value] if progress else []

    def told(self, offset: int) -> None:
        """Forget that it is pending."""
        self.told_offsets.append(offset)
        progress = self.state.get(PROGRESS_KEY)
        if progress and progress.offset == offset:
            self.state.put(PROGRESS_KEY, offset, [])


def alert(offset: int) -> Transition:
    """A transition that is named by its message."""
    return Transition(
        id=f"t{offset}",
        kind="warning",
        state=AlertState.RAISED,
        alert_id=f"a{offset}",
        slo="slo",
        objective="objective",
        service="service",
        group="",
        severity=Severity.PAGE,
        rule="1h/5m",
        at_ms=0,
        raised_at_ms=0,
        burn_rate_long=None,
        burn_rate_short=None,
        good=0,
        total=0,
        target=Fraction(999, 1000),
        budget_remaining=None,
        early=False,
        definition_digest="",
        evidence=Evidence(0),
    )
