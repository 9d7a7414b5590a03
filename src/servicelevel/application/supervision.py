"""When a worker that ended is started again, and when that is given up."""

from dataclasses import dataclass

from servicelevel.errors import DependencyError, RestartRequiredError, UsageError

RESTART_EXIT_CODE = RestartRequiredError.exit_code
FINAL = (0, UsageError.exit_code)
"""It was asked to stop, or would fail the same way again."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The delay doubles from `first_delay_seconds` with each failure in a row.

    After `max_failures` in a row the worker is given up; after `max_unreachable` where it could
    not reach Kafka, as a broker may be away for some minutes. A run of `steady_seconds` ends the
    row. A worker that asks to be started anew (exit code 75) counts as a failure too, as one that
    asks all the time makes no progress.
    """

    first_delay_seconds: float = 0.2
    max_delay_seconds: float = 10.0
    max_failures: int = 8
    max_unreachable: int = 60
    steady_seconds: float = 300.0


@dataclass(slots=True)
class WorkerHistory:
    """The failures of one worker in a row."""

    policy: RestartPolicy
    _failures: int = 0

    def delay_seconds(self, exit_code: int, ran_seconds: float) -> float | None:
        """How long to wait before the next start; None where the worker must not be started."""
        if exit_code in FINAL:
            return None
        self._failures = 1 if ran_seconds >= self.policy.steady_seconds else self._failures + 1
        unreachable = exit_code == DependencyError.exit_code
        if self._failures >= (
            self.policy.max_unreachable if unreachable else self.policy.max_failures
        ):
            return None
        doubled = self.policy.first_delay_seconds * 2.0 ** min(self._failures - 1, 30)
        return min(doubled, self.policy.max_delay_seconds)
