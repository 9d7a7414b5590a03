"""The ledger as a state machine: whoever writes, and however late, each offset is applied once."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from servicelevel.domain.counts import Claim, Range
from servicelevel.domain.ledger import Ledger, SourceState

SOURCE = "requests/0"
PARTITIONS = 2


@dataclass
class Owner:
    """A combiner's own idea of things, which may be stale for as long as it likes."""

    name: str
    epoch: int
    positions: list[int]
    crashed: bool = False


class LedgerMachine(RuleBasedStateMachine):
    """Claims, ranges, crashes, restarts and stalled owners in any interleaving.

    `logs` are the counts partitions; an owner that has crashed never writes again, one that
    stalls simply is not chosen for a while and then writes what it meant to write.
    """

    owners = Bundle("owners")

    def __init__(self) -> None:
        super().__init__()
        self.logs: list[list[Claim | Range]] = [[] for _ in range(PARTITIONS)]
        self.names = 0

    @rule(target=owners, epoch=st.integers(0, 6))
    def start(self, epoch: int) -> Owner:
        """Reads the logs to their end and claims with any epoch at all, even a stale one."""
        self.names += 1
        read = [replayed(log).sources.get(SOURCE) for log in self.logs]
        owner = Owner(f"owner-{self.names}", epoch, [s.applied if s else 0 for s in read])
        for partition, log in enumerate(self.logs):
            log.append(
                Claim(SOURCE, epoch, owner.name, owner.positions[partition], {"requests": 1})
            )
        return owner

    @rule(owner=owners, partition=st.integers(0, PARTITIONS - 1))
    def read_again(self, owner: Owner, partition: int) -> None:
        """Goes on where the log says; it may have been overtaken meanwhile."""
        state = replayed(self.logs[partition]).sources.get(SOURCE)
        if state is not None:
            owner.positions[partition] = state.applied

    @rule(owner=owners, partition=st.integers(0, PARTITIONS - 1), size=st.integers(0, 5))
    def write(self, owner: Owner, partition: int, size: int) -> None:
        """Writes what it counted from where it believes to be, and believes it accepted."""
        if owner.crashed:
            return
        start = owner.positions[partition]
        self.logs[partition].append(Range(SOURCE, owner.epoch, start, start + size, None))
        owner.positions[partition] = start + size

    @rule(owner=owners, partition=st.integers(0, PARTITIONS - 1))
    def write_twice(self, owner: Owner, partition: int) -> None:
        """A producer that tries again writes the same bytes twice."""
        ranges = [m for m in self.logs[partition] if isinstance(m, Range)]
        if ranges and not owner.crashed:
            self.logs[partition].append(ranges[-1])

    @rule(owner=owners)
    def crash(self, owner: Owner) -> None:
        owner.crashed = True

    @invariant()
    def each_offset_is_applied_once_and_in_order(self) -> None:
        for log in self.logs:
            ledger = Ledger()
            applied: list[int] = []
            for message in log:
                if isinstance(message, Claim):
                    ledger.claim(message)
                elif ledger.apply(message):
                    applied += range(message.start, message.end)
            assert applied == list(range(len(applied)))
            if ledger.sources:
                assert ledger.sources[SOURCE].applied == len(applied)

    @invariant()
    def a_reader_that_starts_in_the_middle_from_stored_state_agrees(self) -> None:
        for log in self.logs:
            half = replayed(log[: len(log) // 2])
            stored = {name: state.dump() for name, state in half.sources.items()}
            resumed = Ledger(
                {name: SourceState.load(raw) for name, raw in stored.items()}, half.partitions
            )
            for message in log[len(log) // 2 :]:
                feed(resumed, message)
            assert resumed.sources == replayed(log).sources

    @invariant()
    def a_new_owner_with_a_higher_epoch_always_gets_on(self) -> None:
        for log in self.logs:
            ledger = replayed(log)
            state = ledger.sources.get(SOURCE)
            epoch, applied = (state.epoch + 1, state.applied) if state else (0, 0)
            assert ledger.claim(Claim(SOURCE, epoch, "new", 0, {"requests": 1}))
            assert ledger.apply(Range(SOURCE, epoch, applied, applied + 1, None))
            assert not ledger.apply(Range(SOURCE, epoch - 1, applied + 1, applied + 2, None))


def feed(ledger: Ledger, message: Claim | Range) -> None:
    if isinstance(message, Claim):
        ledger.claim(message)
    else:
        ledger.apply(message)


def replayed(log: list[Claim | Range]) -> Ledger:
    ledger = Ledger()
    for message in log:
        feed(ledger, message)
    return ledger


LedgerMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestLedgerMachine = LedgerMachine.TestCase
