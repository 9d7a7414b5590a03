"""Time zones from the IANA data that ships with the package, the same on every machine."""

from importlib.resources import files
from zoneinfo import ZoneInfo


def shipped_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; the machine's own data is never read. Raises OSError."""
    resource = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with resource.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)
