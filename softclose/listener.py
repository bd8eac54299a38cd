"""The socket that HTTP is served on, taken before anything slow starts."""

import errno
import socket

from foundation.errors import OperatorError
from foundation.http.backlog import BACKLOG


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
