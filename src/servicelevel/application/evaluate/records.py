"""How evaluator state is written down: keys and plain JSON values, with a version.

| key | value |
| --- | --- |
| `p` | progress: version, watermark, ledger, offset up to which everything was told |
| `q/<end>/<indicator>/<group>` | panes of 15 minutes |
| `o/<end>/<indicator>/<group>` | where a young pane's bad events came from |
| `v/<end>/<indicator>/<group>` | a sketch of the values of a young slice |
| `d/<end>/<indicator>/<group>` | panes of a day, up to where spans were moved into it, and the
counts offset they have (spans are moved before the message in hand is counted) |
| `f/<indicator>/<group>` | end of the first pane that had events |
| `w/<slo>/<objective>/<group>`, `b/…` | a warning, a breach: state in force, what to tell, how many
entries have the rest of that, what was decided last, and the rules that wait |
| `t/<offset>/<part>/<key of the alert>` | the rest of what to tell, where one entry is too small:
a backlog may raise and resolve an alert a thousand times; `offset` is that of the alert's entry |

The group comes last, since it may hold a slash.
"""

import json
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from servicelevel.application.cells import GrowingEvidence
from servicelevel.application.evaluate.kept import Kept, Told
from servicelevel.application.evaluate.series import Origin, Series, Values
from servicelevel.application.ports import StoredEntry
from servicelevel.domain.alerts import Identity
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.ledger import Ledger, SourceState
from servicelevel.domain.outputs import AlertState, Evidence, StatusRemoved, Transition
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Number
from servicelevel.domain.span import Span
from servicelevel.domain.time import DAY_MS
from servicelevel.errors import START_ANEW, StateError

STATE_VERSION = 3
READ_VERSIONS = (2, STATE_VERSION)
"""Version 2 held panes as flat integers; such entries are read, and become new when written."""
PROGRESS_KEY = "p"
MAX_PENDING_LENGTH = 256_000
"""Of what is to be told and in one entry, in characters of ASCII JSON."""


def span_key(series: Series, span: Span) -> str:
    """The key of a span or day of a series."""
    letter = "q" if span.length_ms == SPAN_MS else "d"
    return f"{letter}/{span.end_ms}/{series.indicator}/{series.group}"


def origin_key(series: Series, end_ms: int) -> str:
    """The key of the origin of a pane's bad events."""
    return f"o/{end_ms}/{series.indicator}/{series.group}"


def values_key(series: Series, end_ms: int) -> str:
    """The key of the sketch of a slice's values."""
    return f"v/{end_ms}/{series.indicator}/{series.group}"


def first_key(series: Series) -> str:
    """The key of a series' first pane."""
    return f"f/{series.indicator}/{series.group}"


def alert_key(identity: Identity) -> str:
    """The key of an alert."""
    return f"{identity.kind[0]}/{identity.slo}/{identity.objective}/{identity.group}"


def rest_key(identity: Identity, offset: int, part: int) -> str:
    """The key of a further part of what an alert, stored at `offset`, has to tell."""
    return f"t/{offset}/{part}/{alert_key(identity)}"


def dump_span(span: Span) -> list[Any]:
    """A span's or day's value."""
    if span.length_ms == DAY_MS:
        return [span.dump(), span.moved_to_ms, span.offset, span.dump_revisions()]
    return [span.dump(), span.dump_revisions()]


def dump_origin(origin: Origin) -> list[Any]:
    """The value of an origin."""
    return [dict(origin.evidence.offsets), dict(origin.evidence.dimensions)]


def load_origin(series: Series, end_ms: int, entry: StoredEntry) -> None:
    """Put a stored origin back into its series."""
    offsets, dimensions = entry.value
    pairs = {source: (first, last) for source, (first, last) in offsets.items()}
    series.origins[end_ms] = Origin(GrowingEvidence(pairs, dict(dimensions)), entry.offset)


def dump_values(values: Values) -> list[int]:
    """The value of a sketch: `[bucket, count, …]`."""
    return [n for bucket in sorted(values.sketch) for n in (bucket, values.sketch[bucket])]


def load_values(series: Series, end_ms: int, entry: StoredEntry) -> None:
    """Put a stored sketch back into its series."""
    numbers = iter(entry.value)
    series.values[end_ms] = Values(dict(zip(numbers, numbers, strict=True)), entry.offset)


def load_span(series: Series, letter: str, end_ms: int, entry: StoredEntry) -> None:
    """Put a stored span or day back into its series."""
    if letter == "d":
        panes, moved_to_ms, offset, revisions = entry.value
        span = Span(end_ms, DAY_MS, offset, moved_to_ms=moved_to_ms)
    else:
        panes, revisions = entry.value
        span = Span(end_ms, SPAN_MS, entry.offset)
    span.load(panes)
    span.load_revisions(revisions)
    series.panes.put(span)


def damaged(key: object, what: str) -> StateError:
    """The error of a table entry that we cannot have written; `what` is wrong with it."""
    return StateError(
        f"table entry {key!r} {what}: it is damaged, or something else writes to the evaluator's "
        f"changelog topic. Nothing was changed; {START_ANEW}"
    )


def dump_progress(
    watermark_ms: int | None, told: int, ledger: Ledger, counts_partitions: int
) -> dict[str, Any]:
    """The progress entry's value."""
    return {
        "version": STATE_VERSION,
        "counts_partitions": counts_partitions,
        "watermark_ms": watermark_ms,
        "told": told,
        "sources": {name: state.dump() for name, state in ledger.sources.items()},
        "partitions": ledger.partitions,
    }


def load_progress(value: dict[str, Any], counts_partitions: int) -> tuple[int | None, int, Ledger]:
    """Watermark, told offset and ledger.

    Raises StateError where the version is not ours, or was laid out for other partitions.
    """
    if value.get("version") not in READ_VERSIONS:
        raise StateError(
            f"the stored state has version {value.get('version')!r}, this program reads "
            f"{' and '.join(map(str, READ_VERSIONS))}: run the program that wrote it, or use "
            "another `group`"
        )
    stored = value.get("counts_partitions", counts_partitions)  # absent in what is older
    if stored != counts_partitions:
        raise StateError(
            f"the stored state is laid out for {stored} partitions of counts, and there are "
            f"{counts_partitions}: services lie in other partitions now. Nothing was changed; "
            f"{START_ANEW}"
        )
    sources = {name: SourceState.load(raw) for name, raw in value["sources"].items()}
    return value["watermark_ms"], value["told"], Ledger(sources, value["partitions"])


def dump_transition(t: Transition) -> dict[str, Any]:
    """A transition as plain JSON values; `load_transition` reads it."""
    names = [n for n in Transition.__slots__ if n not in ("target", "evidence")]
    value = {name: getattr(t, name) for name in names}
    value["good"] = _number(t.good)
    value["target"] = [t.target.numerator, t.target.denominator]
    value["evidence"] = [
        t.evidence.from_ms,
        {name: [_number(good), total] for name, (good, total) in t.evidence.windows.items()},
        {source: list(pair) for source, pair in t.evidence.offsets.items()},
        dict(t.evidence.dimensions),
    ]
    return value


def dump_told(told: Told) -> dict[str, Any]:
    """A transition, or that a status is no more, as plain JSON values; `load_told` reads it."""
    if isinstance(told, Transition):
        return dump_transition(told)
    return {"removed": [told.slo, told.objective, told.service, told.group, told.at_ms]}


def load_told(value: dict[str, Any]) -> Told:
    """Read what `dump_told` wrote."""
    removed = value.get("removed")
    return load_transition(value) if removed is None else StatusRemoved(*removed)


def dump_alert(kept: Kept, pending: list[list[Any]], parts: int) -> dict[str, Any]:
    """The value of an alert's entry, with the first part of what is to be told."""
    return {
        "alert": kept.alert.dump(),
        "pending": pending,
        "parts": parts,
        "last": None if kept.last is None else dump_transition(kept.last),
        "holdings": {name: holding.dump() for name, holding in kept.holdings.items()},
        "service": kept.service,
    }


def dump_pending(pending: Iterable[tuple[int, Told]]) -> list[list[Any]]:
    """What is to be told in parts that each fit into an entry; there is a first one always."""
    parts: list[list[Any]] = [[]]
    length = 0
    for offset, told in pending:
        value = [offset, dump_told(told)]
        added = len(json.dumps(value))
        if parts[-1] and length + added > MAX_PENDING_LENGTH:
            parts.append([])
            length = 0
        parts[-1].append(value)
        length += added
    return parts


def load_transition(value: dict[str, Any]) -> Transition:
    """Read what `dump_transition` wrote."""
    from_ms, windows, offsets, dimensions = value["evidence"]
    fields = dict(value)
    fields["state"] = AlertState(value["state"])
    fields["severity"] = Severity(value["severity"])
    fields["good"] = _load_number(value["good"])
    fields["target"] = Fraction(*value["target"])
    fields["evidence"] = Evidence(
        from_ms,
        {name: (_load_number(good), total) for name, (good, total) in windows.items()},
        {source: (first, last) for source, (first, last) in offsets.items()},
        dimensions,
    )
    return Transition(**fields)


def _number(number: Number) -> Any:
    return number if isinstance(number, int) else [number.numerator, number.denominator]


def _load_number(raw: Any) -> Number:
    return raw if isinstance(raw, int) else Fraction(*raw)
