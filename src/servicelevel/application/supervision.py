"""When a worker that ended is started again, and when that is given up."""

from dataclasses import dataclass, field

from servicelevel.errors import RestartRequiredError

RESTART_EXIT_CODE = RestartRequiredError.exit_code


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The delay doubles from `first_delay_seconds`; `max_failures` within `window_seconds` end it.

    A worker that asks to be started anew (exit code 75) counts as a failure too, as one that
    asks all the time makes no progress.
    """

    first_delay_seconds: float = 0.2
    max_delay_seconds: float = 10.0
    max_failures: int = 8
    window_seconds: float = 120.0


@dataclass(slots=True)
class WorkerHistory:
    """The ends of one worker, in seconds of a monotonic clock."""

    policy: RestartPolicy
    _failed_at: list[float] = field(default_factory=list)

    def delay_seconds(self, exit_code: int, now: float) -> float | None:
        """How long to wait before the next start; None where the worker must not be started.

        Exit codes 0 (it was asked to stop) and 2 (wrong use: it would fail the same way) are
        final.
        """
        if exit_code in (0, 2):
            return None
        since = now - self.policy.window_seconds
        self._failed_at = [at for at in self._failed_at if at > since] + [now]
        if len(self._failed_at) >= self.policy.max_failures:
            return None
        doubled = self.policy.first_delay_seconds * 2.0 ** (len(self._failed_at) - 1)
        return min(doubled, self.policy.max_delay_seconds)
