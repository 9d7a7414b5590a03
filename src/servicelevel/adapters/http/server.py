"""`/live`, `/ready` and `/metrics` of one worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from servicelevel.adapters.http.metrics import metrics_text
from servicelevel.application.ports import WallClock
from servicelevel.application.vitals import Vitals
from servicelevel.errors import DependencyError

CLOSE_S = 1.0
"""How long, twice, an answer may go on that is under way at the end: a reader who never takes it
would hold the worker up for two minutes."""


def vitals_app(vitals: Vitals, clock: WallClock) -> web.Application:
    """Answers from the vitals; changes nothing, and needs neither Kafka nor Redis."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_: web.Request) -> web.Response:
        parts = vitals.readiness
        is_ready = all(parts.values())
        return web.json_response(
            {"ready": is_ready, "parts": parts}, status=200 if is_ready else 503
        )

    async def metrics(_: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=metrics_text(vitals, clock), headers=headers)

    app = web.Application()
    app.add_routes([web.get("/live", live), web.get("/ready", ready), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until left; the port, which the system chooses where it is 0.

    Raises DependencyError where the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise DependencyError(
                f"cannot listen on {host}:{port} ({error}): choose another "
                "SERVICELEVEL_HTTP_HOST or SERVICELEVEL_HTTP_PORT"
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
