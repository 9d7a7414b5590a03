"""Corrections: which SLOs they concern, and what a digest says of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from servicelevel.adapters.files.corrections import MAX_CORRECTIONS
from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.corrections import Correction
from tests.builders.definitions import correction, slo
from tests.builders.loaded import only, rules_of

Load = Callable[..., Loaded]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_correction(load: Load) -> None:
    document = correction(
        "move",
        **{"from": "2026-01-31T22:00:00+01:00"},
        to="2026-02-01T01:15:00Z",
        effect="good",
        recordedAt="2026-02-02T09:00:00Z",
    )
    found = only(load(slo(), document))
    assert found.corrections == (
        Correction(
            name="move",
            from_ms=ms("2026-01-31T21:00"),
            to_ms=ms("2026-02-01T01:15"),
            effect="good",
            by="operations",
            reason="The database moved.",
            recorded_at="2026-02-02T09:00:00Z",
        ),
    )


def test_edges_are_moved_outward_and_told(load: Load) -> None:
    loaded = load(slo(), correction(**{"from": "2026-01-31T22:14:59.999Z"}, duration="2h"))
    (found,) = loaded.catalogue.slos["availability"].corrections
    assert (found.from_ms, found.to_ms) == (ms("2026-01-31T22:00"), ms("2026-02-01T00:15"))
    assert [(f.rule, f.severity) for f in loaded.findings] == [
        ("servicelevel/correction-moved", "warning")
    ] * 2
    told = " ".join(f.message for f in loaded.findings)
    assert "from: 2026-01-31T22:00:00Z" in told
    assert "to: 2026-02-01T00:15:00Z" in told


def test_slos_and_services(load: Load) -> None:
    loaded = load(
        slo("a"),
        slo("b"),
        slo("c", service="search"),
        correction("third", slos=["c"], duration="1h"),
        correction("second", services=["checkout"], duration="1h"),
        correction("first", slos=["a"], services=["search"], **{"from": "2026-01-01T00:00:00Z"}),
    )
    assert loaded.findings == []
    assert loaded.is_complete
    named = {n: [c.name for c in s.corrections] for n, s in loaded.catalogue.slos.items()}
    assert named == {"a": ["first", "second"], "b": ["second"], "c": ["first", "third"]}


def test_names_that_are_in_no_file(load: Load) -> None:
    loaded = load(slo(), correction(slos=["availability", "other"], services=["nowhere"]))
    assert loaded.is_valid
    assert not loaded.is_complete
    assert rules_of(loaded.unsupported) == ["reference/unresolved"] * 2


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"reason": "Another."}, True),
        ({"by": "somebody"}, True),
        ({"recordedAt": "2026-02-02T09:00:00Z"}, True),
        ({"effect": "good"}, False),
        ({"duration": "3h"}, False),
        ({"from": "2026-01-31T23:00:00Z"}, False),
    ],
)
def test_the_digest_is_of_what_decides(load: Load, change: dict[str, Any], same: bool) -> None:
    before = only(load(slo(), correction())).digest
    assert (only(load(slo(), correction(**change))).digest == before) is same
    assert only(load(slo())).digest != before


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"slos": []}, "servicelevel/correction", "services: [checkout]"),
        ({"slos": ["A"]}, "openslo/name", "DNS label"),
        ({"slos": ["a", "a"]}, "servicelevel/correction", "twice"),
        ({"from": "2026-01-31 22:00:00"}, "servicelevel/time", "RFC 3339"),
        ({"from": "2026-01-31T22:00:00"}, "servicelevel/time", "RFC 3339"),
        ({"from": "2026-01-31T22:00:00Z\n"}, "servicelevel/time", "RFC 3339"),
        ({"from": "2026-02-30T22:00:00Z"}, "servicelevel/time", "RFC 3339"),
        ({"from": "2026-01-31T22:00:00+24:00"}, "servicelevel/time", "RFC 3339"),
        ({"from": "1969-12-31T22:00:00Z"}, "servicelevel/time", "1970"),
        ({"from": 5}, "servicelevel/time", "RFC 3339"),
        ({"to": "2026-01-31T22:00:00Z"}, "servicelevel/correction", "after from"),
        ({"to": "2026-02-01T22:00:00Z", "duration": "1h"}, "openslo/one-of", "together"),
        ({"effect": "bad"}, "openslo/choice", "remove"),
        ({"by": ""}, "openslo/length", "empty"),
        ({"reason": ""}, "openslo/length", "empty"),
        ({"reason": None}, "openslo/empty", "empty"),
        ({"until": "2026-02-01T22:00:00Z"}, "openslo/unknown-field", "remove"),
    ],
)
def test_refuses_a_correction(load: Load, change: dict[str, Any], code: str, says: str) -> None:
    loaded = load(slo(), correction(**change))
    (finding,) = [f for f in loaded.findings if f.rule != "openslo/required"]
    assert (finding.rule, finding.severity) == (code, "error")
    assert says in finding.message


@pytest.mark.parametrize("field", ["from", "effect", "by", "reason", "duration"])
def test_what_is_required(load: Load, field: str) -> None:
    document = correction()
    del document["spec"][field]
    loaded = load(slo(), document)
    assert len(loaded.findings) == 1
    assert not loaded.is_valid


def test_the_corrections_of_an_slo_are_bounded(load: Load) -> None:
    many = [correction(f"c{n}") for n in range(MAX_CORRECTIONS + 1)]
    loaded = load(slo(), *many)
    assert rules_of(loaded.unsupported) == ["unsupported/corrections"]
    assert loaded.catalogue.slos == {}


def test_kinds_and_versions_go_together(load: Load) -> None:
    other = correction()
    other["apiVersion"] = "openslo/v1"
    assert "apiVersion: servicelevel/v1" in load(other).findings[0].message
    other = slo()
    other["apiVersion"] = "servicelevel/v1"
    assert "apiVersion: openslo/v1" in load(other).findings[0].message
    other["kind"] = "SourceMapping"
    assert "SERVICELEVEL_MAPPINGS" in load(other).findings[0].message
    other["kind"] = "Corection"
    assert "write Correction" in load(other).findings[0].message
