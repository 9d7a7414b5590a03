"""Runs the demo and keeps one of its pictures: `picture.py FILE [AT_SECONDS]`."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType

from servicelevel.entrypoints.demo.board import Board, Happening
from servicelevel.entrypoints.demo.run import run_demo
from servicelevel.entrypoints.demo.screen import Screen
from servicelevel.entrypoints.demo.view import render

AT_S = 28.0  # checkout is breached, search is paged, both are about to be mended
WIDTH = 128
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # no picture loads from elsewhere


class Camera:
    """A screen that keeps the first picture that is drawn at `at_s` or later."""

    def __init__(self, board: Board, at_s: float) -> None:
        self._board = board
        self._at_s = at_s
        self.picture: RenderableType | None = None

    def tell(self, happening: Happening) -> None:
        """Also on standard error, to follow it."""
        print(f"{happening.at_s:6.1f} s  {happening.text}", file=sys.stderr)

    def refresh(self, elapsed_s: float) -> None:
        """Take the picture when its time has come."""
        if self.picture is None and elapsed_s >= self._at_s:
            self.picture = render(self._board, elapsed_s)


def main(path: Path, at_s: float) -> int:
    """Write the picture; the exit code is the demo's."""
    cameras: list[Camera] = []

    @contextmanager
    def screens(board: Board, _out: TextIO) -> Iterator[Screen]:
        cameras.append(Camera(board, at_s))
        yield cameras[0]

    code = run_demo(at_s + 1, None, None, out=sys.stderr, screens=screens)
    console = Console(record=True, file=io.StringIO(), width=WIDTH)
    console.print(cameras[0].picture)
    svg = console.export_svg(title="servicelevel demo")
    path.write_text(_FONT_FACE.sub("", svg), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else AT_S))
