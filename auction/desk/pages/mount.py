"""The desk's pages as rows, and what their templates need."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from auction.catalog.words import FILTERS as WORDS
from auction.desk.pages.changing import ChangingPages
from auction.desk.pages.consigned import ConsignedPages
from auction.desk.pages.consignors import ConsignorPages
from auction.desk.pages.groups import GroupPages
from auction.desk.pages.imports import ImportPages, confidence_words
from auction.desk.pages.live import LivePages
from auction.desk.pages.lot import LotPages
from auction.desk.pages.lots import LotsPages
from auction.desk.pages.photos import PhotoPages
from auction.desk.pages.questions import QuestionPages
from auction.desk.pages.recalls import RecallPages
from auction.desk.pages.repeats import RepeatPages
from auction.desk.pages.results import ResultPages
from auction.desk.pages.room import DeskPagesRoom
from auction.desk.pages.sale import SalePages
from auction.desk.pages.sale_publishing import PublishPages
from auction.desk.pages.sales import SalesPages
from auction.desk.pages.templates import TemplatePages
from auction.desk.pages.today_page import TodayPage
from auction.desk.pages.webhooks import WebhookPages
from foundation.http.routes import Mount, Route

_ROOM: Final = Path(__file__).parents[2]
FILTERS: Final[Mapping[str, Callable[..., object]]] = {**WORDS, "confidence": confidence_words}


def routes(room: DeskPagesRoom) -> list[Route]:
    """Every page."""
    parts = (
        TodayPage(room),
        LotsPages(room),
        LotPages(room),
        PhotoPages(room),
        SalesPages(room),
        SalePages(room),
        PublishPages(room),
        ImportPages(room),
        LivePages(room),
        QuestionPages(room),
        ResultPages(room),
        ChangingPages(room),
        ConsignorPages(room),
        ConsignedPages(room),
        RepeatPages(room),
        GroupPages(room),
        TemplatePages(room),
        RecallPages(room),
        WebhookPages(room),
    )
    return [route for part in parts for route in part.routes()]


def mount(room: DeskPagesRoom, *others: Route) -> Mount:
    """The pages, and ``others``: rows of the same room, such as those of its API."""
    return Mount(
        "auction",
        [*routes(room), *others],
        templates=_ROOM / "templates",
        static=_ROOM / "static",
        filters=FILTERS,
    )
