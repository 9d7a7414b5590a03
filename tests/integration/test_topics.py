"""Topics are made and checked the same on every broker."""

import pytest

from servicelevel.adapters.kafka.topics import (
    TopicSpec,
    create_topics,
    ensure_topics,
    topic_problems,
    topic_specs,
)
from servicelevel.errors import DependencyError, TopicsError
from servicelevel.settings import Settings
from tests.conftest import Broker


def _client(broker: Broker) -> dict[str, str]:
    return {"bootstrap_servers": broker.address}


async def test_what_is_created_is_found_fine(broker: Broker, topic_prefix: str) -> None:
    settings = Settings(topic_prefix=topic_prefix, group=topic_prefix + "g")
    specs = topic_specs(settings)

    created = await create_topics(_client(broker), specs, replicas=-1)
    again = await create_topics(_client(broker), specs, replicas=-1)

    assert sorted(created) == sorted(spec.name for spec in specs)
    assert again == []
    assert await topic_problems(_client(broker), specs) == []
    await ensure_topics(_client(broker), specs)


async def test_a_missing_topic_is_named_and_not_created(broker: Broker, topic_prefix: str) -> None:
    specs = [TopicSpec(topic_prefix + "counts", 4)]
    for _ in range(2):  # looking must not create it
        with pytest.raises(TopicsError, match=rf"{topic_prefix}counts is missing: run `service"):
            await ensure_topics(_client(broker), specs)


async def test_only_counts_and_the_state_must_have_their_partitions(
    broker: Broker, topic_prefix: str
) -> None:
    wanted = Settings(topic_prefix=topic_prefix, group=topic_prefix + "g")
    made = wanted.model_copy(update={"partitions": 3, "counts_partitions": 2})
    await create_topics(_client(broker), topic_specs(made), replicas=1)

    problems = await topic_problems(_client(broker), topic_specs(wanted))

    told = [problem.partition(": ")[0] for problem in problems]
    needed = "has 2 partitions, 4 are needed"
    assert told == [
        f"topic {topic_prefix}counts {needed}",
        f"topic {topic_prefix}g-evaluator-state-changelog {needed}",
    ]


async def test_a_changelog_that_would_be_deleted_is_told(broker: Broker, topic_prefix: str) -> None:
    name = topic_prefix + "changelog"
    kept = TopicSpec(name, 1, {"cleanup.policy": "delete"})
    await create_topics(_client(broker), [kept], replicas=1)

    wanted = TopicSpec(name, 1, {"cleanup.policy": "compact"})

    assert "would lose state" in (await topic_problems(_client(broker), [wanted]))[0]


async def test_brokers_that_do_not_answer_are_named() -> None:
    client = {"bootstrap_servers": "127.0.0.1:1"}
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1"):
        await topic_problems(client, [TopicSpec("counts", 1)])
