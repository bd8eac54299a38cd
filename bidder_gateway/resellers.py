"""The services of the resellers' side in one process, and their API as the host mounts it."""

from dataclasses import dataclass
from typing import Self

from accounts.clock import Clock
from auction.ports import Engine, EventLog
from bidder_gateway.api_bids import BidsApi
from bidder_gateway.api_questions import QuestionsApi
from bidder_gateway.api_registrations import RegistrationsApi
from bidder_gateway.api_sales import SalesApi
from bidder_gateway.api_staff import StaffApi
from bidder_gateway.api_watching import WatchingApi
from bidder_gateway.bidding import Bidding
from bidder_gateway.deposits import Deposits
from bidder_gateway.door_prices import DoorPrices
from bidder_gateway.folds import Folds
from bidder_gateway.freight_offers import FreightOffers
from bidder_gateway.histories import Histories
from bidder_gateway.lots import Lots
from bidder_gateway.my_bids import MyBids
from bidder_gateway.own_budgets import OwnBudgets
from bidder_gateway.own_limits import OwnLimits
from bidder_gateway.placing import Placing
from bidder_gateway.questions import Questions
from bidder_gateway.registrar import Registrar
from bidder_gateway.registrations import Registrations
from bidder_gateway.results import Results
from bidder_gateway.sales import Sales
from bidder_gateway.sales_tax import CatalogueRates
from bidder_gateway.saved_searches import Searches
from bidder_gateway.watchlist import Watchlist
from foundation.database import Pool
from foundation.http.routes import Route


@dataclass(frozen=True)
class Resellers:
    """What pages and API call. ``registrar.run()`` is to run beside it."""

    sales: Sales
    lots: Lots
    histories: Histories
    results: Results
    registrar: Registrar
    registrations: Registrations
    limits: OwnLimits
    deposits: Deposits
    budgets: OwnBudgets
    my_bids: MyBids
    placing: Placing
    freight: FreightOffers
    door_prices: DoorPrices
    watchlist: Watchlist
    searches: Searches
    questions: Questions

    @classmethod
    def over(
        cls,
        pool: Pool,
        log: EventLog,
        engine: Engine,
        folds: Folds,
        bidding: Bidding,
        freight: FreightOffers,
        now_us: Clock,
    ) -> Self:
        """All of them. ``now_us``: engine time, by which lots open and quotes expire."""
        sales, lots = Sales(pool, now_us), Lots(pool)
        registrar = Registrar(pool, engine, folds, CatalogueRates(pool), now_us)
        registrations = Registrations(pool, sales, registrar, folds, now_us)
        return cls(
            sales=sales,
            lots=lots,
            histories=Histories(pool),
            results=Results(pool, log),
            registrar=registrar,
            registrations=registrations,
            limits=OwnLimits(pool, registrar, now_us),
            deposits=Deposits(pool, registrar, now_us),
            budgets=OwnBudgets(pool, registrations, folds, now_us),
            my_bids=MyBids(pool),
            placing=Placing(pool, engine, bidding),
            freight=freight,
            door_prices=DoorPrices(pool, sales, lots, freight, now_us),
            watchlist=Watchlist(pool, now_us),
            searches=Searches(pool, now_us),
            questions=Questions(pool, now_us),
        )

    def routes(self) -> list[Route]:
        """The rows of the API."""
        parts = (
            SalesApi(self.sales, self.lots, self.histories, self.results),
            RegistrationsApi(self.registrations, self.limits, self.budgets),
            BidsApi(self.my_bids, self.placing, self.freight, self.door_prices),
            WatchingApi(self.watchlist, self.searches),
            QuestionsApi(self.questions),
            StaffApi(self.deposits, self.limits),
        )
        return [route for part in parts for route in part.routes()]
