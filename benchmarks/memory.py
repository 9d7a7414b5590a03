"""The resident memory of each process of a session, from /proc."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MiB: its resident set when it was looked at last, and at the most."""

    command: str
    resident_mib: float
    peak_mib: float


class MemoryMeter:
    """`found` is what was seen last of each process, by process id.

    The peak is the kernel's own high-water mark, so nothing between two looks is missed.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self.found: dict[int, Memory] = {}

    async def run(self, session: int) -> None:
        """Look at all processes of a session now and then, until cancelled."""
        while True:
            self.look(session)
            await asyncio.sleep(INTERVAL_S)

    def look(self, session: int) -> None:
        """Look once. What ended stays in `found` as it was seen last."""
        for folder in self._proc.glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
                status = (folder / "status").read_text()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            if int(stat.rpartition(")")[2].split()[3]) == session:
                self._note(int(folder.name), command, _kib(status))

    def _note(self, pid: int, command: bytes, kib: dict[str, int]) -> None:
        if "VmHWM" not in kib:
            return  # a process that ended and was not waited for yet
        words = command.decode(errors="replace").rstrip("\0").split("\0")
        seen = Memory(" ".join(words), kib["VmRSS"] / 1024, kib["VmHWM"] / 1024)
        before = self.found.get(pid, seen)
        self.found[pid] = replace(seen, peak_mib=max(seen.peak_mib, before.peak_mib))


def _kib(status: str) -> dict[str, int]:
    lines = (line.partition(":") for line in status.splitlines())
    return {name: int(value.split()[0]) for name, _, value in lines if value.endswith(" kB")}
