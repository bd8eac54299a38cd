"""The frames of version 1 of the live protocol, defined once for both encodings and the docs.

Every frame is a map with ``type``. A client's frame that asks for something carries ``request``,
a number of the client's choice that the answer repeats. Times are microseconds since the epoch,
UTC; amounts are minor units. docs/protocol.md is made from this file.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field

from auction.ids import ABidId, ALotId, ASaleId, BidId, LotId, Paddle, SaleId
from auction.money import PositiveMinor
from auction.pricing import ReserveStatus
from auction.rejections import Rejection
from auction.sale import LotStatus
from auction.terms import STORABLE, SaleAudience, Terms
from auction.verdicts import Acceptance, LotState

# The name is offered in Sec-WebSocket-Protocol; the client's first choice that we know is taken.
JSON = "softclose.v1+json"
MSGPACK = "softclose.v1+msgpack"

# A client's frame. A bid is 250 bytes; what is larger is no frame of this protocol.
MAX_FRAME_BYTES = 16 * 1024
# Lots that one subscription may name; more is the whole sale.
MAX_LOTS = 200

Request = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=STORABLE)]


# An ``Acceptance`` or a ``Rejection``; the schema names them all.
VerdictCode = Annotated[str, Meta(extra_json_schema={"enum": [*Acceptance, *Rejection]})]


class ErrorCode(StrEnum):
    """Why a frame was refused. The connection goes on, unless a goodbye follows."""

    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    SLOW_DOWN = "SLOW_DOWN"
    TOO_MANY = "TOO_MANY"
    UNAVAILABLE = "UNAVAILABLE"


ERROR_MEANINGS: dict[ErrorCode, str] = {
    ErrorCode.INVALID: "Not a frame of this protocol, or not at this point. The message names the "
    "place.",
    ErrorCode.NOT_FOUND: "There is no such sale or lot, or none that you may see.",
    ErrorCode.FORBIDDEN: "A guest, or a login without that right, may not do this.",
    ErrorCode.SLOW_DOWN: "Too many frames: those beyond the limit were not looked at.",
    ErrorCode.TOO_MANY: "More at once than a connection may have.",
    ErrorCode.UNAVAILABLE: "It cannot be answered now. Try again.",
}


class CloseCode(IntEnum):
    """How the server ends a connection: RFC 6455's codes, and ours from 4000 on."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    WRONG_KIND = 1003
    BAD_TEXT = 1007
    TOO_BIG = 1009
    RESTART = 1012
    TRY_LATER = 1013
    UNAUTHENTICATED = 4401
    NO_HELLO = 4408
    TOO_SLOW = 4413
    TOO_FAST = 4429
    TOO_MANY = 4430
    SESSION_ENDED = 4440


CLOSE_MEANINGS: dict[CloseCode, str] = {
    CloseCode.GOING_AWAY: "The client's connection ended, or the server stops for good.",
    CloseCode.PROTOCOL_ERROR: "The WebSocket protocol was broken.",
    CloseCode.WRONG_KIND: "Text where the subprotocol is MessagePack, or binary where it is JSON.",
    CloseCode.BAD_TEXT: "A text message that is not UTF-8.",
    CloseCode.TOO_BIG: "A message of more than 16 KiB.",
    CloseCode.RESTART: "The server restarts: come back after `resume_after_ms`, and resume.",
    CloseCode.TRY_LATER: "Whether the ticket or token is good cannot be known now: come back after "
    "`resume_after_ms`.",
    CloseCode.UNAUTHENTICATED: "The ticket or token is unknown, used, expired or revoked.",
    CloseCode.NO_HELLO: "No hello within 5 seconds.",
    CloseCode.TOO_SLOW: "What was sent was not read for 8 seconds, or a ping was not answered for "
    "4. Reconnect and resume.",
    CloseCode.TOO_FAST: "Too many frames, after being told to slow down.",
    CloseCode.TOO_MANY: "The account or address has too many connections.",
    CloseCode.SESSION_ENDED: "The session or token was revoked while connected.",
}


# What clients send.


class ClientFrame(Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Any frame from a client."""


class Hello(ClientFrame, tag="hello", frozen=True, kw_only=True):
    """The first frame. ``ticket``: one-time, from POST /api/v1/tickets; ``token``: an API token.

    Neither: a guest, who may watch public sales. ``client`` names the program, for our logs.
    """

    ticket: Word | None = None
    token: Word | None = None
    client: Annotated[str, Meta(max_length=100, pattern=STORABLE)] = ""


class Subscribe(ClientFrame, tag="subscribe", frozen=True, kw_only=True):
    """Follow a sale, or some of its lots. Replaces an earlier subscription to the same sale.

    ``since``: the last sequence that was seen; what came after it follows, or ``subscribed`` says
    ``recovered: false`` and a snapshot follows. Without it: a snapshot, then events.
    """

    request: Request
    sale_id: ASaleId
    lots: Annotated[tuple[ALotId, ...], Meta(min_length=1, max_length=MAX_LOTS)] | None = None
    since: Sequence | None = None


class Unsubscribe(ClientFrame, tag="unsubscribe", frozen=True, kw_only=True):
    """Follow a sale no more."""

    request: Request
    sale_id: ASaleId


class MaximumOffer(
    Struct, frozen=True, kw_only=True, tag_field="kind", tag="MAXIMUM", forbid_unknown_fields=True
):
    """The most that the bidder will pay (proxy bid). Other formats are other kinds of offer."""

    amount_minor: PositiveMinor
    currency: Annotated[str, Meta(min_length=3, max_length=3)]


class Bid(ClientFrame, tag="bid", frozen=True, kw_only=True):
    """A bid. ``bid_id``: a UUID of the client's; the same bid may be sent again with the same id.

    ``quote_id``: the freight quote that the bidder means to use; without it the goods are
    collected, and freight counts nothing towards limit and budgets.
    """

    request: Request
    sale_id: ASaleId
    lot_id: ALotId
    bid_id: ABidId
    offer: MaximumOffer
    quote_id: Word | None = None


class Time(ClientFrame, tag="time", frozen=True, kw_only=True):
    """Ask for the server's time. ``c0``: the client's own clock, which is sent back."""

    c0: Annotated[int, Meta(ge=-(2**53), le=2**53)]


AnyClientFrame = Hello | Subscribe | Unsubscribe | Bid | Time


# What the server sends.


class ServerFrame(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """Any frame from the server."""


class Viewer(Struct, frozen=True, kw_only=True):
    """Who the server takes the client for."""

    bidder_id: str | None
    name: str
    may_bid: bool


class Welcome(ServerFrame, tag="welcome", frozen=True, kw_only=True):
    """The answer to hello. ``viewer``: null for a guest. ``connection``: for support and logs."""

    connection: str
    now_us: int
    viewer: Viewer | None


class Subscribed(ServerFrame, tag="subscribed", frozen=True, kw_only=True):
    """The subscription stands. ``recovered``: events from ``since`` on follow without a gap;
    else a snapshot follows. ``sequence``: where the sale is now."""

    request: int
    sale_id: SaleId
    sequence: int
    recovered: bool


class Unsubscribed(ServerFrame, tag="unsubscribed", frozen=True, kw_only=True):
    """No more events of this sale follow. ``request``: null if nobody asked: there is no such sale
    for you any more."""

    request: int | None
    sale_id: SaleId


class SaleView(Struct, frozen=True, kw_only=True, gc=False):
    """A sale as everybody sees it. ``hash``: of its last public event, for checking the chain."""

    sale_id: SaleId
    liquidator_id: str
    audience: SaleAudience
    terms: Terms
    paused: bool
    cancelled: bool
    closed: bool
    hash: bytes


class LotView(Struct, frozen=True, kw_only=True, gc=False):
    """A lot as everybody sees it. ``leader``: a paddle. ``scheduled_closes_at_us``: before any
    extension; ``closes_at_us``: the end in force."""

    lot_id: LotId
    title: str
    kind: str
    group: str
    restrictions: tuple[str, ...]
    status: LotStatus
    opening_minor: int
    opens_at_us: int
    scheduled_closes_at_us: int
    closes_at_us: int
    latest_end_us: int | None
    extensions: int
    price_minor: int | None
    next_minimum_minor: int
    reserve: ReserveStatus
    bid_count: int
    leader: Paddle | None
    lot_sequence: int


class Snapshot(ServerFrame, tag="snapshot", frozen=True, kw_only=True):
    """The sale, or the chosen lots of it, as they stand after ``sequence``."""

    sale_id: SaleId
    sequence: int
    sale: SaleView
    lots: tuple[LotView, ...]


class Standing(ServerFrame, tag="standing", frozen=True, kw_only=True):
    """The viewer's own part of the sale after ``sequence``, for nobody else.

    ``maxima``: by lot. ``limit_minor``: null for none. ``exposure_minor``: what the viewer leads
    and owes, all-in. ``accepted``: the restrictions accepted so far.
    """

    sale_id: SaleId
    sequence: int
    paddle: Paddle
    limit_minor: int | None
    exposure_minor: int
    maxima: dict[LotId, int]
    leads: tuple[LotId, ...]
    won: tuple[LotId, ...]
    accepted: tuple[str, ...]
    terms_version: int


class EventFrame(ServerFrame, tag="event", frozen=True, kw_only=True):
    """What happened, as everybody sees it: ``event`` is the public part of the log, with
    ``sequence``, which has no gaps in a sale, and ``lot_sequence``, which has none in a lot.

    ``hash`` = SHA-256(hash of the event before || ``event`` as MessagePack || ``commitment``).
    """

    event: Raw
    commitment: bytes
    hash: bytes


class Own(ServerFrame, tag="own", frozen=True, kw_only=True):
    """An event about the viewer, with what only the viewer may see of it."""

    sale_id: SaleId
    event: dict[str, Any]


class Conflated(ServerFrame, tag="conflated", frozen=True, kw_only=True):
    """In place of the events from ``from`` to ``to``, which the client was too slow to read: the
    sale and the lots that they changed, as they stand after ``to``."""

    sale_id: SaleId
    first: int = field(name="from")
    last: int = field(name="to")
    sale: SaleView
    lots: tuple[LotView, ...]


class VerdictFrame(ServerFrame, tag="verdict", frozen=True, kw_only=True):
    """The answer to a bid, once it is durable. ``code``: LEADING, OUTBID, or why it was refused.

    ``sequence``: of the bid's event, null if rivals do not see it; ``receipt``: what proves the
    bid later; ``lot``: the lot as it stood when the bid was judged; ``minimum_minor``: the least
    that would do. BUSY and UNAVAILABLE: send the same bid again.
    """

    request: int
    bid_id: BidId
    code: VerdictCode
    message: str
    sequence: int | None
    receipt: bytes | None
    lot: LotState | None
    minimum_minor: int | None


class TimeSample(ServerFrame, tag="time", frozen=True, kw_only=True):
    """The server's time when the question came (``s1``) and when the answer went (``s2``).

    With the client's clock at the answer (c3) its offset is ((s1 - c0) + (s2 - c3)) / 2, wrong by
    at most half of (c3 - c0) - (s2 - s1).
    """

    c0: int
    s1: int
    s2: int


class NoticeFrame(ServerFrame, tag="notice", frozen=True, kw_only=True):
    """Something that the person should know, as the API's `/notices` has it.

    It goes to every connection of the person, whatever sales it follows.
    """

    notice: dict[str, Any]


class Error(ServerFrame, tag="error", frozen=True, kw_only=True):
    """A frame was refused. ``request``: the frame's, if it could be read."""

    request: int | None
    code: ErrorCode
    message: str


class Goodbye(ServerFrame, tag="goodbye", frozen=True, kw_only=True):
    """The server ends the connection. ``resume``: for each sale the last sequence that was sent.

    Come back after ``resume_after_ms``, which differs from client to client.
    """

    code: CloseCode
    message: str
    resume_after_ms: int
    resume: dict[SaleId, int]


AnyServerFrame = (
    Welcome
    | Subscribed
    | Unsubscribed
    | Snapshot
    | Standing
    | EventFrame
    | Own
    | Conflated
    | VerdictFrame
    | TimeSample
    | NoticeFrame
    | Error
    | Goodbye
)
