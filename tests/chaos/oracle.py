"""Compares what a run left behind with what the input says, in code of its own."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.chaos.expected import PANE_MS, Series
from tests.chaos.outcome import Aside, Outcome, Pane
from tests.chaos.promises import BY_SLICES, BYSTANDER, SLIS

SPAN_MS = 900_000
MINUTE_MS = 60_000
MOST_NAMED = 8
"""Of the same sort of difference."""

_ENDS = ("resolved", "retracted")


def differences(outcome: Outcome) -> list[str]:
    """One line for each difference, none if all is as promised."""
    checks = (
        ("unexpected", outcome.unexpected),
        ("counts", counted_panes(outcome)),
        ("table", stored_panes(outcome)),
        ("tally", tallies(outcome)),
        ("commit", commits(outcome)),
        ("aside", asides(outcome)),
        ("alert", alerts(outcome)),
        ("status", statuses(outcome)),
        ("mirror", mirror(outcome)),
    )
    lines: list[str] = []
    for name, found in checks:
        all_found = list(found)
        lines += [f"{name}: {line}" for line in all_found[:MOST_NAMED]]
        if len(all_found) > MOST_NAMED:
            lines.append(f"{name}: and {len(all_found) - MOST_NAMED} more")
    return lines


def counted_panes(outcome: Outcome) -> Iterator[str]:
    """The accepted ranges of all counts partitions, pane by pane."""
    sums: dict[tuple[Series, int], list[int]] = defaultdict(lambda: [0, 0])
    for log in outcome.counts.values():
        for (indicator, group, end), (good, total) in log.panes.items():
            pane = sums[(*outcome.indicators[indicator], group), end]
            pane[0] += good
            pane[1] += total
    wanted = {
        (series, end): counts
        for series, panes in outcome.expected.panes.items()
        if series[2] or not SLIS[series[:2]].group_by  # the evaluator adds up groups itself
        for end, counts in panes.items()
    }
    for series, end in sorted(sums.keys() | wanted.keys()):
        has, needs = sums.get((series, end)), wanted.get((series, end))
        if has != needs:
            yield f"{_name(series)} pane {end}: {has} instead of {needs}"


def stored_panes(outcome: Outcome) -> Iterator[str]:
    """The table's panes; old ones are merged, so sums up to each stored end are compared.

    No pane reaches beyond its quarter of an hour, so sums up to each of these are too.
    """
    for series in sorted(outcome.stored.keys() | outcome.expected.panes.keys()):
        wanted = outcome.expected.panes.get(series, {})
        needs = _Sums((end, good, total) for end, (good, total) in wanted.items())
        has = _Sums(outcome.stored.get(series, ()))
        quarters = {-(-end // SPAN_MS) * SPAN_MS for end in needs.ends}
        for end in sorted(quarters.union(has.ends)):
            if has.up_to(end) != needs.up_to(end):
                found, wants = has.up_to(end), needs.up_to(end)
                yield f"{_name(series)} up to {end}: {found} instead of {wants}"
                break  # all later sums differ too


class _Sums:
    """Good and total up to any time."""

    def __init__(self, panes: Iterable[Pane]) -> None:
        self.ends: list[int] = []
        self._sums = [(0, 0)]
        for end, good, total in sorted(panes):
            self.ends.append(end)
            self._sums.append((self._sums[-1][0] + good, self._sums[-1][1] + total))

    def up_to(self, end_ms: int) -> tuple[int, int]:
        return self._sums[bisect_right(self.ends, end_ms)]

    def between(self, after_ms: int, to_ms: int) -> tuple[int, int]:
        before, sums = self.up_to(after_ms), self.up_to(to_ms)
        return sums[0] - before[0], sums[1] - before[1]


def tallies(outcome: Outcome) -> Iterator[str]:
    """Every counts partition accounts for every record of every source."""
    wanted = {f"requests/{n}": tally for n, tally in outcome.expected.tallies.items()}
    for source, (read, *parts) in wanted.items():
        if sum(parts) != read:
            yield f"the oracle itself does not add up for {source}"
    logged = {n: log.tallies for n, log in outcome.counts.items()}
    for place, found in (("counts", logged), ("table", outcome.tallies)):
        for partition, of_sources in sorted(found.items()):
            for source, tally in wanted.items():
                has = list(of_sources.get(source, ()))
                if [*has, 0][: len(tally)] != tally:  # four where nothing was repeated
                    yield f"{place}/{partition} {source}: {has} instead of {tally}"


def commits(outcome: Outcome) -> Iterator[str]:
    """No source offset is committed beyond what each counts partition has applied."""
    for partition, offset in sorted(outcome.commits.items()):
        source = f"requests/{partition}"
        applied = min(log.applied.get(source, 0) for log in outcome.counts.values())
        if offset > applied:
            yield f"{source}: committed up to {offset}, applied up to {applied}"
        if applied != outcome.expected.ends.get(partition, 0):
            yield f"{source}: applied {applied} of {outcome.expected.ends.get(partition)}"


def asides(outcome: Outcome) -> Iterator[str]:
    """Each broken record is a dead letter and each late event is told, and no others are."""
    wanted: set[Aside] = {("dead-letter", *place, None) for place in outcome.expected.dead}
    wanted |= {("late", *place, what) for place, what in outcome.expected.late.items()}
    found = set(outcome.asides)
    yield from (f"missing: {aside}" for aside in sorted(wanted - found, key=str))
    yield from (f"not to be: {aside}" for aside in sorted(found - wanted, key=str))


def alerts(outcome: Outcome) -> Iterator[str]:
    """On-time transitions are those of the replay; one content an id; nothing stays early."""
    contents: dict[str, set[str]] = defaultdict(set)
    told = [event for event in outcome.told if event["data"]["slo"] != BYSTANDER]
    for event in told:
        contents[event["id"]].add(json.dumps(event, sort_keys=True))
    for name, versions in sorted(contents.items()):
        if len(versions) > 1:
            yield f"{name} has {len(versions)} contents: {' | '.join(sorted(versions))}"
    live = _on_time(told, outcome.complete_to_ms)
    replayed = [e for e in outcome.replayed if e["data"]["slo"] != BYSTANDER]
    wanted = _on_time(replayed, outcome.complete_to_ms)
    yield from (f"missing: {name}" for name in sorted(wanted.keys() - live.keys()))
    yield from (f"not in the replay: {name}" for name in sorted(live.keys() - wanted.keys()))
    for name in sorted(live.keys() & wanted.keys()):
        if live[name] != wanted[name]:
            yield f"{name} differs: {_unlike(live[name], wanted[name])}"
    settled = {
        event["data"]["alert_id"]
        for event in told
        if not event["data"]["early"] or event["data"]["state"] == "retracted"
    }
    for name in sorted({event["data"]["alert_id"] for event in told} - settled):
        yield f"{name} was told early and never confirmed or taken back"


def _on_time(events: Iterable[Mapping[str, Any]], to_ms: int) -> dict[str, Mapping[str, Any]]:
    return {e["id"]: e for e in events if not e["data"]["early"] and _ms(e["time"]) <= to_ms}


def statuses(outcome: Outcome) -> Iterator[str]:
    """The last status of each series is the newest, with what the input says of its window."""
    wanted = {"/".join(filter(None, series)): series for series in outcome.expected.panes}
    yield from (f"{key} is missing" for key in sorted(wanted.keys() - outcome.statuses.keys()))
    yield from (f"{key} is nobody's" for key in sorted(outcome.statuses.keys() - wanted.keys()))
    for key in sorted(wanted.keys() & outcome.statuses.keys()):
        data = outcome.statuses[key]["data"]
        at_ms = _ms(data["at"])
        step_ms = MINUTE_MS if data["slo"] in BY_SLICES else PANE_MS
        if at_ms != (last_ms := outcome.complete_to_ms // step_ms * step_ms):
            yield f"{key} is of {at_ms}, not of {last_ms}, the last that is complete"
        if data["slo"] in BY_SLICES:
            continue
        panes = outcome.expected.panes[wanted[key]]
        sums = _Sums((end, good, total) for end, (good, total) in panes.items())
        needs = sums.between(_old_edge_ms(at_ms, data["window_ms"]), at_ms)
        if (data["good"], data["total"]) != needs:
            has = data["good"], data["total"]
            yield f"{key} at {at_ms} over {data['window_ms']} ms: {has} instead of {needs}"


def _old_edge_ms(at_ms: int, window_ms: int) -> int:
    """A window's old edge moves in steps of the resolution at its age."""
    ages = ((3_600_000, PANE_MS), (21_600_000, MINUTE_MS), (259_200_000, 5 * MINUTE_MS))
    step_ms = next((step for age, step in ages if window_ms <= age), SPAN_MS)
    return (at_ms - window_ms) // step_ms * step_ms


def mirror(outcome: Outcome) -> Iterator[str]:
    """Redis has the last status of each key, and the alerts that are open."""
    for key in sorted(outcome.statuses.keys() | outcome.mirrored.keys()):
        if outcome.statuses.get(key) != outcome.mirrored.get(key):
            yield f"the status of {key} is not the topic's"
    last: dict[str, tuple[str, str]] = {}
    ended: set[str] = set()
    for event in outcome.told:
        data = event["data"]
        if data["state"] in _ENDS:
            ended.add(data["alert_id"])
    for event in outcome.told:
        data = event["data"]
        if data["alert_id"] not in ended:
            key = f"{data['kind']}/{data['slo']}/{data['objective']}/{data['group']}"
            last[key] = (event["time"], data["alert_id"])
    for key in sorted(last.keys() ^ outcome.mirrored_open):
        yield f"{key} is open in {'the topics' if key in last else 'Redis'} only"


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Where two events differ."""
    a, b = ({**e, **e["data"], "data": None} for e in (one, other))
    unlike = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    return "; ".join(f"{key} {a.get(key)!r} / {b.get(key)!r}" for key in unlike)


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1_000)


def _name(series: Series) -> str:
    return "/".join(filter(None, series))
