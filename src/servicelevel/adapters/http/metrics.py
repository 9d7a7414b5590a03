"""A worker's vitals as Prometheus metrics, read when they are asked for."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from servicelevel.application.ports import WallClock
from servicelevel.application.vitals import CombinerVitals, EvaluatorVitals, Vitals


class VitalsCollector(Collector):
    """`clock` tells how old the watermarks are."""

    def __init__(self, vitals: Vitals, clock: WallClock) -> None:
        self._vitals = vitals
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """All metrics of the parts that run."""
        yield _gauge(
            "servicelevel_ready",
            "1 if the part has its partitions and works on them.",
            "part",
            {name: float(is_ready) for name, is_ready in self._vitals.readiness.items()},
        )
        if self._vitals.combiner is not None:
            yield from _combiner(self._vitals.combiner)
        if self._vitals.evaluator is not None:
            yield from _evaluator(self._vitals.evaluator, self._clock())


def metrics_text(vitals: Vitals, clock: WallClock) -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(VitalsCollector(vitals, clock))
    return generate_latest(registry)


def _combiner(vitals: CombinerVitals) -> Iterator[Metric]:
    outcomes = {
        "counted": vitals.counted,
        "late": vitals.late,
        "dead": vitals.dead,
        "repeated": vitals.repeated,
    }
    yield _counter("servicelevel_events", "Events, by what became of them.", "outcome", outcomes)
    yield _total("servicelevel_counts_flushes", "Times that counts were written.", vitals.flushes)
    yield _total(
        "servicelevel_sources_lost",
        "Sources given up as their ranges were ignored or another claimed them.",
        vitals.rejected,
    )
    yield GaugeMetricFamily(
        "servicelevel_sources_unclaimed",
        "Source partitions assigned and not counted yet.",
        value=vitals.unclaimed,
    )
    lags = {name: source.lag for name, source in vitals.sources.items()}
    yield _gauge(
        "servicelevel_source_lag_records", "Records that wait in a source.", "source", lags
    )


def _evaluator(vitals: EvaluatorVitals, now_ms: int) -> Iterator[Metric]:
    yield _total("servicelevel_counts_applied", "Messages on counts applied.", vitals.applied)
    yield _total(
        "servicelevel_ledger_rejections",
        "Claims and ranges that were ignored, as another owner's were in force.",
        vitals.rejected,
    )
    yield _counter("servicelevel_outputs", "Outputs decided, by kind.", "kind", vitals.outputs)
    lags = {str(n): vitals.lag(n) for n in sorted(vitals.assigned or ())}
    yield _gauge(
        "servicelevel_counts_lag_messages",
        "Messages on counts that wait to be applied.",
        "partition",
        lags,
    )
    ages = {str(n): (now_ms - at) / 1_000 for n, at in sorted(vitals.watermarks_ms.items())}
    yield _gauge(
        "servicelevel_watermark_age_seconds",
        "How far the watermark is behind the clock.",
        "partition",
        ages,
    )


def _total(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
