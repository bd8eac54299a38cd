"""Connections: an application on a listening socket, and what is no HTTP at all.

The parser refuses what two readers could take differently: a line that ends without CR, two
lengths, a length and chunks, two Hosts, folded headers, control characters; and heads beyond
8 KiB a line. Such a request reaches no room. It is answered with the same few bytes whatever
was wrong, without repeating what came, and told in one line of the log: a scanner must not be
able to fill the disk with tracebacks.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from foundation.http.backlog import BACKLOG
from foundation.http.problems import BAD_REQUEST, INTERNAL, MEDIA_TYPE

# Open requests at the end get this long; none of ours takes more than a moment.
SHUTDOWN_TIMEOUT_S: Final = 1.0
# Longer than the idle time of usual proxies, so that it is they who close. It is also how long
# the head of a request may take.
KEEPALIVE_TIMEOUT_S: Final = 75.0
# Bytes of a line of the head. Ours are a few hundred at most.
MAX_LINE: Final = 8_190

_logger = structlog.get_logger("softclose.http")


class Connection(web.RequestHandler):
    """One connection; differs from aiohttp's in how it answers what is no request.

    ``on_lost`` is called when the connection is lost, before its descriptor is closed.
    """

    __slots__ = ("on_lost",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.on_lost: Callable[[], None] | None = None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio."""
        if self.on_lost is not None:
            self.on_lost()
            self.on_lost = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused, or (a defect) what got past all layers; then close."""
        if isinstance(exc, HttpProcessingError):
            # Only what is wrong: behind the colon stands what came, perhaps somebody's secret.
            reason = (message or "").partition(":")[0][:80]
            _logger.info("request_malformed", reason=reason, address=request.remote)
        else:
            _logger.error("request_lost", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        problem = INTERNAL() if status >= 500 else BAD_REQUEST()
        answer = web.Response(
            body=problem.body(),
            status=problem.kind.status,
            headers={
                "Content-Type": MEDIA_TYPE,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Server": "softclose",
            },
        )
        answer.force_close()
        return answer


@asynccontextmanager
async def answering(listener: socket.socket, app: web.Application) -> AsyncIterator[None]:
    """Have ``app`` answer on the socket for the block.

    The socket stays open behind it: who connects between two applications waits for the next.
    """
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    manager = runner.server
    assert manager is not None
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        return Connection(
            manager,
            loop=loop,
            keepalive_timeout=KEEPALIVE_TIMEOUT_S,
            access_log=None,  # type: ignore[arg-type]  # ours is in request_id.py
            # A packed body could unpack to anything; it is refused by its header instead.
            auto_decompress=False,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
        )

    server = await loop.create_server(connection, sock=listener.dup(), backlog=BACKLOG)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()
