"""The socket that HTTP is served on, and one application after another on it."""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from foundation.errors import OperatorError

# Open requests at the end get this long; none of ours takes more than a moment.
SHUTDOWN_TIMEOUT_S = 1.0
# Thousands may reconnect at once after a restart; the kernel keeps them until we accept.
BACKLOG = 4_096
# Longer than the idle time of usual proxies, so that it is they who close.
KEEPALIVE_TIMEOUT_S = 75.0


class CannotListen(OperatorError):
    """The address for HTTP cannot be used."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; taken before anything slow starts, so that a busy port is said at once.

    Raises `CannotListen`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(
            f"{host!r} is not an address to listen on; set SOFTCLOSE_HTTP_HOST"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_complaint(host, port, error)) from error
    listener.settimeout(0)
    return listener


def _complaint(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} on {host} is taken by another program; "
                "choose another with SOFTCLOSE_HTTP_PORT (0: any free one)"
            )
        case errno.EACCES:
            return f"port {port} needs privileges; choose one from 1024 on with SOFTCLOSE_HTTP_PORT"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine; set SOFTCLOSE_HTTP_HOST"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def address_of(listener: socket.socket) -> str:
    """Where clients find it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def answering(listener: socket.socket, app: web.Application) -> AsyncIterator[None]:
    """Have ``app`` answer on the socket for the block.

    The socket stays open behind it: who connects between two applications waits for the next.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEPALIVE_TIMEOUT_S,
        shutdown_timeout=SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener.dup(), backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
