"""The WebSocket endpoint: the handshake, checked, and then a `Connection`.

Nothing is let in that a browser of another site could have sent: an Origin, if there is one, is
ours. Who it is comes in the hello, by a one-time ticket or a token, never in the address, where
proxies and logs would see it.
"""

import secrets
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from bidder_gateway.connection import Connection
from bidder_gateway.encodings import ENCODINGS, Encoding
from bidder_gateway.gateway import Gateway, new_session
from bidder_gateway.link import SEND_BUFFER_BYTES, Link
from bidder_gateway.protocol import MAX_FRAME_BYTES

PATH: Final = "/api/v1/live"
# A client that does not answer our close is cut off after this time.
CLOSE_TIMEOUT_S: Final = 1.0


class LiveEndpoint:
    """Handles GET ``PATH``. ``refuse(status, code, detail)`` makes the answer of a refusal."""

    def __init__(
        self,
        gateway: Gateway,
        is_ours: Callable[[web.Request, str], bool],
        address_of: Callable[[web.Request], str],
        refuse: Callable[[int, str, str], Exception],
    ) -> None:
        self._gateway = gateway
        self._is_ours, self._address_of, self._refuse = is_ours, address_of, refuse

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Shake hands and run the connection."""
        encoding = self._check(request)
        address = self._address_of(request)
        if not self._gateway.by_address.enter(address):
            raise self._refuse(429, "TOO_MANY", "too many connections from this address")
        try:
            return await self._run(request, encoding)
        finally:
            self._gateway.by_address.leave(address)

    def _check(self, request: web.Request) -> Encoding:
        if request.query_string:
            detail = "the address takes no query; a ticket or token goes into the hello frame"
            raise self._refuse(400, "INVALID", detail)
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_ours(request, origin):
            raise self._refuse(403, "FOREIGN_ORIGIN", "pages of other sites may not connect")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise self._refuse(426, "UPGRADE_REQUIRED", "this address speaks WebSocket only")
        if self._gateway.stopping:
            raise self._refuse(503, "UNAVAILABLE", "the server restarts; try again in a moment")
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        for name in offered:
            if (encoding := ENCODINGS.get(name.strip())) is not None:
                return encoding
        detail = f"offer one of these subprotocols: {', '.join(ENCODINGS)}"
        raise self._refuse(400, "NO_SUBPROTOCOL", detail)

    async def _run(self, request: web.Request, encoding: Encoding) -> web.StreamResponse:
        # Pings, pongs and goodbyes are ours: two writers would mix their bytes (`link`).
        response = web.WebSocketResponse(
            protocols=(encoding.name,),
            autoping=False,
            autoclose=True,
            compress=False,
            max_msg_size=MAX_FRAME_BYTES,
            timeout=CLOSE_TIMEOUT_S,
        )
        await response.prepare(request)
        transport = request.transport
        assert transport is not None, "a connection that has just been upgraded"
        fd = transport.get_extra_info("socket").fileno()
        _bound_buffer(fd)
        name = secrets.token_hex(8)
        gateway = self._gateway
        link = Link(name, encoding, fd, transport, gateway.hub.blocked)
        session = new_session(gateway, name, encoding)
        await gateway.serve(Connection(gateway, session, link, response))
        return response


def _bound_buffer(fd: int) -> None:
    """Have the kernel hold little of what a client does not read."""
    borrowed = socket.socket(fileno=fd)
    try:
        # Linux doubles the figure, for its own bookkeeping.
        borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES // 2)
        borrowed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    finally:
        borrowed.detach()
