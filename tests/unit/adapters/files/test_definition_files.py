"""Where definitions are found, and what is true of them together."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.errors import DependencyError
from tests.builders.definitions import rules_of, slo

GOLDEN = Path(__file__).parents[3] / "golden" / "definitions"
Load = Callable[..., Loaded]
HOUR = 3_600_000


def test_lenient_accepts_what_openslo_examples_do(load: Load) -> None:
    document = slo(description=None, objectives=[{"op": "lte", "value": 1, "target": 0.999}])
    document["spec"]["indicator"] |= {"apiVersion": "openslo/v1", "kind": "SLI"}
    strict = load(document)
    assert set(rules_of(strict.findings)) == {"openslo/empty", "openslo/unknown-field"}
    loaded = load(document, lenient=True)
    assert [(f.rule, f.severity) for f in loaded.findings] == [("openslo/threshold", "warning")]
    assert "availability" in loaded.catalogue.slos


def test_op_and_value_with_a_ratio_are_an_error(load: Load) -> None:
    loaded = load(slo(objectives=[{"op": "lte", "value": 1, "target": 0.999}]))
    assert rules_of(loaded.findings) == ["openslo/threshold"]
    assert loaded.catalogue.slos == {}


def test_a_missing_time_window_is_valid_only_when_lenient(load: Load) -> None:
    document = slo()
    del document["spec"]["timeWindow"]
    assert rules_of(load(document).findings) == ["openslo/time-window"]
    loaded = load(document, lenient=True)
    assert loaded.findings == []
    assert rules_of(loaded.unsupported) == ["unsupported/time-window"]


def test_files_folders_and_lists(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "two.yml").write_text(yaml.safe_dump([slo("two"), slo("three")]))
    (folder / "notes.txt").write_text("not: [yaml")
    hidden = tmp_path / "b" / "..2026"
    hidden.mkdir()
    (hidden / "two.yml").write_text(yaml.safe_dump(slo("two")))
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(slo("one")))
    loaded = load_definitions([tmp_path, folder / "two.yml", tmp_path / "one.yaml"])
    assert loaded.findings == []
    assert list(loaded.catalogue.slos) == ["two", "three", "one"]


def test_two_of_a_name_are_valid_and_cannot_be_evaluated(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(slo("same")))
    loaded = load_definitions([tmp_path])
    (finding,) = loaded.unsupported
    assert (finding.file.name, finding.rule) == ("b.yaml", "reference/duplicate-name")
    assert "a.yaml" in finding.message
    assert list(loaded.catalogue.slos) == ["same"]
    assert loaded.is_valid
    assert not loaded.is_complete


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=r"nowhere\.yaml: cannot be read"):
        load_definitions([tmp_path / "nowhere.yaml"])


def test_an_empty_folder_is_pointed_out(tmp_path: Path) -> None:
    assert rules_of(load_definitions([tmp_path]).findings) == ["file/none"]


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nb: \xe9\n")
    (finding,) = load_definitions([file]).findings
    assert (finding.line, finding.column, finding.rule) == (2, 4, "file/encoding")


def test_a_service_of_no_document_is_pointed_out(load: Load) -> None:
    service = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "chekout"},
        "spec": {},
    }
    loaded = load(service, slo())
    assert [(f.rule, f.severity) for f in loaded.findings] == [("reference/service", "warning")]


def test_the_shop_example_is_complete() -> None:
    loaded = load_definitions([GOLDEN / "shop"])
    assert loaded.findings == []
    assert loaded.unsupported == []
    assert loaded.is_complete
    assert {n: s.digest for n, s in loaded.catalogue.slos.items()} == {
        "checkout-availability": "39b9d603187fd5c9",
        "checkout-error-rate": "f23156c66717b8f4",
        "checkout-latency": "1d9a86d7c3a932cd",
        "catalogue-throughput": "e7b020b59e1104a6",
    }


def test_the_examples_of_all_words_are_complete() -> None:
    loaded = load_definitions([GOLDEN / "words"])
    assert loaded.findings == []
    assert loaded.unsupported == []
    slos = loaded.catalogue.slos
    assert {n: s.digest for n, s in slos.items()} == {
        "billing-month": "a45cf063e1d1c0ee",
        "journey": "24be40c8f1e19175",
        "search-uptime": "6e8610eac506a5f6",
        "search-mean-of-slices": "dcaa1dea3ce5f2c1",
        "search-p99": "8879e98273f398bf",
    }
    assert {name for name, slo in slos.items() if slo.corrections} == {
        "billing-month",
        "search-p99",
        "search-uptime",
    }
    assert [rule.name for rule in slos["billing-month"].objectives[0].rules] == [
        "fast burn",
        "nearly spent and going on",
        "nothing comes",
        "slow burn at little traffic",
    ]


def test_all_examples_go_together() -> None:
    assert load_definitions([GOLDEN]).is_complete
