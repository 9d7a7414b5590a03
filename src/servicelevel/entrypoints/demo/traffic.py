"""Requests of the shop, made up from the story and a seed: the same for the same arguments."""

from collections.abc import Iterator
from math import log
from operator import attrgetter
from random import Random
from typing import NamedTuple

import orjson

from servicelevel.domain.time import SECOND_MS
from servicelevel.entrypoints.demo.story import Service, Story

_REGIONS = ("eu", "us")
_by_time = attrgetter("time_ms")


class Request(NamedTuple):
    """One request: when, of which service, and as the JSON of a request event."""

    time_ms: int
    service: str
    value: bytes


class Traffic:
    """All requests of the story in order of time, from the start of the history on.

    `live_ms` is where the present begins. However the time is cut into calls of `until`, the
    requests are the same.
    """

    def __init__(self, story: Story, live_ms: int) -> None:
        self._services = [
            _ServiceTraffic(name, service, story, live_ms)
            for name, service in story.services.items()
        ]

    def until(self, end_ms: int) -> list[Request]:
        """The next requests, up to but without `end_ms`."""
        requests = [request for each in self._services for request in each.until(end_ms)]
        requests.sort(key=_by_time)
        return requests


class _ServiceTraffic:
    def __init__(self, name: str, service: Service, story: Story, live_ms: int) -> None:
        self._name = name
        self._service = service
        self._story = story
        self._live_ms = live_ms
        self._random = Random(f"{story.seed}/{name}")  # noqa: S311 -- a story, not a secret
        self._slot_ms = live_ms - story.history_s * SECOND_MS
        self._mu = log(service.median_ms)
        self._failures_owed = 0.0
        self._number = 0
        self._next: Request | None = None

    def until(self, end_ms: int) -> Iterator[Request]:
        request = self._next or self._make()
        while request.time_ms < end_ms:
            yield request
            request = self._make()
        self._next = request

    def _make(self) -> Request:
        """One request somewhere in its slot; slots are as long as the traffic of then says.

        Requests and failures are spaced evenly, not by chance, so that the story's arithmetic
        holds to the request.
        """
        chance = self._random.random
        service, live_s = self._service, (self._slot_ms - self._live_ms) / SECOND_MS
        phase = self._story.phase(self._name, live_s)
        rate = service.per_second * self._story.growth(live_s)
        error_ratio, latency = service.error_ratio, 1.0
        if phase:
            rate *= phase.traffic
            latency = phase.latency
            if phase.error_ratio is not None:
                error_ratio = phase.error_ratio
        self._failures_owed += error_ratio
        failed = self._failures_owed >= 1
        self._failures_owed -= failed
        slot_ms = SECOND_MS / rate
        time_ms = int(self._slot_ms + chance() * slot_ms)
        self._slot_ms += slot_ms
        self._number += 1
        event = {
            "id": f"{self._name}-{self._number}",
            "time": time_ms,
            "service": self._name,
            "operation": service.operations[int(chance() * len(service.operations))],
            "status_code": 503 if failed else 200,
            "duration_ms": round(
                self._random.lognormvariate(self._mu, service.spread) * latency, 1
            ),
            "attributes": {"region": _REGIONS[chance() < 0.3]},
        }
        return Request(time_ms, self._name, orjson.dumps(event))
