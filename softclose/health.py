"""Health over HTTP, for whoever starts, watches and balances the processes.

``/healthz``: the process is alive. ``/readyz``: bids are taken, or 503 with the reasons.
"""

from collections.abc import Callable

from aiohttp import web

_NEVER_STORED = {"Cache-Control": "no-store"}


def add_health(app: web.Application, reasons_not_ready: Callable[[], list[str]]) -> None:
    """Answer questions about health in this application."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True}, headers=_NEVER_STORED)

    async def readyz(_request: web.Request) -> web.Response:
        reasons = reasons_not_ready()
        answer = {"ready": not reasons, "reasons": reasons}
        return web.json_response(answer, status=503 if reasons else 200, headers=_NEVER_STORED)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
