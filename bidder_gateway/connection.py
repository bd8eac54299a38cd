"""The shell around one `Session`: aiohttp's WebSocket in, the link out.

``run`` reads messages and does what the session says, one after the other; only bids are judged
beside it, so that a slow verdict holds up neither pings nor other bids. They leave for the engine
in the order in which they came.
"""

import random
import time
from collections.abc import Coroutine
from typing import Any, Protocol, assert_never

from aiohttp import WSMsgType, web

from bidder_gateway.bidding import Bidding
from bidder_gateway.following import Following
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from bidder_gateway.ports import Authenticator
from bidder_gateway.protocol import (
    CloseCode,
    Error,
    ErrorCode,
    Goodbye,
    ServerFrame,
    Subscribe,
    Unsubscribe,
    Unsubscribed,
)
from bidder_gateway.session import (
    Action,
    Authenticate,
    End,
    Follow,
    Send,
    Session,
    Submit,
    Unfollow,
)

# A crowd that was sent away comes back spread over this time, not all at once.
COME_BACK_MS = (500, 5_000)


class Rooms(Protocol):
    """What a connection works with."""

    hub: Hub
    following: Following
    bidding: Bidding
    authenticator: Authenticator
    max_subscriptions: int

    def now_us(self) -> int: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...
    def admit(self, connection: "Connection") -> bool: ...


class Connection:
    """One client, from the handshake to the end."""

    def __init__(
        self, rooms: Rooms, session: Session, link: Link, socket: web.WebSocketResponse
    ) -> None:
        self.session, self.link = session, link
        self.ended: CloseCode | None = None
        self._rooms, self._socket = rooms, socket

    async def run(self) -> None:
        """Until the client goes or is sent away."""
        while self.ended is None:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                await self._do(self.session.receive(message.data, time.monotonic()))
            elif message.type is WSMsgType.PONG:
                self.link.ponged = True
            elif message.type is WSMsgType.PING:
                self.link.pong(message.data)
            else:  # closed by the client, cut off, or an error that aiohttp has answered
                return

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self._send(action.frame)
                case Submit():
                    self._rooms.spawn(self._bid(action))
                case Authenticate():
                    await self._authenticate(action)
                case Follow():
                    await self._follow(action.subscribe)
                case Unfollow():
                    self._unfollow(action.unsubscribe)
                case End():
                    await self.end(action.code, action.message)
                case _:
                    assert_never(action)

    async def _authenticate(self, action: Authenticate) -> None:
        hello, rooms = action.hello, self._rooms
        participant = None
        if hello.ticket is not None:
            participant = await rooms.authenticator.redeem(hello.ticket)
        elif hello.token is not None:
            participant = await rooms.authenticator.bearer(hello.token)
        if participant is None and (hello.ticket is not None or hello.token is not None):
            await self._do(self.session.not_welcome())
            return
        welcome = self.session.welcome(participant, rooms.now_us())
        if not rooms.admit(self):
            await self.end(CloseCode.TOO_MANY, "this account has too many connections")
            return
        if participant is None:
            rooms.hub.enter(self.link, None)
        else:
            rooms.hub.enter(self.link, participant.bidder_id, participant.person_id)
        await self._do(welcome)

    async def _follow(self, subscribe: Subscribe) -> None:
        followed = self._rooms.hub.followed(self.link)
        most = self._rooms.max_subscriptions
        if subscribe.sale_id not in followed and len(followed) >= most:
            message = f"at most {most} sales can be followed at once"
            request = subscribe.request
            self._send(Error(request=request, code=ErrorCode.TOO_MANY, message=message))
            return
        await self._rooms.following.subscribe(self.link, self.session.participant, subscribe)

    def _unfollow(self, unsubscribe: Unsubscribe) -> None:
        self._rooms.hub.unfollow(self.link, unsubscribe.sale_id)
        self._send(Unsubscribed(request=unsubscribe.request, sale_id=unsubscribe.sale_id))

    async def _bid(self, action: Submit) -> None:
        verdict = await self._rooms.bidding.verdict(action.bid, action.participant)
        self.session.bid_done()
        self._send(verdict)

    def _send(self, frame: ServerFrame) -> None:
        self.link.write(self.link.encoding.frame(frame))

    async def end(self, code: CloseCode, message: str) -> None:
        """Say goodbye and close; once."""
        if self.ended is not None:
            return
        self.ended = code
        goodbye = Goodbye(
            code=code,
            message=message,
            resume_after_ms=random.randint(*COME_BACK_MS),  # noqa: S311 - spreads, hides nothing
            resume=self._rooms.hub.followed(self.link),
        )
        self._send(goodbye)
        if not self.link.clear:
            self.link.abort()
            return
        self.link.die()  # the closing handshake is the library's, and nothing follows it
        await self._socket.close(code=code, message=message.encode()[:120])
