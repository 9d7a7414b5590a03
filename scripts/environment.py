"""Makes a virtual environment hold one of the locks. Standard library only.

`demo` and `dev` go into `.venv`, with this package; `bench` and `tools` into one each of their
own, without it. A stamp by lock says what was installed last; a file lock lets one process
install at a time.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = {
    "demo": ROOT / ".venv",
    "dev": ROOT / ".venv",
    "bench": ROOT / ".cache" / "venv-bench",
    "tools": ROOT / ".cache" / "venv-tools",
}


def main(name: str) -> None:
    """Install what `deploy/requirements/NAME.txt` says, unless it is there."""
    lock = ROOT / "deploy" / "requirements" / f"{name}.txt"
    place = PLACES[name]
    stamp = place / f".installed-{name}"
    wanted = fingerprint(lock, place)
    if is_installed(stamp, wanted):
        return
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "environment.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not is_installed(stamp, wanted):  # another process may just have done it
            install(lock, place)
            stamp.write_text(wanted)


def fingerprint(lock: Path, place: Path) -> str:
    """Changes when the lock, the Python, the place or the metadata of a package in it does."""
    digest = hashlib.sha256(f"{place}\n{sys.version_info[:2]}\n".encode())
    digest.update(lock.read_bytes())
    if place == PLACES["dev"]:
        digest.update((ROOT / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def is_installed(stamp: Path, wanted: str) -> bool:
    return (
        stamp.is_file()
        and stamp.read_text() == wanted
        and (stamp.parent / "bin" / "python").exists()
    )


def install(lock: Path, place: Path) -> None:
    """Create the environment if there is none for this place and Python, and fill it."""
    started = time.monotonic()
    inside = place.relative_to(ROOT)
    print(f"servicelevel: installing {lock.name} into {inside}", file=sys.stderr, flush=True)
    if not usable(place):
        shutil.rmtree(place, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(place))
    pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps")
    run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock))
    if place == PLACES["dev"]:
        run(*pip, "--no-build-isolation", "--editable", str(ROOT))
    print(f"servicelevel: done in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def usable(place: Path) -> bool:
    """Whether the environment was made here by a Python of this version."""
    version = f"version = {sys.version_info[0]}.{sys.version_info[1]}."
    pip = place / "bin" / "pip"
    return (
        (place / "bin" / "python").exists()
        and pip.is_file()
        and pip.read_text(errors="replace").startswith(f"#!{place}/")
        and version in (place / "pyvenv.cfg").read_text()
    )


def run(*argv: str) -> None:
    """Run a step; a failure ends with exit 3 and what to do."""
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        step = " ".join(argv[1:4])
        print(
            f"servicelevel: `{step} …` failed. Needed are Python's venv module (Debian: "
            "apt-get install python3-venv) and pip's package index.",
            file=sys.stderr,
        )
        sys.exit(3)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PLACES:
        sys.exit(f"usage: scripts/environment {'|'.join(PLACES)}")
    main(sys.argv[1])
