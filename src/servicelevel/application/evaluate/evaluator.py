"""The evaluator of one counts partition: a pure function of the log, message by message.

Within a message: old spans are moved, sums are added, complete units are judged, what threatens
is told early, and all of it is stored: sums first, then alerts, progress last. A message that
is handled again after a crash finds in each entry whether it was there already; whatever is
judged again is judged on data that still has the resolution needed, since merging lags one
message behind.
"""

from collections.abc import Iterable

from servicelevel.application.evaluate.adding import add_up
from servicelevel.application.evaluate.aging import Aging
from servicelevel.application.evaluate.book import Book, Row
from servicelevel.application.evaluate.counting import PIECE, Counting
from servicelevel.application.evaluate.departures import Departures
from servicelevel.application.evaluate.judged import Judged
from servicelevel.application.evaluate.kept import Kept, Told
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.records import PROGRESS_KEY, dump_progress
from servicelevel.application.evaluate.recovery import recover
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.storing import store_alert
from servicelevel.application.pieces import Pieces, at_once
from servicelevel.application.ports import StateStore
from servicelevel.domain.counts import Cell, CountsMessage
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import Output, Status, Transition
from servicelevel.domain.time import floor_to, pane_end


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
        self._partitions = partitions
        self._book = Book(catalogue, policy, partition, partitions)
        self._aging = Aging(self._book, state, policy)
        self._counting = Counting(self._book, state, policy)
        self._departures = Departures()
        self._ledger = Ledger()
        self._watermark_ms: int | None = None
        self._judged_ms: int | None = None  # all units that end by then
        self._told = -1
        self._offset = -1
        self._rejected = 0
        self._changed: dict[int, Kept] = {}
        self._unwatched: list[Kept] = []
        recovered = recover(self._book, state, partitions)
        if recovered is not None:
            self._offset = recovered.offset
            self._watermark_ms, self._told = recovered.watermark_ms, recovered.told
            self._ledger = recovered.ledger
            self._unwatched = recovered.unwatched
        self._book.take_new()

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

    @property
    def rejected(self) -> int:
        """How many claims and ranges the ledger has ignored since this evaluator was made."""
        return self._rejected

    def apply(self, message: CountsMessage, offset: int) -> list[Output]:
        """Handle the message at `offset`; outputs in order of event time."""
        return at_once(self.steps(message, offset))

    def steps(self, message: CountsMessage, offset: int) -> Pieces[list[Output]]:
        """As `apply`, in pieces; nothing else may be asked of the evaluator but `told`."""
        silent = self._aging.age(self._watermark_ms, offset)
        outputs: list[Output] = [*self._dismiss(silent, offset)]
        sums = add_up(self._read(message), self._book)
        self._welcome()
        threatened = yield from self._counting.count(sums, offset, self._watermark_ms)
        outputs += yield from self._judge(offset)
        if self._policy.early:
            outputs += yield from self._judge_early(threatened, offset)
        yield from self._store(offset)
        return sorted(outputs, key=_in_order)

    def pending(self) -> list[Told]:
        """What was decided and perhaps not told before a crash: tell it again."""
        kept = [kept for _, watch in self._book.watches() for kept in watch.kept()]
        every = [each for k in (*kept, *self._unwatched) for each in k.pending]
        found = [each for each in (*every, *self._departures.pending()) if each[0] > self._told]
        # As they were told: what takes something back comes after it.
        return [t for _, t in sorted(found, key=lambda each: (each[0], _in_order(each[1])))]

    def told(self, offset: int) -> None:
        """All outputs of the messages up to `offset` have reached the broker."""
        self._told = max(self._told, offset)

    def statuses(self, at_ms: int) -> list[Status]:
        """Where every objective stands at a time not before the watermark's last unit.

        Slices count when they are complete.
        """
        found: list[Status] = []
        for judged in self._book.judged():
            if not judged.start(self._watermark_ms):
                found += [watch.unseen(at_ms) for watch in judged.watches]
                continue
            step = judged.step_ms
            to_ms = pane_end(at_ms, step) if judged.tells_early else floor_to(at_ms, step)
            sight = judged.peek(to_ms, at_ms)
            found += [watch.status(sight, at_ms) for watch in judged.watches]
        return sorted(found, key=_in_order)

    def _dismiss(self, silent: Iterable[Row], offset: int) -> list[Told]:
        """Let go of groups without events, and of what the definitions do not name any more."""
        leaving, self._unwatched = self._unwatched, []
        rows = list(silent)
        for row in rows:
            gone = self._book.forget(row)
            leaving += [k for judged in gone for watch in judged.watches for k in watch.kept()]
        if not leaving and not rows:
            return []
        told = self._departures.add(leaving, self._watermark_ms or 0, offset)
        # Before the counts are gone: a crash in between must not forget who is to be told.
        self._departures.store(self._state, offset, self._told)
        for row in rows:
            self._aging.remove(row.series)
        return told

    def _read(self, message: CountsMessage) -> list[Cell]:
        claimed = [self._ledger.claim(claim) for claim in message.claims]
        applied = [(self._ledger.apply(range_), range_) for range_ in message.ranges]
        self._rejected += claimed.count(False) + sum(not is_applied for is_applied, _ in applied)
        return [c for is_applied, range_ in applied if is_applied for c in range_.cells]

    def _welcome(self) -> None:
        """What is watched from this message on; it may have to be judged at once."""
        for judged in self._book.take_new():
            for watch in judged.watches:
                self._departures.give_back(watch)
            self._note_changes(judged)
            self._judged_ms = None

    def _judge(self, offset: int) -> Pieces[list[Output]]:
        before = self._watermark_ms
        now = self._ledger.watermark_ms(self._policy.allowed_lateness_ms)
        if now is None or (before is not None and now <= before):
            return []
        self._watermark_ms = now
        step_ms = self._book.step_ms
        if self._judged_ms is not None and now < self._judged_ms + step_ms:
            return []  # no unit is complete that was not before
        self._judged_ms = floor_to(now, step_ms) if step_ms else None
        outputs: list[Output] = []
        for number, judged in enumerate(self._book.judged(), 1):
            outputs += self._judge_one(judged, floor_to(now, judged.step_ms), offset)
            if number % PIECE == 0:
                yield
        return outputs

    def _judge_one(self, judged: Judged, limit_ms: int, offset: int) -> list[Output]:
        judged.start_before_first(limit_ms)
        if not judged.start(limit_ms):
            return []
        outputs: list[Output] = []
        at_ms = began_ms = judged.at_ms()
        while at_ms < limit_ms:
            if judged.nothing_can_happen(limit_ms):
                judged.advance(limit_ms)
                break
            at_ms = judged.next_change(limit_ms)
            revised = judged.is_revised_by(at_ms)
            judged.advance(at_ms)
            sight = judged.sight()
            for watch in judged.watches:
                outputs += watch.on_time(
                    sight, judged.series, offset, self._policy.evidence_ms, revised=revised
                )
        if began_ms < limit_ms:
            sight = judged.sight()
            outputs += [watch.told_status(sight, limit_ms) for watch in judged.watches]
            self._note_changes(judged)
        return outputs

    def _judge_early(self, threatened: Iterable[Series], offset: int) -> Pieces[list[Output]]:
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
        for number, judged in enumerate(self._book.judged_of(threatened), 1):
            if judged.tells_early and judged.start(self._watermark_ms):
                outputs += self._judge_one_early(judged, newest, offset)
            if number % PIECE == 0:
                yield
        return outputs

    def _judge_one_early(self, judged: Judged, newest_ms: int, offset: int) -> list[Output]:
        outputs: list[Output] = []
        for at_ms in judged.early_ends(newest_ms):
            sight = judged.peek(at_ms)
            for watch in judged.watches:
                outputs += watch.ahead_of_time(
                    sight, judged.series, offset, self._policy.evidence_ms
                )
        self._note_changes(judged)
        return outputs

    def _note_changes(self, judged: Judged) -> None:
        changed = (k for watch in judged.watches for k in watch.kept() if k.changed)
        self._changed.update((id(kept), kept) for kept in changed)

    def _store(self, offset: int) -> Pieces[None]:
        yield from self._counting.store(offset)
        for kept in self._changed.values():
            store_alert(self._state, kept, offset, self._told)
        self._departures.store(self._state, offset, self._told)
        self._changed.clear()
        self._offset = offset
        progress = dump_progress(self._watermark_ms, self._told, self._ledger, self._partitions)
        self._state.put(PROGRESS_KEY, offset, progress)


def _in_order(output: Output) -> tuple[int, str, str, str, str]:
    # Not by id: transitions of one alert at one time stay in the order they were decided in.
    kind = output.kind if isinstance(output, Transition) else "~status"
    return output.at_ms, output.slo, output.objective, output.group, kind
