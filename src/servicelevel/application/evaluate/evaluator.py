"""The evaluator of one counts partition: a pure function of the log, message by message.

Within a message: old spans are moved, sums are added, complete panes are judged, what threatens
is told early, and all of it is stored: sums first, then alerts, progress last. A message that
is handled again after a crash finds in each entry whether it was there already; whatever is
judged again is judged on data that still has the resolution needed, since merging lags one
message behind.
"""

from collections.abc import Iterable

from servicelevel.application.evaluate.aging import Aging
from servicelevel.application.evaluate.book import Book
from servicelevel.application.evaluate.judged import Judged
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.records import (
    PROGRESS_KEY,
    alert_key,
    dump_origin,
    dump_pending,
    dump_progress,
    dump_span,
    first_key,
    origin_key,
    rest_key,
    span_key,
)
from servicelevel.application.evaluate.recovery import recover
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.watch import Kept
from servicelevel.application.ports import StateStore
from servicelevel.domain.counts import Cell, CountsMessage
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import Output, Status, Transition
from servicelevel.domain.time import floor_to


class Evaluator:
    """Give it each message of its partition in order; it returns what is to be told."""

    def __init__(
        self,
        catalogue: Catalogue,
        policy: EvaluationPolicy,
        state: StateStore,
        *,
        partition: int = 0,
        partitions: int = 1,
    ) -> None:
        self._policy = policy
        self._state = state
        self._book = Book(catalogue, policy, partition, partitions)
        self._aging = Aging(self._book, state, policy)
        self._ledger = Ledger()
        self._watermark_ms: int | None = None
        self._told = -1
        self._offset = -1
        self._dirty: dict[int, Judged] = {}
        recovered = recover(self._book, state)
        if recovered is not None:
            self._offset = recovered.offset
            self._watermark_ms, self._told = recovered.watermark_ms, recovered.told
            self._ledger = recovered.ledger

    @property
    def next_offset(self) -> int | None:
        """The counts offset to go on with; None where nothing was handled yet."""
        return self._offset + 1 if self._offset >= 0 else None

    @property
    def ledger(self) -> Ledger:
        """What is applied of each source."""
        return self._ledger

    @property
    def watermark_ms(self) -> int | None:
        """No event at or before this time is expected any more."""
        return self._watermark_ms

    def apply(self, message: CountsMessage, offset: int) -> list[Output]:
        """Handle the message at `offset`; outputs in order of event time."""
        self._aging.age(self._watermark_ms, offset)
        cells = self._read(message)
        threatened = self._add(cells, offset)
        outputs = self._judge(offset)
        if self._policy.early:
            outputs += self._judge_early(threatened, offset)
        self._store(offset)
        return sorted(outputs, key=_in_order)

    def pending(self) -> list[Transition]:
        """What was decided and perhaps not told before a crash: tell it again."""
        kept = [kept for _, watch in self._book.watches() for kept in watch.kept()]
        found = [(offset, t) for k in kept for offset, t in k.pending if offset > self._told]
        # As they were told: what takes something back comes after it.
        return [t for _, t in sorted(found, key=lambda each: (each[0], _in_order(each[1])))]

    def told(self, offset: int) -> None:
        """All outputs of the messages up to `offset` have reached the broker."""
        self._told = max(self._told, offset)

    def statuses(self, at_ms: int) -> list[Status]:
        """Where every objective stands at a time not before the watermark's last pane."""
        found: list[Status] = []
        for judged, watch in self._book.watches():
            series = judged.series
            windows = series.start_windows(self._watermark_ms)
            if windows is None:
                found.append(watch.status({}, at_ms))
                continue
            to_ms = max(windows.at_ms, -(-at_ms // series.pane_ms) * series.pane_ms)
            found.append(watch.status(windows.peek(to_ms, at_ms), at_ms))
        return sorted(found, key=_in_order)

    def _read(self, message: CountsMessage) -> list[Cell]:
        for claim in message.claims:
            self._ledger.claim(claim)
        return [c for r in message.ranges if self._ledger.apply(r) for c in r.cells]

    def _add(self, cells: Iterable[Cell], offset: int) -> list[Judged]:
        threatened: dict[int, Judged] = {}
        for cell in cells:
            judged = self._book.judged(cell.indicator, cell.group)
            counted = judged.counted
            first_ms = cell.revision_ms or cell.pane_end_ms
            if counted.first_ms is None or first_ms < counted.first_ms:
                counted.first_ms = first_ms
                self._state.put(first_key(counted), offset, first_ms)
            if self._watermark_ms is not None:
                counted.start_windows(self._watermark_ms)
            counted.add(cell, offset, self._watermark_ms)
            if cell.bad is not None and self._keeps_origin(cell):
                counted.add_origin(cell.pane_end_ms, cell.bad, offset)
            self._dirty[id(judged)] = judged
            if cell.good < cell.total and judged.slices is None:
                threatened[id(judged)] = judged
        return list(threatened.values())

    def _keeps_origin(self, cell: Cell) -> bool:
        # Not of revisions: evidence must not depend on when they are read.
        if self._watermark_ms is None or cell.revision_ms:
            return not cell.revision_ms
        oldest = floor_to(self._watermark_ms, SPAN_MS) - self._policy.evidence_ms
        return cell.pane_end_ms > oldest

    def _judge(self, offset: int) -> list[Output]:
        before = self._watermark_ms
        now = self._ledger.watermark_ms(self._policy.allowed_lateness_ms)
        if now is None or (before is not None and now <= before):
            return []
        self._watermark_ms = now
        outputs: list[Output] = []
        for judged in self._book:
            limit_ms = floor_to(now, judged.series.pane_ms)
            judged.slice_up(
                before, limit_ms, offset, judged.series.kept_ms(self._policy.retention_ms)
            )
            told = self._judge_one(judged, limit_ms, offset)
            if told:
                self._dirty[id(judged)] = judged
            outputs += told
        return outputs

    def _judge_one(self, judged: Judged, limit_ms: int, offset: int) -> list[Output]:
        series = judged.series
        if series.windows is None:
            series.start_windows_before_first(limit_ms)
        windows = series.start_windows(limit_ms)
        if windows is None or not judged.watches:
            return []
        outputs: list[Output] = []
        moved = windows.at_ms < limit_ms
        while windows.at_ms < limit_ms:
            if self._nothing_can_happen(judged, limit_ms):
                windows.advance(limit_ms)
                break
            windows.advance(windows.next_change(limit_ms))
            for watch in judged.watches:
                outputs += watch.on_time(
                    windows.sums(), windows.at_ms, series, offset, self._policy.evidence_ms
                )
        if moved:
            outputs += [watch.status(windows.sums(), limit_ms) for watch in judged.watches]
        return outputs

    def _nothing_can_happen(self, judged: Judged, limit_ms: int) -> bool:
        # Without a bad event in the longest window no rule holds and nothing is breached.
        series = judged.series
        windows = series.windows
        if windows is None or not all(watch.is_quiet for watch in judged.watches):
            return False
        if series.panes.revisions():
            return False
        good, total = windows.sums()[series.lengths_ms[-1]]
        entered_good, entered_total = series.panes.sum(windows.at_ms, limit_ms)
        return good == total and entered_good == entered_total

    def _judge_early(self, threatened: Iterable[Judged], offset: int) -> list[Output]:
        if self._watermark_ms is None:
            return []
        reach = self._policy.allowed_lateness_ms + self._policy.early_reach_ms
        newest = max(
            (s.max_time_ms for s in self._ledger.sources.values() if s.max_time_ms is not None),
            default=self._watermark_ms,
        )
        if newest - self._watermark_ms > reach:
            return []
        outputs: list[Output] = []
        for judged in threatened:
            outputs += self._judge_one_early(judged, newest, offset)
        return outputs

    def _judge_one_early(self, judged: Judged, newest_ms: int, offset: int) -> list[Output]:
        series = judged.series
        windows = series.start_windows(self._watermark_ms)
        if windows is None:
            return []
        outputs: list[Output] = []
        at_ms = series.panes.next_after(windows.at_ms)
        while at_ms is not None and at_ms <= newest_ms + series.pane_ms:
            sums = windows.peek(at_ms)
            for watch in judged.watches:
                outputs += watch.ahead_of_time(
                    sums, at_ms, series, offset, self._policy.evidence_ms
                )
            at_ms = series.panes.next_after(at_ms)
        return outputs

    def _store(self, offset: int) -> None:
        for judged in self._dirty.values():
            for series in judged.every():
                self._store_series(series, offset)
        for judged in self._dirty.values():
            for kept in (k for watch in judged.watches for k in watch.kept() if k.changed):
                self._store_alert(kept, offset)
        self._dirty.clear()
        self._offset = offset
        progress = dump_progress(self._watermark_ms, self._told, self._ledger)
        self._state.put(PROGRESS_KEY, offset, progress)

    def _store_series(self, series: Series, offset: int) -> None:
        for span in series.touched.values():
            span.offset = offset
            self._state.put(span_key(series, span), offset, dump_span(span))
        for end, origin in series.touched_origins.items():
            origin.offset = offset
            self._state.put(origin_key(series, end), offset, dump_origin(origin))
        series.touched.clear()
        series.touched_origins.clear()

    def _store_alert(self, kept: Kept, offset: int) -> None:
        kept.pending = [(at, t) for at, t in kept.pending if at > self._told]
        identity = kept.alert.identity
        first, *rest = dump_pending(kept.pending)
        for number, part in enumerate(rest):
            self._state.put(rest_key(identity, offset, number), offset, part)
        self._state.put(alert_key(identity), offset, [kept.alert.dump(), first, len(rest)])
        for number in range(kept.parts):
            self._state.delete(rest_key(identity, kept.offset, number))
        kept.parts = len(rest)
        kept.offset = offset
        kept.changed = False


def _in_order(output: Output) -> tuple[int, str, str, str, str]:
    # Not by id: transitions of one alert at one time stay in the order they were decided in.
    kind = output.kind if isinstance(output, Transition) else "~status"
    return output.at_ms, output.slo, output.objective, output.group, kind
