"""What comes in: request, incident and change events, one JSON object a record.

Fields not named here are ignored. Types are strict: `"200"` is no status code.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from servicelevel.domain.model import EventKind

if TYPE_CHECKING:
    # Whoever is handed an event gets it from `decode_batch`, which has settled the time.
    Time = int
    OptionalTime = int | None
else:
    # As it is written: epoch ms or RFC 3339 text. None: absent, an envelope may still fill it.
    Time = OptionalTime = int | float | str | None

AttributeValue = str | int | float | bool | None
Service = Annotated[str, Meta(min_length=1, max_length=256)]
StatusCode = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
DurationMs = Annotated[float, Meta(ge=0)]
IncidentState = Literal["opened", "acknowledged", "mitigated", "resolved", "reopened"]


class Event(Struct, gc=False, kw_only=True, repr_omit_defaults=True):
    """A request, and what all events have: `service` and `time` (epoch ms).

    `attributes` maps names to scalars. `gc=False` holds as an event refers to nothing that
    could refer back to it.
    """

    service: Service
    time: Time = None  # type: ignore[assignment]  # absent until `decode_batch` has checked it
    id: str | None = None
    operation: str | None = None
    status_code: StatusCode | None = None
    duration_ms: DurationMs | None = None
    attributes: dict[str, AttributeValue] | None = None


class IncidentEvent(Event, gc=False, kw_only=True):
    """A step in the life of the incident `incident_id`."""

    incident_id: Annotated[str, Meta(min_length=1)]
    state: IncidentState
    severity: str | None = None
    title: str | None = None


class ChangeEvent(Event, gc=False, kw_only=True):
    """A deployment, a change of configuration or a maintenance, until `ends_at` (epoch ms)."""

    kind: Annotated[str, Meta(min_length=1)]
    title: str | None = None
    ends_at: OptionalTime = None


EVENT_TYPES: dict[EventKind, type[Event]] = {
    "request": Event,
    "incident": IncidentEvent,
    "change": ChangeEvent,
}
