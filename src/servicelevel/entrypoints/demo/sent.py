"""What was sent, counted on its own, to hold against what the evaluator says it counted."""

from array import array
from bisect import bisect_right

from servicelevel.entrypoints.demo.traffic import Request


class Sent:
    """Times of the requests sent, by service; requests come in order of time."""

    def __init__(self) -> None:
        self._times: dict[str, array[int]] = {}

    def add(self, request: Request) -> None:
        """Note one request."""
        self._times.setdefault(request.service, array("q")).append(request.time_ms)

    def total(self) -> int:
        """All of them."""
        return sum(len(times) for times in self._times.values())

    def up_to(self, service: str, at_ms: int) -> int:
        """Requests of a service with a time of at most `at_ms`."""
        return bisect_right(self._times.get(service, array("q")), at_ms)
