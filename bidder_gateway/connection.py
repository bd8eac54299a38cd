"""The shell around one `Session`: aiohttp's WebSocket in, the link out.

``run`` reads messages and does what the session says, one after the other. What may take long is
done beside it, so that reading goes on and pongs are seen: bids, which leave for the engine in the
order in which they came; and subscriptions, one after the other, since each may have to wait until
the client has read the one before.

Whoever ends the connection, it is ``run`` that shuts it: ``end`` only says goodbye and wakes it.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, Final, Protocol, assert_never

import structlog
from aiohttp import WSMessage, WSMsgType

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
    Pong,
    Send,
    Session,
    Submit,
    Unfollow,
)

# A crowd that was sent away comes back spread over this time, not all at once.
COME_BACK_MS: Final = (500, 5_000)
# What a client asks to follow while it has not read what it asked for before.
MAX_ASKED: Final = 64

_logger = structlog.get_logger(__name__)


class Rooms(Protocol):
    """What a connection works with."""

    hub: Hub
    following: Following
    bidding: Bidding
    authenticator: Authenticator
    max_subscriptions: int

    def now_us(self) -> int: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]": ...
    def admit(self, connection: "Connection") -> bool: ...


class Socket(Protocol):
    """What a connection needs of aiohttp's WebSocket; ``live`` says what is different in ours."""

    async def receive(self) -> WSMessage: ...
    async def close(self, *, code: int, message: bytes) -> bool: ...


class Connection:
    """One client, from the handshake to the end. ``ended``: how, once somebody has ended it."""

    def __init__(self, rooms: Rooms, session: Session, link: Link, socket: Socket) -> None:
        self.session, self.link = session, link
        self.ended: CloseCode | None = None
        self._farewell = ""
        self._rooms, self._socket = rooms, socket
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.Task[Any] | None = None  # the task that waits for a message now
        self._asked: list[Subscribe | Unsubscribe] = []  # few: a deque would be a kilobyte
        self._granting: asyncio.Task[None] | None = None
        self._turn: asyncio.Lock | None = None  # of its bids; few connections ever bid

    async def run(self) -> None:
        """Until the client goes or is sent away."""
        try:
            while self.ended is None:
                message = await self._receive()
                if message is None or not await self._take(message):
                    break
        finally:
            if self._granting is not None:
                self._granting.cancel()
        if self.ended is not None and not self.link.aborted:
            self.link.die()  # the closing handshake is the library's, and nothing follows it
            await self._socket.close(code=self.ended, message=self._farewell.encode()[:120])

    async def _receive(self) -> WSMessage | None:
        """The next message; ``None``: somebody else has ended the connection meanwhile."""
        self._reading = task = asyncio.current_task()
        assert task is not None
        try:
            return await self._socket.receive()
        except asyncio.CancelledError:
            if self.ended is None or task.uncancel():
                raise  # not by ``end``
            return None
        finally:
            self._reading = None

    async def _take(self, message: WSMessage) -> bool:
        """Do what a message asks for; whether the connection goes on."""
        now_s = self._loop.time()
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            await self._do(self.session.receive(message.data, now_s))
        elif message.type is WSMsgType.PING:
            await self._do(self.session.ping(message.data, now_s))
        elif message.type is not WSMsgType.PONG:
            return False  # closed by the client, cut off, or an error that aiohttp has answered
        elif self.link.ponged:
            await self._do(self.session.stray_pong(now_s))
        else:
            self.link.ponged = True
        return True

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self._send(action.frame)
                case Submit():
                    self._turn = self._turn or asyncio.Lock()
                    self._rooms.spawn(self._bid(action, self._turn))
                case Pong():
                    self.link.pong(action.data)
                case Authenticate():
                    await self._authenticate(action)
                case Follow():
                    self._ask(action.subscribe)
                case Unfollow():
                    self._ask(action.unsubscribe)
                case End():
                    self.end(action.code, action.message)
                case _:
                    assert_never(action)

    async def _authenticate(self, action: Authenticate) -> None:
        hello, rooms = action.hello, self._rooms
        participant = None
        try:
            if hello.ticket is not None:
                participant = await rooms.authenticator.redeem(hello.ticket)
            elif hello.token is not None:
                participant = await rooms.authenticator.bearer(hello.token)
        except Exception:  # the database does not answer: the client comes back, and the log tells
            _logger.warning("login_not_looked_up", exc_info=True)
            self.end(CloseCode.TRY_LATER, "logins cannot be looked up now")
            return
        if self.ended is not None:
            return
        if participant is None and (hello.ticket is not None or hello.token is not None):
            await self._do(self.session.not_welcome())
            return
        welcome = self.session.welcome(participant, rooms.now_us())
        if not rooms.admit(self):
            self.end(CloseCode.TOO_MANY, "this account has too many connections")
            return
        if participant is None:
            rooms.hub.enter(self.link, None)
        else:
            rooms.hub.enter(
                self.link, participant.bidder_id, participant.person_id, participant.sees_as
            )
        await self._do(welcome)

    def _ask(self, frame: Subscribe | Unsubscribe) -> None:
        if len(self._asked) >= MAX_ASKED:
            self._refuse(frame.request, "read what you have asked for first")
            return
        self._asked.append(frame)
        if self._granting is None or self._granting.done():
            self._granting = self._rooms.spawn(self._grant())

    async def _grant(self) -> None:
        """Do what was asked about sales, in its order."""
        try:
            while self._asked:
                frame = self._asked[0]
                if isinstance(frame, Subscribe):
                    await self._follow(frame)
                else:
                    self._unfollow(frame)
                del self._asked[0]
        except Exception:  # a defect: the client comes back and asks again, the log tells us
            _logger.exception("subscription_failed")
            self.link.abort()

    async def _follow(self, subscribe: Subscribe) -> None:
        followed = self._rooms.hub.followed(self.link)
        most = self._rooms.max_subscriptions
        if subscribe.sale_id not in followed and len(followed) >= most:
            self._refuse(subscribe.request, f"at most {most} sales can be followed at once")
            return
        await self._rooms.following.subscribe(self.link, subscribe)

    def _unfollow(self, unsubscribe: Unsubscribe) -> None:
        self._rooms.hub.unfollow(self.link, unsubscribe.sale_id)
        self._send(Unsubscribed(request=unsubscribe.request, sale_id=unsubscribe.sale_id))

    def _refuse(self, request: int, message: str) -> None:
        self._send(Error(request=request, code=ErrorCode.TOO_MANY, message=message))

    async def _bid(self, action: Submit, turn: asyncio.Lock) -> None:
        verdict = await self._rooms.bidding.verdict(action.bid, action.participant, turn)
        self.session.bid_done()
        self._send(verdict)

    def _send(self, frame: ServerFrame) -> None:
        self.link.write(self.link.encoding.frame(frame))

    def end(self, code: CloseCode, message: str) -> None:
        """Say goodbye, and have ``run`` close; only the first time."""
        if self.ended is not None:
            return
        self.ended, self._farewell = code, message
        goodbye = Goodbye(
            code=code,
            message=message,
            resume_after_ms=random.randint(*COME_BACK_MS),  # noqa: S311 - spreads, hides nothing
            resume=self._rooms.hub.followed(self.link),
        )
        self._send(goodbye)
        if self.link.clear:
            self.link.die()
        else:
            self.link.abort()  # who does not read would not see the rest
        if self._reading is not None:
            self._reading.cancel()
