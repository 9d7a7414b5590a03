"""How loud an alert is."""

from enum import StrEnum


class Severity(StrEnum):
    """From the quietest."""

    INFO = "info"
    TICKET = "ticket"
    PAGE = "page"

    @property
    def rank(self) -> int:
        """Larger is louder; starts at 1, so that 0 can mean «no alert»."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 1, Severity.TICKET: 2, Severity.PAGE: 3}
