"""The topics that must be there: which, with how many partitions, and how long they keep."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from servicelevel.domain.time import DAY_MS
from servicelevel.errors import START_ANEW, DependencyError, TopicsError
from servicelevel.settings import Settings

_PRESENT_WITHIN_S = 30
_CREATE = "servicelevel topics create"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic under its full name; `configs` are what differs from the broker's defaults.

    It is made with so many `partitions`; another number is wrong only where it is `exact`.
    """

    name: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)
    purpose: str = ""
    exact: bool = False

    @property
    def compacted(self) -> bool:
        """Whether the last message of each key must be kept for ever."""
        return self.configs.get("cleanup.policy") == "compact"


def topic_specs(settings: Settings) -> list[TopicSpec]:
    """Every topic that a system with these settings reads or writes."""
    sources = {
        **dict.fromkeys(settings.request_topics, "Request events; any key."),
        "incidents": "Incident events; any key.",
        "changes": "Change events; any key.",
    }
    alert = "Key: `slo/objective`, `/group` appended; the last of each key is kept for ever."
    counted = {
        "counts": (_kept(7), "Internal: claims and ranges of counts."),
        # The last transition of each alert is kept for ever, so that open alerts can be found
        # again; all of them for 90 days.
        "warnings": (_last_of_each_key(90), f"Transitions of warnings. {alert}"),
        "breaches": (_last_of_each_key(90), f"Transitions of breaches. {alert}"),
        "status": (_last_of_each_key(), f"Statuses. {alert}"),
        "late": (_kept(7), "Events behind the watermark of their source."),
        "dead-letter": (_kept(30), "Records that could not be read, up to 512 KiB of each."),
    }
    return [
        *(TopicSpec(settings.topic(n), settings.partitions, {}, t) for n, t in sources.items()),
        *(
            TopicSpec(
                settings.topic(name), settings.counts_partitions, configs, text, name == "counts"
            )
            for name, (configs, text) in counted.items()
        ),
        TopicSpec(
            changelog_topic(settings),
            settings.counts_partitions,
            _last_of_each_key(),
            "Internal: the evaluator's state.",
            exact=True,
        ),
    ]


def changelog_topic(settings: Settings) -> str:
    """The full name of the changelog of the evaluator's table; Faust makes it up of the group."""
    return f"{settings.group}-evaluator-state-changelog"


async def create_topics(
    client: Mapping[str, Any], specs: Iterable[TopicSpec], replicas: int
) -> list[str]:
    """Create those of `specs` that are missing; the names of the created.

    `client` is how aiokafka connects, `replicas` the replication factor (-1: the broker's
    default). Topics that are there are left as they are: check them afterwards.
    Raises `DependencyError` if the brokers cannot be reached, `TopicsError` if they refuse.
    """
    async with _admin(client) as admin:
        present = await _present(admin)
        missing = [spec for spec in specs if spec.name not in present]
        if not missing:
            return []
        response = await admin.create_topics([_new_topic(spec, replicas) for spec in missing])
        created = _created(response.topic_errors)
        await _until_present(admin, created)
        return created


def _created(results: Iterable[tuple[str, int, str | None]]) -> list[str]:
    refused = []
    created = []
    for name, code, message in results:
        error = for_code(code)
        if code == 0:
            created.append(name)
        elif error is not TopicAlreadyExistsError:  # another process was faster
            refused.append(f"{name}: {message or error.__name__}")
    if refused:
        raise TopicsError("the brokers refuse to create topics: " + "; ".join(refused))
    return created


async def topic_problems(client: Mapping[str, Any], specs: Sequence[TopicSpec]) -> list[str]:
    """What is wrong with the topics, and what to do, one line each; empty if nothing.

    Raises `DependencyError` if the brokers cannot be reached.
    """
    async with _admin(client) as admin:
        present = await _present(admin)
        wanted = [spec.name for spec in specs if spec.compacted and spec.name in present]
        policies = await _cleanup_policies(admin, wanted)
    problems = []
    for spec in specs:
        found = present.get(spec.name)
        if found is None:
            problems.append(f"topic {spec.name} is missing: run `{_CREATE}`")
        elif spec.exact and found != spec.partitions:
            problems.append(_partition_problem(spec, found))
        elif policies.get(spec.name, "compact") != "compact":
            problems.append(
                f"topic {spec.name} has cleanup.policy={policies[spec.name]} and would lose "
                "state: set cleanup.policy=compact with your broker's tools"
            )
    return problems


async def ensure_topics(client: Mapping[str, Any], specs: Sequence[TopicSpec]) -> None:
    """Raises `TopicsError` with all that is wrong with the topics."""
    problems = await topic_problems(client, specs)
    if problems:
        raise TopicsError("; ".join(problems))


def _partition_problem(spec: TopicSpec, found: int) -> str:
    return (
        f"topic {spec.name} has {found} partitions, {spec.partitions} are needed: set "
        f"SERVICELEVEL_COUNTS_PARTITIONS={found}, or {START_ANEW}"
    )


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


def _last_of_each_key(whole_days: int = 0) -> dict[str, str]:
    configs = {"cleanup.policy": "compact", "segment.ms": str(DAY_MS)}
    if whole_days:
        configs["min.compaction.lag.ms"] = str(whole_days * DAY_MS)
    else:
        configs["min.cleanable.dirty.ratio"] = "0.1"  # read whole at every start: keep it short
    return configs


def _new_topic(spec: TopicSpec, replicas: int) -> NewTopic:
    topic = NewTopic(spec.name, spec.partitions, 1, topic_configs=dict(spec.configs))
    topic.replication_factor = replicas  # the constructor refuses -1, which brokers understand
    return topic


@asynccontextmanager
async def _admin(client: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client; a broker that is not there becomes `DependencyError`."""
    admin = AIOKafkaAdminClient(**client)
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError, TimeoutError) as error:
        brokers = client.get("bootstrap_servers", "")
        addresses = brokers if isinstance(brokers, str) else ", ".join(brokers)
        raise DependencyError(
            f"no answer from Kafka at {addresses} ({type(error).__name__}): start a broker, or "
            "name another with --brokers or SERVICELEVEL_BROKERS"
        ) from error
    finally:
        await admin.close()


async def _present(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Partitions of every topic. Asking for all: asking by name makes some brokers create it."""
    topics: list[dict[str, Any]] = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in topics}


async def _until_present(admin: AIOKafkaAdminClient, names: Iterable[str]) -> None:
    """Brokers take a moment to tell each other of a topic."""
    async with asyncio.timeout(_PRESENT_WITHIN_S):
        while not set(names) <= set(await _present(admin)):
            await asyncio.sleep(0.05)


async def _cleanup_policies(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, str]:
    """`cleanup.policy` by topic, where the broker says it."""
    if not names:
        return {}
    found: dict[str, str] = {}
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name)  # naming configs makes Tansu hang up
        for name in names
    ]
    for response in await admin.describe_configs(resources):
        for resource in response.to_object()["resources"]:
            for entry in resource["config_entries"]:
                if entry["config_names"] == "cleanup.policy" and entry["config_value"]:
                    found[resource["resource_name"]] = entry["config_value"]
    return found
