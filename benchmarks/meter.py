"""The processor time of a process and its children, from /proc."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def session_cpu_s(session: int) -> float:
    """User and system seconds of all that live in a session, and of their children that ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS_PER_S


def machine() -> dict[str, str | int]:
    """What a result depends on besides the program."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        os.uname().machine,
    )
    kernel = f"{os.uname().sysname} {os.uname().release}"
    return {"cpu": model, "cores": os.cpu_count() or 0, "kernel": kernel}
