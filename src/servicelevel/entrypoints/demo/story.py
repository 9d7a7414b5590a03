"""The story of the demo as data: the services, and the phases that change what they do."""

import importlib.resources
from collections.abc import Mapping
from operator import itemgetter

import msgspec
import yaml


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a service ordinarily does; `counted_by` names the SLO that counts every request."""

    per_second: float
    error_ratio: float
    median_ms: float
    spread: float
    operations: tuple[str, ...]
    counted_by: str


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `starts_s` to before `ends_s` of live time: factors on traffic and latency."""

    title: str
    service: str
    starts_s: float
    ends_s: float
    error_ratio: float | None = None
    latency: float = 1
    traffic: float = 1


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; see the comments in `story.yaml`."""

    seed: int
    history_s: float
    ramp_s: float
    quiet: float
    repeats_s: float
    services: Mapping[str, Service]
    phases: tuple[Phase, ...]

    def phase(self, service: str, live_s: float) -> Phase | None:
        """The phase that changes a service at this live time; the last one listed wins."""
        if live_s < 0:
            return None
        turn_s = live_s % self.repeats_s
        found = None
        for phase in self.phases:
            if phase.service == service and phase.starts_s <= turn_s < phase.ends_s:
                found = phase
        return found

    def beginning(self, after_s: float, to_s: float) -> list[Phase]:
        """The phases that begin in `(after, to]` of live time, in order."""
        begun = []
        for turn in range(int(after_s // self.repeats_s), int(to_s // self.repeats_s) + 1):
            for phase in self.phases:
                at_s = turn * self.repeats_s + phase.starts_s
                if after_s < at_s <= to_s:
                    begun.append((at_s, phase))
        return [phase for _, phase in sorted(begun, key=itemgetter(0))]

    def growth(self, live_s: float) -> float:
        """The share of its full traffic that a service has at this live time (≤ 0: history)."""
        grown_s = live_s + self.history_s
        return min(1.0, self.quiet + (1 - self.quiet) * max(0.0, grown_s) / self.ramp_s)


def load_story() -> Story:
    """The story that ships with the package."""
    text = importlib.resources.files(__package__).joinpath("story.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), Story)
