"""A picture of a result of `scripts/bench`: a bar for each path, events per CPU-second.

Run: scripts/bench chart RESULT.json PICTURE.svg
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, NAMES, BARS = 760, 250, 400
TOP, ROW, BAR = 44, 30, 18
OURS, OTHERS, TEXT = "#2f81f7", "#8b949e", "#6e7781"  # to be read on white and on black
FONT = "font-family='ui-sans-serif,system-ui,sans-serif'"


def main(result: Path, picture: Path) -> None:
    """Draw."""
    picture.write_text(svg(json.loads(result.read_text())), encoding="utf-8")


def svg(report: Mapping[str, Any]) -> str:
    """The picture of a report, as `benchmarks.run` writes it."""
    rows = report["results"]
    height = TOP + ROW * len(rows) + 8
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' "
            f"width='{WIDTH}' height='{height}' role='img' {FONT} font-size='13'>",
            f"<title>Events per CPU-second, {report['events']:,} events on Apache Kafka</title>",
            f"<text x='0' y='20' fill='{TEXT}' font-size='15'>Events per CPU-second of the "
            f"counting process, {report['events']:,} events on Apache Kafka</text>",
            *_bars(rows),
            "</svg>\n",
        ]
    )


def _bars(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    most = max(row["per_cpu_s"] for row in rows)
    for number, row in enumerate(rows):
        top = TOP + ROW * number
        length = max(1.0, BARS * row["per_cpu_s"] / most)
        colour = OURS if row["path"].startswith("servicelevel") else OTHERS
        base = top + BAR - 4
        yield f"<text x='0' y='{base}' fill='{TEXT}'>{escape(row['path'])}</text>"
        yield (
            f"<rect x='{NAMES}' y='{top}' width='{length:.1f}' height='{BAR}' rx='2' "
            f"fill='{colour}'/>"
        )
        yield (
            f"<text x='{NAMES + length + 8:.1f}' y='{base}' fill='{TEXT}'>"
            f"{row['per_cpu_s']:,}</text>"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
