"""What the evaluator may be told to do otherwise."""

from dataclasses import dataclass

from servicelevel.domain.ladder import KEPT_MS, Ladder
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import HOUR_MS, MINUTE_MS


@dataclass(frozen=True, slots=True)
class EvaluationPolicy:
    """Times in ms of event time."""

    ladder: Ladder
    allowed_lateness_ms: int = 10_000
    early: bool = True
    early_reach_ms: int = MINUTE_MS
    """Beyond the lateness: further ahead of the watermark nothing is told early (a backlog)."""
    evidence_ms: int = HOUR_MS
    """How long the origin of bad events is kept."""
    retention_ms: int = KEPT_MS
    """Panes are kept at least so long, and as long as any window needs them."""
    breach_severity: Severity = Severity.PAGE
