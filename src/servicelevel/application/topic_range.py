"""Which records of the source topics a replay reads: from one edge of the logs to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from servicelevel.errors import UsageError


@dataclass(frozen=True, slots=True)
class Edge:
    """An offset for each source partition: the one named, else that of a time, else the log's own.

    `time_ms` is compared with the records' timestamps, as brokers index them, and not with the
    times of the events. `offsets` is by source, `topic/partition`.
    """

    time_ms: int | None = None
    offsets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicRange:
    """Records at or after `start` and before `end`; of all source topics where none is named.

    Names may be with the prefix of the topics or without.
    """

    topics: tuple[str, ...] = ()
    start: Edge = field(default_factory=Edge)
    end: Edge = field(default_factory=Edge)

    def without_prefix(self, prefix: str, known: frozenset[str]) -> "TopicRange":
        """The same with names as in `known`. Raises UsageError for a topic that is not there."""

        def name(topic: str) -> str:
            short = topic if topic in known else topic.removeprefix(prefix)
            if short not in known:
                raise UsageError(
                    f"`{topic}` is none of the source topics that are read: "
                    f"{', '.join(sorted(known))}; SERVICELEVEL_REQUEST_TOPICS names those of "
                    "request events"
                )
            return short

        def edge(given: Edge) -> Edge:
            offsets = {}
            for source, offset in given.offsets.items():
                topic, _, partition = source.rpartition("/")
                offsets[f"{name(topic)}/{partition}"] = offset
            return Edge(given.time_ms, offsets)

        topics = tuple(dict.fromkeys(map(name, self.topics)))
        return TopicRange(topics, edge(self.start), edge(self.end))


class Log(NamedTuple):
    """What a partition has: offsets from `first` up to, and not with, `last`."""

    first: int
    last: int


def extent(
    source: str,
    log: Log,
    wanted: TopicRange,
    of_start: int | None = None,
    of_end: int | None = None,
) -> tuple[int, int]:
    """First offset to read, and the one after the last; equal where there is nothing.

    `of_start` and `of_end` are the offsets of the first records at or after the edges' times,
    None where there is none or no time was asked for. Raises UsageError for an offset that the
    partition does not have.
    """
    start = _offset(source, log, wanted.start, of_start, "--from", log.first)
    end = _offset(source, log, wanted.end, of_end, "--to", log.last)
    return start, max(start, end)


def _offset(
    source: str, log: Log, edge: Edge, of_time: int | None, option: str, otherwise: int
) -> int:
    named = edge.offsets.get(source)
    if named is not None:
        return _checked(source, log, named, option)
    if edge.time_ms is None:
        return otherwise
    return log.last if of_time is None else min(max(of_time, log.first), log.last)


def _checked(source: str, log: Log, offset: int, option: str) -> int:
    if offset < log.first:
        raise UsageError(
            f"{option} {source}={offset}: these records are deleted, the first that is left has "
            f"offset {log.first}: write {source}={log.first}"
        )
    if offset > log.last:
        raise UsageError(
            f"{option} {source}={offset}: the partition ends before offset {log.last}: write "
            f"{source}={log.last} or less"
        )
    return offset
