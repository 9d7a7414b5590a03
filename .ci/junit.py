"""`junit.py REPORT LEAST`: fails unless at least LEAST tests ran and none failed or was skipped."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(report: Path, least: int) -> None:
    """Adds up the suites of a JUnit report and prints the counts."""
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in ElementTree.fromstring(report.read_bytes()).iter("testsuite"):  # noqa: S314 -- ours
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    print(f"{report}: {counts}")
    ran = counts["tests"] - counts["skipped"]
    if ran < least:
        sys.exit(f"{report}: {ran} tests ran, at least {least} are expected")
    if counts["failures"] or counts["errors"] or counts["skipped"]:
        sys.exit(f"{report}: failures, errors or skipped tests, where there must be none")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
