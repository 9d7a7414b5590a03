"""`topics` and `doctor` say what is wrong and what to do."""

from pathlib import Path

import orjson

from servicelevel.errors import DependencyError
from tests.builders.cli import Outside, servicelevel

AWAY = DependencyError("no answer from Kafka at k:1")


def test_topics_check_is_exit_1_where_one_is_wrong() -> None:
    done = servicelevel(Outside(problems=["topic counts is missing", "b"]), "topics", "check")
    assert (done.code, done.out) == (1, "topic counts is missing\nb\n")
    assert done.err == "servicelevel: 2 of the topics are not as they must be\n"


def test_topics_create_names_what_it_made_and_checks() -> None:
    done = servicelevel(Outside(missing=["counts"]), "topics", "create")
    assert (done.code, done.out) == (0, "created counts\nthe topics are fine\n")

    wrong = servicelevel(Outside(missing=["counts"], problems=["status has 3"]), "topics", "create")
    assert wrong.code == 1


def test_topics_without_brokers_is_exit_3() -> None:
    for command in ("create", "check"):
        assert servicelevel(Outside(kafka_error=AWAY), "topics", command).code == 3


def test_doctor_with_all_fine() -> None:
    done = servicelevel(Outside(), "--redis", "redis://r:1", "doctor")
    assert done.code == 0
    assert [line[:2] for line in done.out.splitlines()] == ["ok", "ok", "ok", "ok", "--"]


def test_doctor_says_all_that_is_wrong() -> None:
    outside = Outside(
        kafka_error=AWAY, redis_error=DependencyError("Redis is away"), slow="build the extension"
    )
    done = servicelevel(outside, "--redis", "redis://r:1", "doctor", "--format", "json")
    assert done.code == 3
    said = [item["said"] for item in orjson.loads(done.out) if item["fine"] is False]
    assert said == ["build the extension", str(AWAY), "Redis is away"]


def test_doctor_is_exit_1_for_what_is_there_but_wrong(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text("apiVersion: openslo/v1\nkind: SLO\n")
    done = servicelevel(Outside(), "--definitions", str(file), "doctor")
    assert done.code == 1
    assert "servicelevel validate" in done.out

    assert servicelevel(Outside(problems=["status is missing"]), "doctor").code == 1
