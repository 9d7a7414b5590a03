"""An alert as it is kept in the state: what is in force, and what may not be told yet."""

from dataclasses import dataclass, field

from servicelevel.domain.alerts import Alert
from servicelevel.domain.holding import Holding
from servicelevel.domain.outputs import StatusRemoved, Transition

Told = Transition | StatusRemoved


@dataclass(slots=True)
class Kept:
    """An alert with the counts offset it was last stored at, and what may not be told yet.

    `parts` is how many further entries have the rest of that. `last` is the transition that was
    decided last while the alert is open, or told early: it has the digest of the definition that
    decided it. `holdings` are the rules, by name, that do not just hold as their conditions do.
    `service` is that of the status which was told with the alert, None where none is in force.
    """

    alert: Alert
    offset: int = -1
    parts: int = 0
    pending: list[tuple[int, Told]] = field(default_factory=list)
    last: Transition | None = None
    holdings: dict[str, Holding] = field(default_factory=dict)
    service: str | None = None
    changed: bool = False

    def tell(self, offset: int, told: Told) -> None:
        """Note what was decided by the message at `offset`."""
        self.changed = True
        self.pending.append((offset, told))
        if isinstance(told, Transition):
            is_open = self.alert.current is not None or self.alert.early is not None
            self.last = told if is_open else None
