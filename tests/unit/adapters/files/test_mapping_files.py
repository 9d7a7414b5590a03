"""Source mapping files: what is accepted, and how errors are told."""

import re
from pathlib import Path

import pytest
import yaml

from servicelevel.adapters.files.mapping import (
    load_mapping,
    load_mapping_document,
    shipped_mappings,
)
from servicelevel.errors import MappingError
from servicelevel.schemas.events import Event
from servicelevel.schemas.mapping import SLOT

HEAD = "apiVersion: servicelevel/v1\nkind: SourceMapping\nmetadata: {name: m}\n"
GOOD = HEAD + "spec:\n  fields:\n    service: host\n    time: {path: at, format: epoch_s}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text, "utf-8")
    return path


def test_loads_a_file(tmp_path: Path) -> None:
    mapped = load_mapping(write(tmp_path, GOOD))
    assert mapped.event({"host": "shop", "at": 1}) == Event(service="shop", time=1_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", ["no YAML"]),
        ("[]", ["document"]),
        ("- " * 10_000 + "x", ["nested too deep"]),
        (GOOD.replace("servicelevel/v1", "v2"), ["apiVersion"]),
        (GOOD.replace("kind: SourceMapping", "kind: SLO"), ["kind"]),
        (GOOD.replace("host", "7"), ["spec.fields.service"]),
        (GOOD.replace("host", "'a..b'"), ["spec.fields.service.path", "JMESPath"]),
        (GOOD.replace("host", "{template: '{a..b}'}"), ["spec.fields.service", "JMESPath"]),
        (GOOD.replace("host", "{template: '{a'}"), ["spec.fields.service", "brace"]),
        (GOOD.replace("host", "{path: a, value: b}"), ["spec.fields.service", "exactly one"]),
        (GOOD.replace("host", "{path: a, pth: b}"), ["spec.fields.service.pth"]),
        (GOOD.replace("host", "{path: a, unit: s}"), ["service", "duration_ms"]),
        (GOOD.replace("host", "{path: a, format: rfc3339}"), ["service", "times only"]),
        (GOOD.replace("epoch_s", "epoch"), ["spec.fields.time.format", "epoch_s"]),
        (GOOD.replace("service: host", "servce: host"), ["spec", "no field servce"]),
        (GOOD.replace("    service: host\n", ""), ["spec", "required field service"]),
        (GOOD.replace("spec:\n", "spec:\n  event: incident\n"), ["incident_id, state"]),
    ],
)
def test_names_file_and_field(tmp_path: Path, text: str, words: list[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")
    with pytest.raises(MappingError, match="the mappings that ship are: envoy, nginx, otlp-spans"):
        load_mapping(Path("apache"))


@pytest.mark.parametrize("name", sorted(shipped_mappings()))
def test_every_shipped_mapping_loads(name: str) -> None:
    assert load_mapping(Path(name))


def test_the_how_to_has_the_log_format_of_the_mapping() -> None:
    how_to = Path(__file__).parents[4] / "docs" / "how-to" / "nginx.md"
    formats = [
        re.findall(r"log_format servicelevel.*?;", re.sub(r"[#\s]+", " ", text))
        for text in (shipped_mappings()["nginx"], how_to.read_text("utf-8"))
    ]
    assert len(formats[0]) == 1
    assert formats[0] == formats[1]


def test_nginx() -> None:
    line = {
        "time": "1767225600.123",
        "request_id": "8a7f",
        "server_name": "shop",
        "request_method": "GET",
        "request_uri": "/pay?x=1",
        "uri": "/pay",
        "status": "502",
        "request_time": "0.035",
        "upstream_addr": "127.0.0.1:8080",
        "upstream_status": "-",
    }
    mapped = load_mapping(Path("nginx"))
    assert mapped.event(line) == Event(
        service="shop",
        time=1_767_225_600_123,
        id="8a7f",
        operation="GET /pay",
        status_code=502,
        duration_ms=35.0,
        attributes={"upstream": "127.0.0.1:8080"},
    )


ENVOY = {
    "start_time": "2026-01-01T00:00:00.123Z",
    "request_id": "8a7f",
    "upstream_cluster": "shop",
    "method": "GET",
    "route_name": "pay",
    "response_code": 503,
    "response_flags": "UF,URX",
    "duration": 35,
    "upstream_host": "10.0.2.1:80",
}
ENVOY_EVENT = Event(
    service="shop",
    time=1_767_225_600_123,
    id="8a7f",
    operation="GET pay",
    status_code=503,
    duration_ms=35.0,
    attributes={"upstream": "10.0.2.1:80", "response_flags": "UF,URX"},
)


def test_envoy_with_numbers_or_texts() -> None:
    mapped = load_mapping(Path("envoy"))
    assert mapped.event(ENVOY) == ENVOY_EVENT
    assert mapped.event({key: str(value) for key, value in ENVOY.items()}) == ENVOY_EVENT


@pytest.mark.parametrize("nothing", [None, "-", ""])
def test_envoy_where_no_route_took_the_request(nothing: str | None) -> None:
    gone = dict.fromkeys(("upstream_cluster", "route_name", "upstream_host", "request_id"), nothing)
    line = {**ENVOY, **gone, "response_code": 404, "response_flags": "NR", "duration": 0}
    assert load_mapping(Path("envoy")).event(line) == Event(
        service="unrouted",
        time=1_767_225_600_123,
        status_code=404,
        duration_ms=0.0,
        attributes={"response_flags": "NR"},
    )


def test_envoy_keeps_the_status_of_a_client_that_went_away() -> None:
    line = {**ENVOY, "response_code": 0, "response_flags": "DC"}
    assert load_mapping(Path("envoy")).event(line).status_code == 0


def test_the_log_format_in_envoys_mapping_has_the_fields_that_it_reads() -> None:
    text = shipped_mappings()["envoy"]
    comment = "\n".join(re.findall(r"^# {3}(.*)", text, re.M))
    (access_log,) = yaml.safe_load(comment)["access_log"]
    json_format = access_log["typed_config"]["log_format"]["json_format"]
    spec = load_mapping_document(Path("envoy")).spec
    read = set()
    for mapped in (*spec.fields.values(), *spec.attributes.values()):
        read |= {mapped.path} if mapped.path else set(SLOT.findall(mapped.template or ""))
    assert set(json_format) == read == set(ENVOY)


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    reference = Path(__file__).parents[4] / "docs" / "reference" / "events.md"
    example = re.search(r"```yaml\n(apiVersion.*?)```", reference.read_text("utf-8"), re.S)
    assert example
    document = {
        "host": {"name": "shop", "labels": {"region": "eu"}},
        "finished": 1.5,
        "method": "GET",
        "route": "/",
        "timing": {"total": [0.25]},
    }
    assert load_mapping(write(tmp_path, example[1])).event(document) == Event(
        service="shop",
        time=1_500,
        operation="GET /",
        status_code=200,
        duration_ms=250.0,
        attributes={"region": "eu", "stage": "live"},
    )


def test_the_example_of_many_events_loads(tmp_path: Path) -> None:
    reference = Path(__file__).parents[4] / "docs" / "reference" / "events.md"
    example = re.search(r"```yaml\n(spec:\n  unroll.*?)```", reference.read_text("utf-8"), re.S)
    assert example
    mapped = load_mapping(write(tmp_path, HEAD + example[1]))
    items = [{"at": 1, "kind": 2}, {"at": 2, "kind": "client"}, {"at": 3, "kind": "server"}]
    elements = mapped.elements({"site": "eu", "groups": [{"host": "shop", "items": items}]})
    assert [mapped.event(element.document) for element in elements] == [
        Event(service="shop", time=1, operation="eu"),
        Event(service="shop", time=3, operation="eu"),
    ]
