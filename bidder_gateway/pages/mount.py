"""The pages as the host mounts them."""

from pathlib import Path
from typing import Final

from auction.catalog.words import FILTERS
from bidder_gateway.pages.bidding import BiddingPages
from bidder_gateway.pages.budgets import BudgetPages
from bidder_gateway.pages.deposits import DepositPages
from bidder_gateway.pages.freight import FreightPages
from bidder_gateway.pages.lots import LotPages
from bidder_gateway.pages.mine import MyPages
from bidder_gateway.pages.notices import NoticePages
from bidder_gateway.pages.questions import QuestionPages
from bidder_gateway.pages.registration import RegistrationPages
from bidder_gateway.pages.room import PagesRoom
from bidder_gateway.pages.sales import SalePages
from bidder_gateway.pages.searching import SearchPages
from foundation.http.routes import Mount, Route

_ROOM: Final = Path(__file__).parents[1]


def routes(room: PagesRoom) -> list[Route]:
    """Every page."""
    lots = LotPages(room)
    parts = (
        SalePages(room),
        lots,
        QuestionPages(room),
        BiddingPages(room, lots),
        FreightPages(room),
        RegistrationPages(room),
        BudgetPages(room),
        MyPages(room),
        SearchPages(room),
        NoticePages(room),
        DepositPages(room),
    )
    return [route for part in parts for route in part.routes()]


def mount(room: PagesRoom, *others: Route) -> Mount:
    """The pages, and ``others``: rows of the same room, such as those of its API."""
    return Mount(
        "bidder_gateway",
        [*routes(room), *others],
        templates=_ROOM / "templates",
        static=_ROOM / "static",
        filters=FILTERS,
    )
