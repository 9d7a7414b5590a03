"""`python -m tests.faust_sums.worker`: runs the evaluator until SIGTERM; settings by environment.

Exit code 75 asks for a new start, 0 is a clean stop.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from servicelevel.adapters.faust.app import build_app
from servicelevel.adapters.faust.run import run_evaluator
from servicelevel.domain.outputs import Output
from servicelevel.errors import ServiceLevelError
from servicelevel.schemas.counts import decode_counts
from servicelevel.settings_file import load_settings
from tests.faust_sums.evaluator import SumEvaluator


class Silence:
    """Takes outputs and drops them."""

    async def send_all(self, outputs: Sequence[Output]) -> None:
        """Drop them."""


@asynccontextmanager
async def silence() -> AsyncIterator[Silence]:
    """As a resource."""
    yield Silence()


async def main() -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    app = build_app(
        load_settings(os.environ),
        evaluators=lambda state, _: SumEvaluator(state),
        decode=decode_counts,
        outputs=silence(),
    )
    await run_evaluator(app, stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        asyncio.run(main())
    except ServiceLevelError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
