"""The WebSocket endpoint: the handshake, checked, and then a `Connection`.

Pages of other sites are refused before this by the HTTP kit. Who it is comes in the hello, by a
one-time ticket or a token, never in the address, where proxies and logs would see it.
"""

import secrets
import socket
from ipaddress import IPv6Address, IPv6Network
from typing import Final

import structlog
from aiohttp import web

from accounts.permissions import Access, Action
from bidder_gateway.connection import Connection
from bidder_gateway.encodings import ENCODINGS, Encoding
from bidder_gateway.gateway import Gateway
from bidder_gateway.link import SEND_BUFFER_BYTES, Link
from bidder_gateway.protocol import MAX_FRAME_BYTES
from foundation.http import connections
from foundation.http.client_address import Address, client_ip
from foundation.http.problems import (
    BAD_REQUEST,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    ProblemKind,
)
from foundation.http.routes import Route

PATH: Final = "/api/v1/live"
# A client that does not answer our close is cut off after this time.
CLOSE_TIMEOUT_S: Final = 1.0
COME_BACK_S: Final = "2"

UPGRADE_REQUIRED = ProblemKind("UPGRADE_REQUIRED", 426, "This address speaks WebSocket only")
NO_SUBPROTOCOL = ProblemKind("NO_SUBPROTOCOL", 400, "No known subprotocol was offered")

_logger = structlog.get_logger(__name__)


class LiveSocket(web.WebSocketResponse):
    """aiohttp's WebSocket, which writes nothing but the closing frame, and that after the link.

    It closes by itself too: when the client closes, or breaks the protocol.
    """

    link: Link | None = None

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """See aiohttp."""
        if self.link is not None:
            self.link.die()
        try:
            return await super().close(code=code, message=message, drain=drain)
        finally:  # cancelled or not: if even this was not read, the transport would wait for ever
            if self.link is not None and self.link.left:
                self.link.abort()


class LiveEndpoint:
    """Handles GET ``PATH``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def route(self) -> Route:
        """The row for the host's table."""
        return Route(
            "GET",
            PATH,
            self.handle,
            "Follow sales and bid live, see docs/protocol.md",
            access=Access(Action.WATCH_LIVE),
            described=False,
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Shake hands and run the connection."""
        encoding = self._check(request)
        address = _household(client_ip(request))
        if not self._gateway.by_address.enter(address):
            raise TOO_MANY_REQUESTS("There are too many connections from this address.")
        try:
            return await self._run(request, encoding, address)
        finally:
            self._gateway.by_address.leave(address)

    def _check(self, request: web.Request) -> Encoding:
        if request.query_string:
            detail = "The address takes no query; a ticket or token goes into the hello frame."
            raise BAD_REQUEST(detail)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise UPGRADE_REQUIRED(headers={"Upgrade": "websocket", "Connection": "Upgrade"})
        if self._gateway.stopping:
            raise UNAVAILABLE("The server restarts.", headers={"Retry-After": COME_BACK_S})
        for name in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
            if (encoding := ENCODINGS.get(name.strip())) is not None:
                return encoding
        raise NO_SUBPROTOCOL(f"Offer one of {', '.join(ENCODINGS)}.")

    async def _run(
        self, request: web.Request, encoding: Encoding, address: str
    ) -> web.StreamResponse:
        # Pings, pongs and goodbyes are ours: two writers would mix their bytes (`link`).
        response = LiveSocket(
            protocols=(encoding.name,),
            autoping=False,
            autoclose=True,
            compress=False,
            max_msg_size=MAX_FRAME_BYTES + 1,  # it refuses what has this size
            timeout=CLOSE_TIMEOUT_S,
        )
        await response.prepare(request)
        transport = request.transport
        if transport is None:  # the client went away during the handshake
            return response
        assert transport.get_extra_info("sslcontext") is None, "the link would write past TLS"
        fd = transport.get_extra_info("socket").fileno()
        _bound_buffer(fd)
        name = secrets.token_hex(8)
        gateway = self._gateway
        response.link = link = Link(name, encoding, fd, transport, gateway.hub.blocked)
        protocol = request.protocol
        assert isinstance(protocol, connections.Connection), "it tells when the line is lost"
        protocol.on_lost = link.die
        session = gateway.new_session(name, encoding, address)
        try:
            await gateway.serve(Connection(gateway, session, link, response))
        except Exception:  # a defect: an answer of HTTP has no place on this line any more
            _logger.exception("connection_failed", connection=name)
            link.abort()
        return response


def _household(address: Address | None) -> str:
    """What counts as one address: in IPv6 the /64 that a household is given."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address or "unknown")


def _bound_buffer(fd: int) -> None:
    """Have the kernel hold little of what a client does not read, and send at once."""
    borrowed = socket.socket(fileno=fd)
    try:
        # Linux doubles the figure, for its own bookkeeping.
        borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES // 2)
        borrowed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    finally:
        borrowed.detach()
