"""One client's conversation, without I/O: messages go in, and what is to be done comes out.

The order of the conversation, the shape of frames and the limits of rate are decided here, and
nowhere else. ``receive`` looks at one message; what it returns is done in order by the shell
(``connection``), which hands back what came of it: ``welcome`` after a hello, ``bid_done`` after a
bid.

Before a bid leaves here its frame is in shape and within the limits; who bids is taken from the
login, never from the frame.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import assert_never

from msgspec import Struct

from bidder_gateway.encodings import BadFrame, Encoding
from bidder_gateway.limits import Bucket, Limits, Shares
from bidder_gateway.ports import Participant
from bidder_gateway.protocol import (
    AnyClientFrame,
    Bid,
    CloseCode,
    Error,
    ErrorCode,
    Hello,
    ServerFrame,
    Subscribe,
    Time,
    TimeSample,
    Unsubscribe,
    Viewer,
    Welcome,
)

# A client says hello within this time, or is closed.
HELLO_WITHIN_S = 5.0
# It is told at most so often that it is too fast: an answer a frame would double the flood.
TELL_EVERY_S = 1.0


class Send(Struct, frozen=True):
    """Send a frame."""

    frame: ServerFrame


class Pong(Struct, frozen=True):
    """Answer a ping."""

    data: bytes


class Authenticate(Struct, frozen=True):
    """Find out who this is, and call ``welcome``."""

    hello: Hello


class Follow(Struct, frozen=True):
    """Send a sale's events."""

    subscribe: Subscribe


class Unfollow(Struct, frozen=True):
    """Send them no more."""

    unsubscribe: Unsubscribe


class Submit(Struct, frozen=True):
    """Have a bid judged, send the verdict, and call ``bid_done``."""

    bid: Bid
    participant: Participant


class End(Struct, frozen=True):
    """Say goodbye and close."""

    code: CloseCode
    message: str


Action = Send | Pong | Authenticate | Follow | Unfollow | Submit | End


class _State(Enum):
    EXPECTS_HELLO = auto()
    AUTHENTICATING = auto()
    OPEN = auto()
    ENDED = auto()


class Session:
    """The conversation with one client, from its first message to its last."""

    def __init__(
        self,
        name: str,
        encoding: Encoding,
        limits: Limits,
        shares: Shares,
        address: str,
        now_us: Callable[[], int],
        now_s: float,
    ) -> None:
        self.participant: Participant | None = None
        self.client = ""  # what the client calls itself
        self.bids_waiting = 0
        self._name, self._encoding, self._limits = name, encoding, limits
        self._shares, self._address, self._now_us = shares, address, now_us
        self._state = _State.EXPECTS_HELLO
        self._bucket = Bucket(limits.frames, now_s)
        self._subscribes = Bucket(limits.subscribes, now_s)
        self._patience = Bucket(limits.patience, now_s)
        self._told_at_s = -TELL_EVERY_S
        self._hello_by_s = now_s + HELLO_WITHIN_S

    @property
    def is_open(self) -> bool:
        """Whether hello has been answered, and no end was decided."""
        return self._state is _State.OPEN

    def receive(self, data: str | bytes, now_s: float) -> list[Action]:
        """Take in a message."""
        if self._state is _State.ENDED:
            return []
        if isinstance(data, str) is not self._encoding.text:
            expected = "text" if self._encoding.text else "binary"
            return self._end(CloseCode.WRONG_KIND, f"{self._encoding.name} is {expected}")
        if not self._may_go_on(now_s):
            return self._too_fast(now_s)
        try:
            frame = self._encoding.read(data)
        except BadFrame as fault:
            return self._error(fault.request, ErrorCode.INVALID, str(fault))
        return self._take(frame, now_s)

    def ping(self, data: bytes, now_s: float) -> list[Action]:
        """Take in a ping, which costs what a frame costs."""
        return self._control([Pong(data)], now_s)

    def stray_pong(self, now_s: float) -> list[Action]:
        """Take in a pong that nobody asked for. It means nothing, but many of them are a flood."""
        return self._control([], now_s)

    def _control(self, answer: list[Action], now_s: float) -> list[Action]:
        if self._state is _State.ENDED:
            return []
        return answer if self._may_go_on(now_s) else self._too_fast(now_s)

    def welcome(self, participant: Participant | None, now_us: int) -> list[Action]:
        """The answer to hello: who it is, or ``None`` for a guest."""
        assert self._state is _State.AUTHENTICATING, "a welcome follows a hello"
        self._state, self.participant = _State.OPEN, participant
        viewer = None
        if participant is not None:
            viewer = Viewer(
                bidder_id=participant.bidder_id,
                name=participant.name,
                may_bid=participant.may_bid,
            )
        return [Send(Welcome(connection=self._name, now_us=now_us, viewer=viewer))]

    def not_welcome(self) -> list[Action]:
        """The ticket or token is not good."""
        message = "this ticket or token is not known, was used, or has expired"
        return self._end(CloseCode.UNAUTHENTICATED, message)

    def bid_done(self) -> None:
        """A bid has its verdict."""
        self.bids_waiting -= 1

    def tick(self, now_s: float) -> list[Action]:
        """What is due without a message."""
        if self._state is _State.EXPECTS_HELLO and now_s >= self._hello_by_s:
            return self._end(CloseCode.NO_HELLO, f"no hello within {HELLO_WITHIN_S:g} s")
        return []

    def _may_go_on(self, now_s: float) -> bool:
        if not self._bucket.take(now_s):
            return False
        who = self.participant
        if who is None:
            return self._shares.addresses.take(self._address, now_s)
        return self._shares.accounts.take(who.bidder_id or who.person_id, now_s)

    def _too_fast(self, now_s: float) -> list[Action]:
        if not self._patience.take(now_s):
            return self._end(CloseCode.TOO_FAST, "too many frames, after being told to slow down")
        if now_s - self._told_at_s < TELL_EVERY_S:
            return []
        self._told_at_s = now_s
        rate = self._limits.frames
        message = f"at most {rate.per_s:g} frames a second; frames beyond are not looked at"
        return self._error(None, ErrorCode.SLOW_DOWN, message)

    def _take(self, frame: AnyClientFrame, now_s: float) -> list[Action]:
        if isinstance(frame, Hello):
            return self._hello(frame)
        if self._state is not _State.OPEN:
            request = getattr(frame, "request", None)
            return self._error(request, ErrorCode.INVALID, "say hello first")
        match frame:
            case Time():
                now_us = self._now_us()
                return [Send(TimeSample(c0=frame.c0, s1=now_us, s2=now_us))]
            case Bid():
                return self._bid(frame)
            case Subscribe():
                return self._subscribe(frame, now_s)
            case Unsubscribe():
                return [Unfollow(frame)]
        assert_never(frame)

    def _hello(self, hello: Hello) -> list[Action]:
        if self._state is not _State.EXPECTS_HELLO:
            return self._error(None, ErrorCode.INVALID, "hello is said once")
        if hello.ticket is not None and hello.token is not None:
            return self._error(None, ErrorCode.INVALID, "a ticket or a token, not both")
        self._state = _State.AUTHENTICATING
        self.client = hello.client
        return [Authenticate(hello)]

    def _subscribe(self, subscribe: Subscribe, now_s: float) -> list[Action]:
        if not self._subscribes.take(now_s):
            message = f"at most {self._limits.subscribes.per_s:g} subscriptions a second"
            return self._error(subscribe.request, ErrorCode.SLOW_DOWN, message)
        return [Follow(subscribe)]

    def _bid(self, bid: Bid) -> list[Action]:
        who = self.participant
        if who is None or not who.may_bid:
            message = "log in as a bidder to bid" if who is None else "this login may not bid"
            return self._error(bid.request, ErrorCode.FORBIDDEN, message)
        if self.bids_waiting >= self._limits.bids_at_once:
            message = f"{self.bids_waiting} bids wait for their verdicts; send this one again"
            return self._error(bid.request, ErrorCode.TOO_MANY, message)
        self.bids_waiting += 1
        return [Submit(bid, who)]

    def _error(self, request: int | None, code: ErrorCode, message: str) -> list[Action]:
        return [Send(Error(request=request, code=code, message=message))]

    def _end(self, code: CloseCode, message: str) -> list[Action]:
        self._state = _State.ENDED
        return [End(code, message)]
