"""The definitions of a run, and beside each SLI what it counts, in words of the oracle's own."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

BYSTANDER = "payment-availability"
"""The SLO whose target changes while workers run: its counts must go on."""

TARGETS = ("0.99", "0.95")

Event = Mapping[str, Any]


class Sli(NamedTuple):
    """`is_good` says None of an event that does not count; `group_by` is an attribute's name."""

    service: str
    is_good: Callable[[Event], bool | None]
    group_by: str | None = None


def _served(event: Event) -> bool | None:
    status = event.get("status_code")
    return None if status is None else status < 500


def _within(limit_ms: int) -> Callable[[Event], bool | None]:
    return lambda event: event["duration_ms"] <= limit_ms


SLIS: Mapping[tuple[str, str], Sli] = {
    ("basket-availability", "objective-1"): Sli("basket", _served),
    ("catalogue-slices", "up"): Sli("catalogue", _served),
    ("checkout-availability", "objective-1"): Sli("checkout", _served, "region"),
    ("payment-availability", "objective-1"): Sli("payment", _served),
    ("search-latency", "fast"): Sli("search", _within(300)),
    ("search-latency", "bearable"): Sli("search", _within(1_000)),
}
"""By SLO and objective."""

BY_SLICES = {"catalogue-slices"}
"""SLOs whose statuses count slices and not events."""


def definitions(bystander_target: str = TARGETS[0]) -> str:
    """The YAML documents."""
    return "---\n".join(
        [
            _availability("basket", "1h", "{target: 0.95}"),
            _availability(
                "catalogue",
                "1d",
                "{displayName: up, target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 1m}",
                name="catalogue-slices",
                method="Timeslices",
            ),
            _availability("checkout", "4h", "{target: 0.99}", "groupBy: [attributes.region]"),
            _availability("payment", "30d", f"{{target: {bystander_target}}}"),
            _LATENCY,
        ]
    )


def _availability(
    service: str,
    window: str,
    objective: str,
    spec: str = "event: request",
    *,
    name: str | None = None,
    method: str = "Occurrences",
) -> str:
    name = name or f"{service}-availability"
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: false
        good:
          metricSource:
            type: servicelevel
            spec: {{where: "status_code < 500", {spec}}}
        total:
          metricSource: {{type: servicelevel, spec: {{where: "status_code > 0", {spec}}}}}
  budgetingMethod: {method}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  objectives: [{objective}]
"""


_LATENCY = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: search-latency}
spec:
  service: search
  indicator:
    metadata: {name: search-latency}
    spec:
      thresholdMetric:
        metricSource: {type: servicelevel, spec: {value: duration_ms}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives:
    - {displayName: fast, op: lte, value: 300, target: 0.9}
    - {displayName: bearable, op: lte, value: 1000, target: 0.99}
"""
