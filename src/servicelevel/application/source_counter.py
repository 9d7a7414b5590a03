"""Counts one source from where it is resumed, and hands out its ranges for each counts partition.

After a crash the counts partitions may have different offsets applied. Then the counts are taken
at each of these offsets, and what a counts partition has already is left out for it.

A record cannot be in two ranges, nor a range in two messages. So a record whose events count for
more than fits into one is a dead letter.
"""

from collections.abc import Callable, Sequence

from servicelevel.application.claims import Cut, Resume
from servicelevel.application.combine import Folded, SourceAccumulator
from servicelevel.application.decode import Batch, dead_letter
from servicelevel.application.packing import fits
from servicelevel.application.ports import RawRecord
from servicelevel.application.refusal import Reason
from servicelevel.application.repeats import Repeats
from servicelevel.application.shares import Shares
from servicelevel.domain.counts import Range, Tally
from servicelevel.domain.outputs import DeadLetter, LateEvent
from servicelevel.errors import EventError

MAX_RECORDS = 100_000  # in one range, so that its message stays small
MAX_SIZE = 30_000  # events, sums and cells held for one range
_MARGIN = 200  # bytes for the range's start, and the tally of ranges without cells before it

Decode = Callable[[Sequence[RawRecord], int], tuple[Batch, list[DeadLetter]]]
"""Records and the wall clock (ms) to events and dead letters."""


class SourceCounter:
    """Feed it records in offset order; `take` the counts now and then; `ranges` to write them."""

    def __init__(
        self,
        source: str,
        epoch: int,
        resume: Resume,
        accumulator: SourceAccumulator,
        decode: Decode,
        *,
        idle_timeout_ms: int,
        now_ms: int,
        max_bytes: int,
        max_records: int = MAX_RECORDS,
        repeats: Repeats | None = None,
    ) -> None:
        self.source = source
        self.epoch = epoch
        self.first = resume.first
        self.position = resume.start
        self.read_to = resume.read_from
        """The offset to read next; lower than the position while the ids before that are read."""
        self.max_records = max_records
        self._max_bytes = max_bytes
        self.idle = False
        self.max_time_ms = resume.max_time_ms
        self._accumulator = accumulator
        self._decode = decode
        self._repeats = repeats
        self._cuts = list(resume.cuts)
        self._told = resume.told
        self._idle_timeout_ms = idle_timeout_ms
        self._since_ms, self._base_ms = now_ms, resume.max_time_ms
        self._written_idle = False
        self._untaken = 0
        self._last: RawRecord | None = None
        self._tally = Tally()
        self._asides: list[DeadLetter | LateEvent] = []
        self._shares = Shares(source, epoch, resume.applied)

    def add(self, records: Sequence[RawRecord], now_ms: int) -> None:
        """Count records; of those before the position only the ids are noted."""
        while records:
            cut = self._cuts[0] if self._cuts else None
            split = len(records)
            if cut and records[-1].offset >= cut.offset:
                split = next(i for i, r in enumerate(records) if r.offset >= cut.offset)
            split = min(split, self.max_records)
            self._count(records[:split], now_ms)
            records = records[split:]
            if self._untaken >= self.max_records or self._is_large():
                self._close()
            if cut and (self.position == cut.offset or _begins_at(records, cut.offset)):
                self.position = cut.offset
                self._close()
                self._advance(cut.max_time_ms)
                self._cuts.pop(0)

    def _is_large(self) -> bool:
        """Whether what is held makes a range that may not fit into a message with another."""
        held = self._accumulator
        return held.size >= MAX_SIZE or held.fills(self._max_bytes // 2)

    def _count(self, records: Sequence[RawRecord], now_ms: int) -> None:
        if records and records[0].offset < self.position:
            self._note([r for r in records if self.read_to <= r.offset < self.position], now_ms)
            records = [r for r in records if r.offset >= self.position]
        if not records:
            return
        batch, dead = self._decode(records, now_ms)
        repeated = 0
        if self._repeats is not None:
            batch, repeated = self._repeats.leave_out(batch)
        late = self._accumulator.add(batch, len(dead), repeated)
        asides: list[DeadLetter | LateEvent] = [*dead, *late]
        self._asides += [aside for aside in asides if aside.offset >= self._told]
        self.read_to = self.position = records[-1].offset + 1
        self._untaken += len(records)
        self._last = records[-1]
        if batch.events or dead:  # repeats, and what no mapping selects, move no time on
            self._since_ms, self._base_ms = now_ms, None
            self.idle = False

    def _note(self, known: Sequence[RawRecord], now_ms: int) -> None:
        """Records that are counted already, and told if they are dead or late."""
        if self._repeats is not None and known:
            self._repeats.note(self._decode(known, now_ms)[0])
            self.read_to = known[-1].offset + 1

    def lose(self, letter: DeadLetter, end: int) -> None:
        """Go on at `end`, as the records before it are gone; they count as one dead letter."""
        while self._cuts and self._cuts[0].offset < end:
            self._reach(self._cuts.pop(0))
        self._accumulator.add(Batch([], [], []), 1)
        self._asides.append(letter)
        self.position = end
        if self._cuts and self._cuts[0].offset == end:
            self._reach(self._cuts.pop(0))

    def _reach(self, cut: Cut) -> None:
        self.position = cut.offset
        self._close()
        self._advance(cut.max_time_ms)

    def asides(self) -> list[DeadLetter | LateEvent]:
        """Dead letters and late events to be acknowledged before the ranges that cover them."""
        asides, self._asides = self._asides, []
        return asides

    @property
    def waiting(self) -> int:
        """How many dead letters and late events wait to be sent."""
        return len(self._asides)

    @property
    def waiting_bytes(self) -> int:
        """How large their values are."""
        return sum(len(aside.value or b"") for aside in self._asides)

    @property
    def untold(self) -> int:
        """How many records were read since the counts were taken."""
        return self._tally.read + self._untaken

    @property
    def size(self) -> int:
        """Events, sums and cells that are in memory and not handed out."""
        return self._shares.cells + self._accumulator.size

    def look_at_clock(self, now_ms: int, *, at_end: bool) -> None:
        """Mark the source idle, or not; call it after `take`.

        An idle source's time goes on at the pace of the wall clock, so that windows close
        without events even where old data was replayed. It does not run ahead of that clock: an
        event from the future would else make all that follow late, for as long as the source
        is idle now and then. `at_end`: no record waits to be read.
        """
        if self._base_ms is None:
            self._base_ms = self.max_time_ms
        elapsed_ms = now_ms - self._since_ms
        self.idle = at_end and elapsed_ms >= self._idle_timeout_ms
        if self.idle and self._base_ms is not None:
            self._advance(min(self._base_ms + elapsed_ms, now_ms))

    def _advance(self, max_time_ms: int | None) -> None:
        if max_time_ms is not None and _is_later(max_time_ms, self.max_time_ms):
            self._accumulator.advance(max_time_ms)
            self.max_time_ms = max_time_ms

    def take(self) -> Tally:
        """Close the counts up to the position; what became of the records since the last time."""
        self._close()
        tally, self._tally = self._tally, Tally()
        return tally

    def _close(self) -> None:
        folded = self._accumulator.take()
        if self._untaken == 1 and self._last is not None and not self._fits(folded):
            folded = self._refuse(self._last, folded)
        self._untaken, self._last = 0, None
        self._tally = self._tally.plus(folded.tally)
        if folded.max_time_ms is not None and _is_later(folded.max_time_ms, self.max_time_ms):
            self.max_time_ms = folded.max_time_ms
        self._shares.close(self.position, folded, self.max_time_ms, idle=self.idle)

    def _fits(self, folded: Folded) -> bool:
        """Whether each counts partition can be told of all of it."""
        end, time_ms = self.position, folded.max_time_ms
        ranges = (
            Range(self.source, self.epoch, end, end, time_ms, False, folded.tally, tuple(cells))
            for cells in folded.cells.values()
        )
        return all(fits(range_, self._max_bytes - _MARGIN) for range_ in ranges)

    def _refuse(self, record: RawRecord, folded: Folded) -> Folded:
        """The record is a dead letter instead; the records after it are counted as ever."""
        self.max_records = MAX_RECORDS
        topic, _, partition = self.source.rpartition("/")
        cells = sum(map(len, folded.cells.values()))
        error = EventError(
            Reason.TOO_MANY_COUNTS,
            f"its {folded.tally.read} events count for {cells} sums, more than fit into a message",
        )
        self._asides = [aside for aside in self._asides if aside.offset != record.offset]
        self._asides.append(dead_letter(record, topic, int(partition), error))
        return Folded({}, Tally(read=1, dead=1), folded.max_time_ms)

    def has_news(self, partition: int) -> bool:
        """Whether a counts partition should be told at once: of counts, or a change of the mark."""
        return self._shares.has_cells(partition) or self.idle != self._written_idle

    def ranges(self, partition: int) -> list[Range]:
        """All ranges to be written to a counts partition now; the last one is up to date."""
        return self._shares.take(partition, self.max_time_ms, idle=self.idle)

    def told_up_to(self, partition: int) -> int:
        """Where the next range for a counts partition will start."""
        return self._shares.told_up_to(partition)

    def told_idle(self) -> None:
        """All counts partitions have been told of the idle mark as it is now."""
        self._written_idle = self.idle


def _begins_at(records: Sequence[RawRecord], offset: int) -> bool:
    return bool(records) and records[0].offset >= offset


def _is_later(time_ms: int, known_ms: int | None) -> bool:
    return known_ms is None or time_ms > known_ms
