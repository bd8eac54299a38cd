"""The desk in one process: its services, its API as the host mounts it, and what runs beside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from accounts.room import Room
from auction.catalog.importing.importer import Importer
from auction.desk.api_admissions import AdmissionsApi
from auction.desk.api_consigned import ConsignedApi
from auction.desk.api_consignors import ConsignorsApi
from auction.desk.api_groups import GroupsApi
from auction.desk.api_imports import ImportsApi
from auction.desk.api_lots import LotsApi
from auction.desk.api_photos import PhotosApi
from auction.desk.api_questions import QuestionsApi
from auction.desk.api_recalls import RecallsApi
from auction.desk.api_results import ResultsApi
from auction.desk.api_running import RunningApi
from auction.desk.api_sales import SalesApi
from auction.desk.api_webhooks import WebhooksApi
from auction.desk.buyer_groups import BuyerGroups
from auction.desk.consigned import Consigned
from auction.desk.consignors import Consignors
from auction.desk.guests import Guests
from auction.desk.guidance import PriceGuidance
from auction.desk.imports import Imports
from auction.desk.live_board import Folds, LiveBoards, Watchers
from auction.desk.lots import Lots
from auction.desk.papers.api import PapersApi
from auction.desk.papers.reading import Papers
from auction.desk.photos import Photos
from auction.desk.publishing import Publishing
from auction.desk.questions import Questions
from auction.desk.recalls import Recalls
from auction.desk.results import Results
from auction.desk.running import Running
from auction.desk.sales import Sales
from auction.desk.templates import Templates
from auction.desk.webhooks import Webhooks
from auction.ports import Engine
from foundation.database import Pool
from foundation.http.routes import Route
from foundation.outbound import Outbound


@dataclass(frozen=True)
class Desk:
    """What pages and API call. ``publishing.resume()`` is to run beside it."""

    lots: Lots
    photos: Photos
    sales: Sales
    templates: Templates
    groups: BuyerGroups
    guests: Guests
    imports: Imports
    results: Results
    guidance: PriceGuidance
    publishing: Publishing
    running: Running
    boards: LiveBoards
    recalls: Recalls
    papers: Papers
    webhooks: Webhooks
    questions: Questions
    consignors: Consignors
    consigned: Consigned
    wall_us: Callable[[], int]

    @classmethod
    def over(
        cls,
        pool: Pool,
        engine: Engine,
        folds: Folds,
        watchers: Watchers,
        now_us: Callable[[], int],
        wall_us: Callable[[], int],
        public_url: str = "",
        accounts: Room | None = None,
    ) -> Self:
        """All of them. ``now_us``: engine time, by which lots open and end.

        ``public_url``: what addresses on paper begin with, without a slash at the end.
        ``accounts``: where consignors are invited; without it nobody is.
        """
        publishing, results = Publishing(pool, engine, now_us), Results(pool)
        return cls(
            lots=Lots(pool, wall_us),
            photos=Photos(pool, now_us),
            sales=Sales(pool, publishing, wall_us),
            templates=Templates(pool, wall_us),
            groups=BuyerGroups(pool, wall_us),
            guests=Guests(pool),
            imports=Imports(pool, Importer(), wall_us),
            results=results,
            guidance=PriceGuidance(pool, now_us),
            publishing=publishing,
            running=Running(pool, engine, folds, wall_us),
            boards=LiveBoards(pool, folds, watchers),
            recalls=Recalls(pool, engine, wall_us),
            papers=Papers(pool, public_url),
            webhooks=Webhooks(pool, Outbound(), now_us, wall_us),
            questions=Questions(pool, now_us),
            consignors=Consignors(pool, wall_us, accounts),
            consigned=Consigned(pool, results),
            wall_us=wall_us,
        )

    def routes(self) -> list[Route]:
        """The rows of the API."""
        parts = (
            LotsApi(self.lots),
            PhotosApi(self.photos, self.lots.owner_of),
            SalesApi(self.sales, self.templates),
            ImportsApi(self.imports, self.lots.owner_of),
            RunningApi(self.running, self.boards),
            AdmissionsApi(self.running, self.boards),
            ResultsApi(self.results, self.guidance),
            RecallsApi(self.recalls),
            PapersApi(self.papers),
            GroupsApi(self.groups, self.guests),
            WebhooksApi(self.webhooks),
            QuestionsApi(self.questions),
            ConsignorsApi(self.consignors),
            ConsignedApi(self.consigned, self.wall_us),
        )
        return [route for part in parts for route in part.routes()]
