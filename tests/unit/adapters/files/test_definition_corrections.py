"""Corrections, and which SLOs they are for."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.bootstrap import read_catalogue
from servicelevel.domain.corrections import Correction
from servicelevel.domain.model import Slo
from servicelevel.errors import DefinitionError
from tests.builders.definitions import correction, only, rules_of, slo

Load = Callable[..., Loaded]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def corrected(load: Load, *corrections: Any) -> Slo:
    return only(load(slo(), *corrections))


def test_a_correction_as_it_is_written(load: Load) -> None:
    found = corrected(load, correction(recordedAt="2026-01-12T09:00:00+01:00"))
    assert found.corrections == (
        Correction(
            "maintenance",
            ms("2026-01-10T22:00:00Z"),
            ms("2026-01-11T02:00:00Z"),
            "remove",
            by="ada",
            reason="announced maintenance",
            recorded_at="2026-01-12T09:00:00+01:00",
        ),
    )


def test_offsets_count(load: Load) -> None:
    found = corrected(load, correction(**{"from": "2026-01-10T23:00:00+01:00"}))
    assert found.corrections[0].from_ms == ms("2026-01-10T22:00:00Z")


@pytest.mark.parametrize(
    ("for_", "names"),
    [
        ({"services": ["checkout"]}, ["pay", "cancel"]),
        ({"services": None, "slos": ["pay"]}, ["pay"]),
        ({"services": ["search"], "slos": ["pay"]}, ["pay", "find"]),
        ({"services": ["checkout"], "slos": ["pay"]}, ["pay", "cancel"]),
    ],
)
def test_services_and_slos(load: Load, for_: dict[str, Any], names: list[str]) -> None:
    slos = [slo("pay"), slo("cancel"), slo("find", service="search")]
    loaded = load(correction(**for_), *slos)
    assert loaded.findings == []
    assert [s.name for s in loaded.catalogue.slos.values() if s.corrections] == names


def test_corrections_are_in_order_of_time(load: Load) -> None:
    first = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}
    found = corrected(load, correction("b"), correction("a", **first))
    assert [each.name for each in found.corrections] == ["a", "b"]


@pytest.mark.parametrize(
    ("from_", "to", "begin", "end"),
    [
        ("2026-01-10T22:07:00Z", "2026-01-11T02:00:00Z", "22:00", "02:00"),
        ("2026-01-10T22:00:00Z", "2026-01-11T01:46:00Z", "22:00", "02:00"),
        ("2026-01-10T22:14:59.999Z", "2026-01-11T01:45:00.001Z", "22:00", "02:00"),
    ],
)
def test_edges_are_moved_to_quarters_and_that_is_said(
    load: Load, from_: str, to: str, begin: str, end: str
) -> None:
    loaded = load(slo(), correction(**{"from": from_, "to": to}))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/correction", "warning")
    assert f"from 2026-01-10T{begin}:00.000Z to 2026-01-11T{end}:00.000Z" in finding.message
    (found,) = loaded.catalogue.slos["availability"].corrections
    assert found.from_ms == ms(f"2026-01-10T{begin}:00Z")
    assert found.to_ms == ms(f"2026-01-11T{end}:00Z")


@pytest.mark.parametrize(("field", "kind"), [("slos", "SLO"), ("services", "service")])
def test_a_name_that_nothing_has_cannot_be_evaluated(load: Load, field: str, kind: str) -> None:
    known = {"slos": "availability", "services": "checkout"}[field]
    loaded = load(slo(), correction(**{field: [known, "nobody"]}))
    (finding,) = loaded.unsupported
    assert (finding.rule, finding.severity) == ("reference/unresolved", "error")
    assert finding.message.startswith(f"{kind} nobody is in none of the files")
    assert loaded.is_valid
    assert not loaded.is_complete


def test_a_service_of_a_document_needs_no_slo(load: Load) -> None:
    service = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "search"},
        "spec": {},
    }
    checkout = {**service, "metadata": {"name": "checkout"}}
    loaded = load(service, checkout, slo(), correction(services=["search"]))
    assert loaded.findings == loaded.unsupported == []


def test_the_slo_that_is_corrected_may_be_in_another_file(tmp_path: Path) -> None:
    files = [tmp_path / "slos.yaml", tmp_path / "corrections.yaml"]
    for file, document in zip(files, [slo(), correction(slos=["availability"])], strict=True):
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
    alone = load_definitions(files[1:])
    assert alone.is_valid
    assert rules_of(alone.unsupported) == ["reference/unresolved"] * 2
    assert load_definitions(files).is_complete


def test_a_worker_and_a_replay_refuse_a_name_that_nothing_has(tmp_path: Path) -> None:
    file = tmp_path / "definitions.yaml"
    documents = [slo(), correction(slos=["availabilty"])]
    file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    with pytest.raises(DefinitionError, match="SLO availabilty is in none of the files"):
        read_catalogue((file,), lenient=False)


def test_the_digest_is_of_span_and_effect_only(load: Load) -> None:
    digest = corrected(load, correction()).digest
    same = [correction(by="eve"), correction(reason="other"), correction("renamed"),
            correction(recordedAt="2026-02-01T00:00:00Z"),
            correction(**{"from": "2026-01-10T23:00:00+01:00"})]  # fmt: skip
    other = [correction(effect="good"), correction(to="2026-01-11T03:00:00Z"),
             correction(**{"from": "2026-01-10T21:00:00Z"})]  # fmt: skip
    assert [corrected(load, each).digest for each in same] == [digest] * len(same)
    assert digest not in [corrected(load, each).digest for each in other]
    assert digest != only(load(slo())).digest


def test_names_do_not_order_the_digest(load: Load) -> None:
    both = [correction("a", effect="good"), correction("b")]
    swapped = [correction("b", effect="good"), correction("a")]
    assert corrected(load, *both).digest == corrected(load, *swapped).digest


@pytest.mark.parametrize(
    ("spec", "rule", "says"),
    [
        ({"services": None}, "servicelevel/correction", "services or slos"),
        ({"services": []}, "servicelevel/correction", "services or slos"),
        ({"to": "2026-01-10T22:00:00Z"}, "servicelevel/correction", "after from"),
        ({"to": "2026-01-10T21:00:00Z"}, "servicelevel/correction", "after from"),
        ({"effect": "bad"}, "openslo/choice", "'remove' or 'good'"),
        ({"by": None}, "openslo/required", "`by`"),
        ({"reason": ""}, "openslo/length", "is empty"),
        ({"slos": ["Pay"]}, "openslo/name", "DNS label"),
        ({"slos": ["pay\n"]}, "openslo/name", "DNS label"),
        ({"to": "2026-01-11 02:00"}, "servicelevel/time", "RFC 3339"),
        ({"to": "2026-01-11T02:00:00"}, "servicelevel/time", "RFC 3339"),
        ({"to": "2026-01-11T02:00:00Z\n"}, "servicelevel/time", "RFC 3339"),
        ({"to": "2026-02-30T02:00:00Z"}, "servicelevel/time", "RFC 3339"),
        ({"to": "2026-01-11T02:00:00+24:00"}, "servicelevel/time", "RFC 3339"),
        ({"to": "٢026-01-11T02:00:00Z"}, "servicelevel/time", "RFC 3339"),
        ({"to": 1_768_000_000}, "openslo/type", "in quotes"),
        ({"to": "9999-12-31T23:59:59Z"}, "servicelevel/time", "1970 to 2999"),
        ({"from": "0001-01-01T00:00:00+23:59"}, "servicelevel/time", "1970 to 2999"),
        ({"until": "x"}, "openslo/unknown-field", "until"),
    ],
)
def test_wrong_corrections(load: Load, spec: dict[str, Any], rule: str, says: str) -> None:
    (finding,) = load(slo(), correction(**spec)).findings
    assert (finding.rule, finding.severity) == (rule, "error")
    assert says in finding.message


def test_a_time_needs_no_quotes(load: Load) -> None:
    text = (
        "apiVersion: servicelevel/v1\nkind: Correction\nmetadata: {name: a}\n"
        "spec: {services: [checkout], from: 2026-01-10T22:00:00Z, to: 2026-01-11T02:00:00Z,\n"
        "  effect: good, by: ada, reason: test}\n"
    )
    assert corrected(load, text).corrections[0].effect == "good"
