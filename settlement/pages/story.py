"""An award's whole story on one page, and an invoice's."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from foundation.http.problems import NOT_FOUND
from foundation.http.routes import Route
from settlement.access import STAFF, award_of, invoice_of
from settlement.lives import AWARD_LIFE, PAYMENT_LIFE, AwardState
from settlement.lot_history import LotEvent
from settlement.pages.room import AWARD_PAGES, INVOICE_PAGES, show
from settlement.pages.words import AWARD_WAY
from settlement.room import Settlement
from settlement.rows import AwardRow, NotFound
from settlement.stories import BookedLine, Story, is_stripe_id
from settlement.story import HOUSE_ITSELF

# Of the plot of bids, in its own units.
PLOT_WIDTH: Final = 600
PLOT_HEIGHT: Final = 110

_EVENT_WORDS: Final[Mapping[str, str]] = {
    "lot_scheduled": "The lot was listed",
    "bid_placed": "Bid",
    "end_extended": "The end moved",
    "lot_sold": "The hammer fell",
    "lot_passed": "Not sold",
    "lot_withdrawn": "Withdrawn",
    "if_bid_opened": "Below the reserve: the seller is asked",
    "if_bid_countered": "The seller asks for more",
    "award_funded": "Told to the sale: it is paid",
    "bids_voided": "Bids were voided",
    "reserve_status_changed": "The reserve",
}

# What amounts and times show by themselves.
_SAID_ALREADY: Final = frozenset({"currency", "zone"})

_ICONS: Final = (
    ("claim", "box"),
    ("dispute", "shield"),
    ("pick", "truck"),
    ("hand", "truck"),
    ("deliver", "truck"),
    ("paid", "wallet"),
    ("pay", "wallet"),
    ("captur", "wallet"),
    ("authoris", "wallet"),
    ("refund", "arrow-left"),
    ("credit", "arrow-left"),
    ("invoice", "document"),
    ("document", "document"),
    ("manifest", "document"),
    ("transfer", "dollar"),
    ("release", "dollar"),
    ("payout", "dollar"),
    ("accept", "check"),
    ("default", "alert"),
    ("void", "x"),
    ("cancel", "minus"),
    ("overdue", "alert"),
    ("offer", "user"),
)


class Fact(Struct, frozen=True):
    """Something that a moment says beside its words: ``kind`` is text, money, id or time."""

    name: str
    value: Any
    kind: str


class Moment(Struct, frozen=True, kw_only=True):
    """Something on the time line. ``lines``: what was booked by it; ``bids``: bids in a row."""

    at_us: int
    icon: str
    words: str
    actor: str = ""
    facts: Sequence[Fact] = ()
    lines: Sequence[BookedLine] = ()
    bids: Sequence[LotEvent] = ()


class Step(Struct, frozen=True):
    """A place on the way of an award: when it came there, or whether it is on its way."""

    words: str
    at_us: int | None
    current: bool


class Plot(Struct, frozen=True):
    """How the price rose, as a line of steps."""

    points: str
    first_minor: int
    last_minor: int
    bids: int


class StoryPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route(
                "GET", f"{AWARD_PAGES}/{{award_id}}", self.award, "An award's whole story", STAFF
            ),
            Route("GET", f"{INVOICE_PAGES}/{{invoice_id}}", self.invoice, "An invoice", STAFF),
        ]

    async def award(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/awards/{award_id}."""
        try:
            found = await self._room.stories.of_award(award_of(request))
        except NotFound:
            raise NOT_FOUND() from None
        assert found.award is not None
        line = None
        if found.invoice is not None:
            lines = {line.award_id: line for line in found.invoice.invoice.lines}
            line = lines.get(found.award.award_id)
        return show(
            request,
            "award.html",
            found=found,
            award=found.award,
            line=line,
            moments=moments_of(found),
            steps=steps_of(found.award),
            plot=plot_of(found.bids),
            papers=await self._room.papers.of_award(found.award.award_id),
            over=AWARD_LIFE.is_over(found.award.state),
            event_words=_EVENT_WORDS,
        )

    async def invoice(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/invoices/{invoice_id}."""
        try:
            found = await self._room.stories.of_invoice(invoice_of(request))
        except NotFound:
            raise NOT_FOUND() from None
        assert found.invoice is not None
        return show(
            request,
            "invoice.html",
            found=found,
            invoice=found.invoice,
            awards={award.award_id: award for award in found.awards},
            papers=await self._room.papers.of_invoice(found.invoice.invoice_id),
            moments=moments_of(found),
            over=PAYMENT_LIFE.is_over(found.invoice.payment),
            event_words=_EVENT_WORDS,
        )


def moments_of(story: Story) -> list[Moment]:
    """Everything that happened, in its order: bids in a row are one moment."""
    moments = [*_of_bids(story.bids), *_of_told(story), *_of_books(story.lines)]
    return sorted(moments, key=lambda moment: moment.at_us)


def steps_of(award: AwardRow) -> list[Step]:
    """How far an award has come, for those that go the usual way."""
    times = [getattr(award, column) for _, _, column in AWARD_WAY]
    reached = max(place for place, at_us in enumerate(times) if at_us is not None)
    stands = award.state not in (AwardState.CLOSED, AwardState.CANCELLED, AwardState.VOID)
    return [
        Step(words, at_us, stands and place == reached)
        for place, ((_, words, _), at_us) in enumerate(zip(AWARD_WAY, times, strict=True))
    ]


def plot_of(bids: Sequence[LotEvent]) -> Plot | None:
    """The price over time; ``None`` with fewer than two prices."""
    priced = [(bid.at_us, bid.price_minor) for bid in bids if bid.price_minor is not None]
    if len(priced) < 2 or priced[-1][0] == priced[0][0]:
        return None
    first_us, span_us = priced[0][0], priced[-1][0] - priced[0][0]
    most = max(price for _, price in priced) or 1
    points: list[str] = []
    before = ""
    for at_us, price in priced:
        x = (at_us - first_us) * PLOT_WIDTH // span_us
        y = PLOT_HEIGHT - price * PLOT_HEIGHT // most
        points += [f"{x},{before}"] if before else []
        points.append(f"{x},{y}")
        before = str(y)
    count = sum(bid.type == "bid_placed" for bid in bids)
    return Plot(" ".join(points), priced[0][1], priced[-1][1], count)


def _of_bids(bids: Sequence[LotEvent]) -> list[Moment]:
    found: list[Moment] = []
    row: list[LotEvent] = []
    for event in bids:
        if event.type in ("bid_placed", "end_extended", "maximum_raised"):
            row.append(event)
            continue
        found += _bids_in_a_row(row)
        row = []
        words = _EVENT_WORDS.get(event.type, event.type.replace("_", " ").capitalize())
        facts = [] if event.price_minor is None else [Fact("price", event.price_minor, "money")]
        icon = "gavel" if event.type == "lot_sold" else "info"
        found.append(Moment(at_us=event.at_us, icon=icon, words=words, facts=facts))
    return [*found, *_bids_in_a_row(row)]


def _bids_in_a_row(row: Sequence[LotEvent]) -> list[Moment]:
    if not row:
        return []
    bids = sum(event.type == "bid_placed" for event in row)
    words = f"{bids} bid{'' if bids == 1 else 's'}" if bids else "The end moved"
    last = next((one.price_minor for one in reversed(row) if one.price_minor is not None), None)
    facts = [] if last is None else [Fact("up to", last, "money")]
    return [Moment(at_us=row[-1].at_us, icon="arrow-up", words=words, facts=facts, bids=list(row))]


def _of_told(story: Story) -> list[Moment]:
    names = story.names
    return [
        Moment(
            at_us=told.at_us or 0,
            icon=_icon(told.kind),
            words=told.kind.replace("_", " ").capitalize(),
            actor="" if told.actor == HOUSE_ITSELF else names.get(told.actor, told.actor),
            facts=[
                _fact(name, names.get(value, value) if isinstance(value, str) else value)
                for name, value in told.facts.items()
                if value not in (None, "", []) and name not in _SAID_ALREADY
            ],
        )
        for told in story.told
    ]


def _of_books(lines: Sequence[BookedLine]) -> list[Moment]:
    by_key: dict[str, list[BookedLine]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    return [
        Moment(
            at_us=of[0].at_us,
            icon="list",
            words=f"Booked: {of[0].purpose.replace('_', ' ').lower()}",
            facts=[Fact("at Stripe", name, "id") for name in of[0].stripe_ids],
            lines=of,
        )
        for of in by_key.values()
    ]


def _icon(kind: str) -> str:
    low = kind.lower()
    return next((icon for part, icon in _ICONS if part in low), "info")


def _fact(name: str, value: Any) -> Fact:
    if name.endswith("_minor") and isinstance(value, int):
        return Fact(name.removesuffix("_minor").replace("_", " "), value, "money")
    if name.endswith("_us") and isinstance(value, int):
        return Fact(name.removesuffix("_us").replace("_", " "), value, "time")
    words = name.replace("_", " ")
    if is_stripe_id(value):
        return Fact(words, value, "id")
    if isinstance(value, list):
        return Fact(words, ", ".join(str(one) for one in value), "text")
    if isinstance(value, bool):
        return Fact(words, "yes" if value else "no", "text")
    return Fact(words, str(value), "text")
