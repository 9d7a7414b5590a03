"""What a run found, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """`events` were counted in `wall_s` with `cpu_s` of processor time.

    `exact` is whether all counts are those of what was loaded; None where only their number is
    known. `broker_us` is the broker's processor time for each event that was loaded, the start
    and the end of the path included; None where there is no broker.
    """

    path: str
    events: int
    wall_s: float
    cpu_s: float
    exact: bool | None = None
    note: str = ""
    broker_us: float | None = None

    @property
    def per_s(self) -> float:
        return self.events / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        return self.events / self.cpu_s

    def row(self) -> dict[str, object]:
        """For JSON."""
        return {
            **asdict(self),
            "per_s": round(self.per_s),
            "per_cpu_s": round(self.per_cpu_s),
        }


def table(results: Sequence[Result]) -> str:
    """Markdown, each rate also as a multiple of the first result's."""
    base = results[0]
    lines = [
        "| path | events | events/s | ratio | events per CPU-second | ratio | broker µs | exact |",
        "| --- | --: | --: | --: | --: | --: | --: | --- |",
    ]
    for result in results:
        exact = {None: "not checked", True: "yes", False: "**no**"}[result.exact]
        broker = "" if result.broker_us is None else f"{result.broker_us:.2f}"
        lines.append(
            f"| {result.path} | {result.events:,} | {result.per_s:,.0f} "
            f"| {result.per_s / base.per_s:.3g} | {result.per_cpu_s:,.0f} "
            f"| {result.per_cpu_s / base.per_cpu_s:.3g} | {broker} | {exact} |"
        )
    lines += [f"\n{result.path}: {result.note}" for result in results if result.note]
    return "\n".join(lines)
