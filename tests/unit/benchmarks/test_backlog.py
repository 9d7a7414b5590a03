"""What the benchmark of a backlog says of memory is what /proc says."""

import os
from pathlib import Path

from benchmarks.backlog import fits, table
from benchmarks.memory import Memory, MemoryMeter
from benchmarks.result import Result

SESSION = 77


def process(proc: Path, pid: int, *, session: int, resident_kib: int, peak_kib: int) -> None:
    """As the kernel shows it; the command's name may hold anything."""
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    (folder / "stat").write_text(f"{pid} (a ) b) S 1 {session} {session} 0 -1 0")
    (folder / "cmdline").write_bytes(b"servicelevel\0run\0")
    (folder / "status").write_text(
        f"Name:\ta ) b\nVmHWM:\t{peak_kib:8} kB\nVmRSS:\t{resident_kib:8} kB\nThreads:\t1\n"
    )


def test_the_peak_of_each_process_of_the_session_is_kept(tmp_path: Path) -> None:
    process(tmp_path, 77, session=SESSION, resident_kib=1024, peak_kib=4096)
    process(tmp_path, 78, session=SESSION, resident_kib=2048, peak_kib=2048)
    process(tmp_path, 79, session=1, resident_kib=9999, peak_kib=9999)
    meter = MemoryMeter(tmp_path)
    meter.look(SESSION)
    (tmp_path / "78/status").unlink()  # it ended
    process(tmp_path, 77, session=SESSION, resident_kib=512, peak_kib=5120)
    meter.look(SESSION)
    assert meter.found == {
        77: Memory("servicelevel run", 0.5, 5.0),
        78: Memory("servicelevel run", 2.0, 2.0),
    }


def test_this_process_is_seen() -> None:
    meter = MemoryMeter()
    meter.look(os.getsid(0))
    own = meter.found[os.getpid()]
    assert 0 < own.resident_mib <= own.peak_mib


def test_one_process_that_is_too_large_is_a_failure() -> None:
    small, large = Memory("a", 100, 200), Memory("b", 100, 600)
    assert fits([small], 512)
    assert not fits([small, large], 512)
    assert not fits([], 512)  # nothing was seen


def test_the_table_has_every_process() -> None:
    result = Result("servicelevel run", 900, 2.0, 1.5, exact=True)
    text = table(1_000, result, [Memory("a", 100, 200.4), Memory("b", 1, 50)])
    assert text.splitlines()[2] == "| servicelevel run | 1,000 | 450 | 600 | 200, 50 | yes |"
