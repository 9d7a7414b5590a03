"""The processor time of a process and its children, from /proc; and what else results depend on."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

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


def machine_cpu_s() -> tuple[float, float]:
    """Seconds that all processors were busy, and that a hypervisor took from them."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq) / _TICKS_PER_S, steal / _TICKS_PER_S


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


def versions() -> dict[str, str]:
    """Of what is measured, and of what it is made with."""
    names = ("servicelevel", "faust-streaming", "aiokafka", "msgspec", "orjson")
    found = {name: version(name) for name in names}
    revision = subprocess.run(
        ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {**found, "python": sys.version.split()[0], "revision": revision.stdout.strip()}
