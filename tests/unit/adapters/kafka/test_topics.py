"""Which topics there are."""

from servicelevel.adapters.faust.app import changelog_topic as of_faust
from servicelevel.adapters.kafka.topics import changelog_topic, topic_specs
from servicelevel.settings import Settings


def test_all_topics_are_there_under_their_prefix_once() -> None:
    settings = Settings(topic_prefix="p.", request_topics=("requests", "nginx"), group="g")
    names = [spec.name for spec in topic_specs(settings)]
    assert len(names) == len(set(names))
    assert set(names) == {
        *("p.requests", "p.nginx", "p.incidents", "p.changes", "p.counts"),
        *("p.warnings", "p.breaches", "p.status", "p.late", "p.dead-letter"),
        "g-evaluator-state-changelog",
    }


def test_the_changelog_is_the_one_that_faust_uses() -> None:
    settings = Settings(group="g")
    assert changelog_topic(settings) == of_faust(settings)


def test_counts_and_changelog_have_the_same_partitions() -> None:
    specs = {spec.name: spec for spec in topic_specs(Settings(partitions=2, counts_partitions=7))}
    assert specs["requests"].partitions == specs["incidents"].partitions == 2
    assert specs["counts"].partitions == 7
    assert specs["servicelevel-evaluator-state-changelog"].partitions == 7


def test_only_counts_and_the_state_must_have_their_partitions() -> None:
    exact = {spec.name for spec in topic_specs(Settings()) if spec.exact}
    assert exact == {"counts", "servicelevel-evaluator-state-changelog"}


def test_state_is_compacted_and_events_are_not() -> None:
    compacted = {spec.name for spec in topic_specs(Settings()) if spec.compacted}
    assert compacted == {
        "status",
        "warnings",
        "breaches",
        "servicelevel-evaluator-state-changelog",
    }
