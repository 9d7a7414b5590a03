"""The one error tree.

ServiceLevelError
├── UsageError              exit 2   the call or the settings are wrong
│   ├── SettingsError
│   ├── DefinitionError              a definition cannot be read or resolved
│   ├── MappingError                 a source mapping cannot be read
│   └── CelError                     an expression cannot be compiled
├── CheckFailedError        exit 1   the thing checked is not fine
├── DependencyError         exit 3   Kafka, Redis or a file could not be reached
│   └── TopicsError                  a topic is missing or has the wrong partition count
├── RestartRequiredError    exit 75  end this process and start a new one (EX_TEMPFAIL)
├── EventError                       a record is no event: it becomes a dead letter
└── StreamError             exit 70  the stream's record contradicts itself
    ├── GapError                     messages were deleted before they were read
    └── StateError                   stored state cannot be used
"""

from collections.abc import Sequence


class ServiceLevelError(Exception):
    """Root of all errors of this package; `exit_code` is what the command returns."""

    exit_code = 1


class UsageError(ServiceLevelError):
    """The call is wrong: say what to write instead."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing or cannot be used."""


class DefinitionError(UsageError):
    """A definition cannot be read, is invalid or refers to nothing; `problems` are told singly."""

    def __init__(self, message: str, *, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)


class MappingError(UsageError):
    """A source mapping cannot be read or is invalid."""


class CelError(UsageError):
    """A CEL expression cannot be compiled; `line` and `column` count from 1 within its text."""

    def __init__(self, problem: str, *, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column


class CheckFailedError(ServiceLevelError):
    """The thing checked is not fine."""

    exit_code = 1


class DependencyError(ServiceLevelError):
    """Kafka, Redis or a file could not be reached."""

    exit_code = 3


class TopicsError(DependencyError):
    """A topic is missing or has another partition count than needed."""


class RestartRequiredError(ServiceLevelError):
    """This process must end and be started anew; its supervisor knows the exit code."""

    exit_code = 75


class EventError(ServiceLevelError):
    """A record is no event; `reason` is a code, the message says what was wrong."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class StreamError(ServiceLevelError):
    """What the log says contradicts itself; going on would miscount."""

    exit_code = 70


START_ANEW = (
    "start anew: stop all workers, delete the counts topic, set a SERVICELEVEL_GROUP that was "
    "never used, run `servicelevel topics create` and start them"
)
"""How to count again from the first record that the source topics still have."""


class GapError(StreamError):
    """Messages were deleted before they were read."""


class StateError(StreamError):
    """Stored state is of an unknown version or damaged."""
