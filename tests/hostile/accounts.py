"""What was sent, and what became of it by what is stored and told."""

import base64
import json
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from zlib import crc32

from servicelevel.application.refusal import Reason
from tests.e2e.system import System
from tests.e2e.topics import each, panes
from tests.hostile.corpus import NGINX, REQUESTS
from tests.hostile.reference import Read
from tests.hostile.stream import Sent

MAX_TOLD_BYTES = 512 * 1024
UNKNOWN, EVENT, DEAD = 0, 1, 2


class Accounts:
    """Of each record sent, by source and offset, what is known of it; small, as they are many."""

    def __init__(self) -> None:
        self.steady_good = self.steady = 0
        self.bytes = 0
        self._fates: dict[str, array[int]] = defaultdict(lambda: array("B"))
        self._checksums: dict[str, array[int]] = defaultdict(lambda: array("L"))

    def add(self, sent: Sent, source: str, offset: int, known: Read | bool | None) -> None:
        """A record sent to the next offset of its source, and what is known of its fate."""
        assert offset == len(self._fates[source]), "records out of order"
        value = sent.message.value or b""
        self._fates[source].append(UNKNOWN if known is None else EVENT if known else DEAD)
        self._checksums[source].append(crc32(value[:MAX_TOLD_BYTES]))
        self.bytes += len(value)
        self.steady += sent.steady is not None
        self.steady_good += sent.steady == 200

    def ends(self) -> dict[str, int]:
        """How many records each source has."""
        return {source: len(fates) for source, fates in self._fates.items()}

    def is_of(self, source: str, offset: int, value: bytes) -> bool:
        """Whether this is the beginning of what was sent there."""
        return self._checksums[source][offset] == crc32(value)

    def known(self, fate: int) -> Iterator[tuple[str, int]]:
        """The records of a known fate."""
        for source, fates in self._fates.items():
            yield from ((source, n) for n, known in enumerate(fates) if known == fate)


async def check(system: System, accounts: Accounts) -> dict[str, int]:
    """Every record is counted, late or dead, as is known of it; how many are what."""
    entries = await system.entries()
    tally = _tally(entries, accounts)
    dead = await _dead_letters(system, accounts)
    late, revisions = await _late(system)
    assert tally[1:] == (tally[0] - late - len(dead), late, len(dead))
    taken = sorted(set(accounts.known(DEAD)) - dead)
    assert not taken, f"what is no event was counted: {taken[:9]}"
    refused = sorted(dead.intersection(accounts.known(EVENT)))
    assert not refused, f"events were refused: {refused[:9]}"
    sums = _sums(entries)
    assert sums[accounts.steady] == accounts.steady_good, (sums, accounts.steady)
    assert tally[1] + revisions in sums, (sums, tally, revisions)
    return {
        "sent": sum(accounts.ends().values()),
        "mib": accounts.bytes >> 20,
        "read": tally[0],
        "counted": tally[1],
        "late": late,
        "dead": len(dead),
        "steady": accounts.steady,
    }


def _tally(entries: dict[tuple[int, str], Any], accounts: Accounts) -> tuple[int, ...]:
    """Read, counted, late, dead: the same in each partition of counts."""
    found = set()
    for (_, key), value in entries.items():
        if key != "p":
            continue
        sources = {s: raw for s, raw in value["sources"].items() if s.startswith(REQUESTS)}
        ends = {source: raw[2] for source, raw in sources.items() if raw[2]}
        assert ends == accounts.ends()
        for source, raw in sources.items():
            if source.startswith((f"{REQUESTS}/", f"{NGINX}/")):  # one event a record at most
                assert raw[5][0] == raw[2], source
        found.add(tuple(sum(raw[5][n] for raw in sources.values()) for n in range(4)))
    (tally,) = found
    return tally


async def _dead_letters(system: System, accounts: Accounts) -> set[tuple[str, int]]:
    """The places of all dead letters: each once, with a reason and what was there."""
    found = set()
    reasons = set(Reason)
    async for seen in each(system.broker, f"{system.prefix}dead-letter"):
        data = json.loads(seen.value or b"")["data"]
        place = f"{data['topic']}/{data['partition']}", data["offset"]
        assert place not in found, place
        assert data["reason"] in reasons
        assert accounts.is_of(*place, base64.b64decode(data["value_base64"] or "")), place
        found.add(place)
    return found


async def _late(system: System) -> tuple[int, int]:
    """How many events came late, and how many of them are counted all the same."""
    ids = set()
    revisions = 0
    async for seen in each(system.broker, f"{system.prefix}late"):
        event = json.loads(seen.value or b"")
        ids.add(event["id"])
        revisions += event["data"]["disposition"] == "revision"
    return len(ids), revisions


def _sums(entries: dict[tuple[int, str], Any]) -> dict[int, int]:
    """Total to good of each indicator."""
    good: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, int] = defaultdict(int)
    for indicator, _, ok, of in panes(entries):
        good[indicator] += ok
        total[indicator] += of
    return {of: good[indicator] for indicator, of in total.items()}
