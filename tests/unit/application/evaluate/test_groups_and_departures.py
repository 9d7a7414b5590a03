"""Groups are bounded and forgotten; what is watched no more is resolved, told so, and removed."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from servicelevel.application.cells import OTHER
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import AlertState, Output, Status, StatusRemoved, Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE = 10_000
RULE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction(5), Severity.PAGE)
REGIONS = Indicator("i1", "request", "shop", "", "good", group_by=("region",))
INDICATOR = replace(REGIONS, max_groups=2, group_ttl_ms=6 * HOUR_MS)
OBJECTIVE = Objective("ok", INDICATOR, Fraction(9, 10), (RULE,))
SLO = Slo("shop-ok", "shop", DAY_MS, (OBJECTIVE,), "d1")
OTHER_SLO = Slo(
    "cart-ok", "shop", DAY_MS, (replace(OBJECTIVE, indicator=replace(INDICATOR, id="i2")),), "d2"
)
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=0, early=False)


class World:
    """An evaluator whose only source is fed with cells; `now` moves the watermark there."""

    def __init__(
        self, *slos: Slo, state: MemoryState | None = None, policy: EvaluationPolicy = POLICY
    ) -> None:
        self.state = MemoryState() if state is None else state
        self.evaluator = Evaluator(Catalogue.of(slos), policy, self.state)
        self._next = self.evaluator.next_offset or 0
        self._applied = 0
        if self._next == 0:
            self._apply(CountsMessage(0, (Claim("requests/0", 1, "me", 0, {"requests": 1}),)))
        else:
            self._applied = self.evaluator.ledger.sources["requests/0"].applied

    def count(self, *cells: Cell, now: int) -> Sequence[Output]:
        begin, self._applied = self._applied, self._applied + len(cells)
        range_ = Range("requests/0", 1, begin, self._applied, now + 1, cells=cells)
        return self._apply(CountsMessage(0, (), (range_,)))

    def _apply(self, message: CountsMessage) -> Sequence[Output]:
        outputs = self.evaluator.apply(message, self._next)
        self._next += 1
        return outputs

    def told(self) -> None:
        self.evaluator.told(self._next - 1)

    def keys_with(self, text: str) -> list[str]:
        return sorted(key for key, _ in self.state.scan() if text in key)


def cell(group: str, end: int, good: int, total: int, indicator: str = "i1") -> Cell:
    return Cell(indicator, group, end, good, total)


def statuses(outputs: Sequence[Output]) -> dict[str, tuple[float, int]]:
    return {o.group: (float(o.good), o.total) for o in outputs if isinstance(o, Status)}


def test_the_first_groups_are_told_apart_and_all_others_are_one() -> None:
    world = World(SLO)
    cells = [cell(f"region={n}", T0 + PANE, n, 10) for n in range(5)]
    told = world.count(*cells, now=T0 + PANE)
    assert statuses(told) == {
        "": (10, 50),
        "region=0": (0, 10),
        "region=1": (1, 10),
        OTHER: (2 + 3 + 4, 30),
    }


def test_known_groups_stay_known_after_a_restart() -> None:
    world = World(SLO)
    world.count(*(cell(f"region={n}", T0 + PANE, 9, 10) for n in range(3)), now=T0 + PANE)
    again = World(SLO, state=world.state)
    told = again.count(
        *(cell(f"region={n}", T0 + 2 * PANE, 9, 10) for n in (2, 1, 0)), now=T0 + 2 * PANE
    )
    assert statuses(told) == {
        "": (54, 60),
        "region=0": (18, 20),
        "region=1": (18, 20),
        OTHER: (18, 20),
    }


def test_a_group_without_events_is_forgotten_and_its_place_is_free() -> None:
    world = World(SLO)
    world.count(*(cell(f"region={n}", T0 + PANE, 10, 10) for n in range(2)), now=T0 + PANE)
    later = T0 + 5 * HOUR_MS
    world.count(cell("region=1", later, 10, 10), now=later)
    end = T0 + 7 * HOUR_MS
    world.count(now=end)
    told = world.count(now=end + MINUTE_MS)
    removed = [o for o in told if isinstance(o, StatusRemoved)]
    assert [(o.slo, o.objective, o.service, o.group) for o in removed] == [
        ("shop-ok", "ok", "shop", "region=0")
    ]
    world.told()
    told = world.count(cell("region=7", end + 2 * MINUTE_MS, 5, 10), now=end + 2 * MINUTE_MS)
    assert statuses(told)["region=7"] == (5, 10)
    assert statuses(told)[""] == (35, 40)
    assert not world.keys_with("region=0")


def test_a_group_that_comes_back_begins_anew() -> None:
    world = World(SLO)
    world.count(cell("region=0", T0 + PANE, 10, 10), now=T0 + PANE)
    end = T0 + 7 * HOUR_MS
    world.count(now=end)
    told = world.count(cell("region=0", end + MINUTE_MS, 1, 10), now=end + MINUTE_MS)
    assert any(isinstance(o, StatusRemoved) for o in told)
    assert statuses(told)["region=0"] == (1, 10)
    world.told()
    told = world.count(cell("region=0", end + 2 * MINUTE_MS, 1, 10), now=end + 2 * MINUTE_MS)
    assert statuses(told)["region=0"] == (2, 20)
    again = World(SLO, state=world.state)
    told = again.count(cell("region=0", end + 3 * MINUTE_MS, 1, 10), now=end + 3 * MINUTE_MS)
    assert statuses(told)["region=0"] == (3, 30)


def failing(world: World) -> str:
    """Both SLOs page; the alert of the one that is going to leave."""
    told = world.count(
        cell("region=0", T0 + PANE, 0, 100),
        cell("region=0", T0 + PANE, 0, 100, "i2"),
        now=T0 + PANE,
    )
    world.told()
    raised = [o for o in told if isinstance(o, Transition) and o.slo == "cart-ok"]
    assert {(o.kind, o.state.value) for o in raised} == {
        ("warning", "raised"),
        ("breach", "raised"),
    }
    return next(o.alert_id for o in raised if o.kind == "warning" and o.group == "")


def test_alerts_of_a_removed_slo_are_resolved_and_its_statuses_removed() -> None:
    world = World(SLO, OTHER_SLO)
    alert_id = failing(world)

    left = World(SLO, state=world.state)
    told = left.count(now=T0 + 2 * PANE)

    gone = [o for o in told if isinstance(o, Transition) and o.slo == "cart-ok"]
    assert {o.state for o in gone} == {AlertState.RESOLVED}
    assert alert_id in {o.alert_id for o in gone}
    assert {(o.kind, o.group) for o in gone} == {
        (kind, group) for kind in ("warning", "breach") for group in ("", "region=0")
    }
    assert {o.group for o in told if isinstance(o, StatusRemoved)} == {"", "region=0"}
    assert not [o for o in told if isinstance(o, Transition) and o.slo == "shop-ok"]


def test_what_is_to_be_told_of_it_outlives_a_crash() -> None:
    world = World(SLO, OTHER_SLO)
    failing(world)
    left = World(SLO, state=world.state)
    told = [o for o in left.count(now=T0 + 2 * PANE) if o.slo == "cart-ok"]

    crashed = World(SLO, state=left.state)
    pending = crashed.evaluator.pending()
    assert [o for o in pending if o in told] == [o for o in told if not isinstance(o, Status)]
    crashed.count(now=T0 + 3 * PANE)
    crashed.told()
    crashed.count(now=T0 + 4 * PANE)
    assert not crashed.keys_with("cart-ok")


def test_an_slo_that_comes_back_finds_its_counts_and_no_alert() -> None:
    world = World(SLO, OTHER_SLO)
    failing(world)
    left = World(SLO, state=world.state)
    left.count(now=T0 + 2 * PANE)
    left.told()
    left.count(now=T0 + 3 * PANE)

    back = World(SLO, OTHER_SLO, state=left.state)
    told = back.count(cell("region=0", T0 + 4 * PANE, 0, 100, "i2"), now=T0 + 4 * PANE)
    again = [o for o in told if isinstance(o, Transition) and o.slo == "cart-ok"]
    assert {(o.kind, o.state.value) for o in again} == {
        ("warning", "raised"),
        ("breach", "raised"),
    }
    assert {o.total for o in again} == {200}


def test_an_open_alert_is_told_anew_when_its_definition_changed() -> None:
    world = World(SLO)
    world.count(cell("region=0", T0 + PANE, 0, 100), now=T0 + PANE)
    stricter = replace(SLO, digest="d9", objectives=(replace(OBJECTIVE, target=Fraction(19, 20)),))
    changed = World(stricter, state=world.state)
    told = [o for o in changed.count(now=T0 + 2 * PANE) if isinstance(o, Transition)]
    assert {(o.kind, o.state.value, o.definition_digest) for o in told} == {
        ("warning", "revised", "d9"),
        ("breach", "revised", "d9"),
    }
    assert not [o for o in changed.count(now=T0 + 3 * PANE) if isinstance(o, Transition)]


def test_what_was_told_early_of_a_removed_slo_is_retracted() -> None:
    policy = replace(POLICY, early=True, allowed_lateness_ms=60_000)
    world = World(SLO, OTHER_SLO, policy=policy)
    world.count(cell("region=0", T0 + PANE, 1, 1, "i2"), now=T0 + 2 * MINUTE_MS)
    early = world.count(cell("region=0", T0 + 2 * MINUTE_MS, 0, 100, "i2"), now=T0 + 2 * MINUTE_MS)
    ids = {o.alert_id for o in early if isinstance(o, Transition) and o.early}
    assert ids
    left = World(SLO, state=world.state, policy=policy)
    gone = [o for o in left.count(now=T0 + 2 * MINUTE_MS) if isinstance(o, Transition)]
    assert {(o.alert_id, o.state) for o in gone} == {(i, AlertState.RETRACTED) for i in ids}


def test_a_crash_before_progress_was_stored_does_not_lose_the_end_of_an_alert() -> None:
    world = World(SLO, OTHER_SLO)
    before = {key: entry for key, entry in world.state.scan() if key == "p"}
    failing(world)
    state = world.state
    state.put("p", before["p"].offset, before["p"].value)  # all of the message but its progress
    left = World(SLO, state=state)
    assert {o.state.value for o in left.evaluator.pending() if o.slo == "cart-ok"} == {"raised"}
    told = left.count(
        cell("region=0", T0 + PANE, 0, 100),
        cell("region=0", T0 + PANE, 0, 100, "i2"),
        now=T0 + PANE,
    )
    gone = {o.state.value for o in told if isinstance(o, Transition) and o.slo == "cart-ok"}
    assert gone == {"resolved"}
