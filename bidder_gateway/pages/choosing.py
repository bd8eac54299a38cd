"""Which lots of a board are shown, and in which order: what static/choosing.js does in the browser.

A board is shared as an address, so that the first paint is already what was chosen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct, structs

from auction.ids import LotId
from auction.sale import LotStatus
from auction.terms import STORABLE
from bidder_gateway.pages.page_data import Card
from bidder_gateway.protocol import LotView, Standing
from foundation.http.reading import Input

Words = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
Word = Annotated[str, Meta(max_length=120, pattern=STORABLE)]


class Row(Struct, frozen=True):
    """A lot with its card, and the viewer's part of it."""

    lot: LotView
    card: Card
    position: str
    watched: bool
    own_minor: int | None = None


class Choice(Input):
    """What was chosen. Anything that is not known counts as nothing chosen."""

    q: Words = ""
    category: Word = ""
    condition: Word = ""
    show: Word = "all"
    sort: Word = "ending"

    def href(self, path: str, **changes: str) -> str:
        """The address of this choice with something else in it."""
        chosen = structs.asdict(structs.replace(self, **changes))
        told = {name: value for name, value in chosen.items() if value != _NOTHING[name]}
        return f"{path}?{urlencode(told)}" if told else path


_NOTHING: Final = structs.asdict(Choice())


def position_of(standing: Standing | None, lot: LotView) -> str:
    """Where the viewer stands on a lot: a word for templates, as in static/fold.js."""
    if standing is None or lot.lot_id not in standing.maxima:
        return ""
    leads = lot.leader == standing.paddle
    match lot.status:
        case LotStatus.LIVE:
            return "leading" if leads else "outbid"
        case LotStatus.IF_BID:
            return "bound" if leads else "lost"
        case LotStatus.SOLD:
            return "won" if leads else "lost"
        case _:
            return "ended"


def rows_of(
    lots: Iterable[LotView],
    cards: Mapping[LotId, Card],
    standing: Standing | None,
    watched: frozenset[LotId],
) -> list[Row]:
    """Every lot that has a card."""
    return [
        Row(
            lot,
            cards[lot.lot_id],
            position_of(standing, lot),
            lot.lot_id in watched,
            None if standing is None else standing.maxima.get(lot.lot_id),
        )
        for lot in lots
        if lot.lot_id in cards
    ]


_SHOWN: Final[Mapping[str, Callable[[Row], bool]]] = {
    "all": lambda row: True,
    "open": lambda row: row.lot.status is LotStatus.LIVE,
    "leading": lambda row: row.position in {"leading", "bound"},
    "outbid": lambda row: row.position == "outbid",
    "watched": lambda row: row.watched,
    "mine": lambda row: row.position != "",
    "ended": lambda row: row.lot.status is not LotStatus.LIVE,
}


def _price(row: Row) -> int:
    lot = row.lot
    return lot.opening_minor if lot.price_minor is None else lot.price_minor


def _ending(row: Row) -> tuple[bool, int]:
    return row.lot.status is not LotStatus.LIVE, row.lot.closes_at_us


def _share(row: Row) -> float:
    return _price(row) / row.card.msrp_minor if row.card.msrp_minor else float("inf")


_ORDERS: Final[Mapping[str, Callable[[Row], object]]] = {
    "ending": _ending,
    "price": _price,
    "dearest": lambda row: -_price(row),
    "share": _share,
    "bids": lambda row: -row.lot.bid_count,
    "lot": lambda row: 0,
}

ORDERS_IN_WORDS: Final[Sequence[tuple[str, str]]] = (
    ("ending", "Ending soonest"),
    ("price", "Lowest price"),
    ("dearest", "Highest price"),
    ("share", "Lowest share of MSRP"),
    ("bids", "Most bids"),
    ("lot", "Lot number"),
)


def choose(rows: Sequence[Row], choice: Choice) -> list[Row]:
    """The rows that are chosen, in the order that is chosen."""
    words = choice.q.lower().split()
    shown, order = _SHOWN.get(choice.show, _SHOWN["all"]), _ORDERS.get(choice.sort, _ending)

    def fits(row: Row) -> bool:
        card, lot_id = row.card, row.lot.lot_id.lower()
        return (
            shown(row)
            and choice.category in ("", card.category)
            and choice.condition in ("", card.condition)
            and all(word in card.words or word == lot_id for word in words)
        )

    return sorted(filter(fits, rows), key=lambda row: (order(row), row.card.place))


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows there are of each kind that can be shown."""
    return {name: sum(map(shows, rows)) for name, shows in _SHOWN.items()}
