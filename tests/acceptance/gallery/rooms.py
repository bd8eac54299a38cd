"""The gallery's pages: what rooms build theirs from, with content as in a real sale."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from auction.money import format_minor
from foundation.http.application import application
from foundation.http.forms import Upload, blank, form_of
from foundation.http.pages import Link, PageContext, Visitor, page, see_other
from foundation.http.problems import INTERNAL, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Mount, Route

HERE = Path(__file__).parent

PAGES = ("/", "/sale", "/lot", "/bids", "/apply", "/sign-in", "/parts", "/live")

LOTS = [
    ("12", "Power tools, mixed brands, 1 pallet", "tools", "Customer returns", "Used, good",
     "Joliet, IL", 61_500, 14, 372_400, "leading", "2 d 4 h", ""),
    ("13", "Small kitchen appliances, 2 pallets, 214 units", "pallet", "Overstock", "New",
     "Reno, NV", 142_000, 23, 1_204_900, "outbid", "0:42", "last"),
    ("14", "Home audio and soundbars, 1 pallet", "audio", "Shelf pulls", "Like new",
     "Joliet, IL", 48_000, 6, 310_000, "watched", "12:08", "soon"),
    ("15", "Mixed general merchandise, full truckload, 26 pallets", "truck", "Customer returns",
     "Uninspected", "Dallas, TX", 1_850_000, 41, 9_871_200, "", "3 h 10 m", ""),
    ("16", "Seasonal décor, floor models and display pieces, 1 pallet", "", "Store closures",
     "Used, fair", "Reno, NV", 9_500, 0, 88_000, "", "Not started", ""),
    ("17", "Cordless drills, 60 units", "tools", "Overstock", "New", "Joliet, IL",
     205_000, 31, 598_500, "won", "Closed", "over"),
]  # fmt: skip

BIDS = [
    ("104", 61_500, 1_795_322_400_000_000, True),
    ("119", 59_000, 1_795_322_395_000_000, False),
    ("104", 56_500, 1_795_322_300_000_000, True),
    ("107", 54_000, 1_795_321_400_000_000, False),
]

MANIFEST = [
    ("Cordless drill/driver kit, 20 V, 2 batteries", "DeWalt", "DCD771C2", 8, 15_900, "Used, good"),
    ("Random orbit sander, 5 in", "Makita", "BO5041K", 12, 9_900, "Used, good"),
    ("Circular saw, 7-1/4 in, 15 A", "Skilsaw", "SPT67WL-01", 4, 12_900, "Used, fair"),
    ("Oscillating multi-tool with accessories", "Bosch", "GOP40-30C", 9, 13_900, "New, open box"),
]


class Certificate(StrEnum):
    """What the gallery's form lets choose."""

    SINGLE = "SINGLE"
    MULTI = "MULTI"


class Application(Input):
    """A form with one field of each kind."""

    legal_name: Annotated[str, Meta(min_length=2, max_length=100)]
    mail: Annotated[
        str, Meta(pattern="^[^@ ]+@[^@ ]+$", extra={"message": "Enter a mail address."})
    ]
    state: Annotated[str, Meta(min_length=2, max_length=2)]
    limit: str
    certificate: Certificate
    document: Upload | None = None
    about: Annotated[str, Meta(max_length=500)] | None = None
    agree: bool = False


class Gallery:
    """Pages that show what there is; nothing is kept."""

    async def calendar(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/calendar.html")

    async def sale(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/sale.html", lots=LOTS)

    async def lot(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/lot.html", form=blank(), bids=BIDS, manifest=MANIFEST)

    async def bids(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/bids.html", lots=LOTS)

    async def parts(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/parts.html")

    async def live(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/live.html")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/sign_in.html", form=blank())

    async def form(self, request: web.Request) -> web.StreamResponse:
        return page(request, "gallery/apply.html", form=blank(state="IL", certificate="MULTI"))

    async def send(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request, Application)
        if form.valid is None:
            return page(request, "gallery/apply.html", status=422, form=form)
        return see_other("/bids", flash=f"We have it, {form.valid.legal_name}.")

    async def broken(self, _request: web.Request) -> web.StreamResponse:
        raise INTERNAL()

    async def missing(self, _request: web.Request) -> web.StreamResponse:
        raise NOT_FOUND()


def money(amount_minor: int, currency: str = "USD") -> str:
    """As the pages of the rooms show it."""
    whole, _, cents = format_minor(amount_minor, currency).partition(".")
    return f"${int(whole):,}" + ("" if cents == "00" else f".{cents}")


def gallery_mount() -> Mount:
    gallery = Gallery()

    def row(path: str, handler: object, method: str = "GET") -> Route:
        return Route(method, path, handler, "A page of the gallery", access=None)  # type: ignore[arg-type]

    routes = [
        row("/", gallery.calendar),
        row("/sale", gallery.sale),
        row("/lot", gallery.lot),
        row("/bids", gallery.bids),
        row("/parts", gallery.parts),
        row("/live", gallery.live),
        row("/sign-in", gallery.sign_in),
        row("/apply", gallery.form),
        row("/apply", gallery.send, "POST"),
        row("/broken", gallery.broken),
        row("/missing", gallery.missing),
    ]
    return Mount(
        "gallery",
        routes,
        templates=HERE / "templates",
        static=HERE / "static",
        filters={"money": money},
    )


def shell(request: web.Request) -> PageContext:
    """Signed in everywhere but on the page to sign in."""
    if request.path == "/sign-in":
        return PageContext(sign_in="/sign-in", navigation=[Link("Sales", "/", "calendar")])
    return PageContext(
        visitor=Visitor("Dana Whitfield", "Whitfield Resale LLC"),
        navigation=[
            Link("Sales", "/", "calendar"),
            Link("Current sale", "/sale", "gavel"),
            Link("My bids", "/bids", "list"),
            Link("Watchlist", "/watchlist", "eye"),
            Link("Parts", "/parts", "box"),
        ],
        account=[Link("Team", "/team", "team"), Link("Settings", "/settings", "settings")],
        sign_out="/sign-out",
        foot=[Link("Terms", "/terms"), Link("Privacy", "/privacy"), Link("Help", "/help")],
    )


def gallery() -> web.Application:
    """The gallery as an application."""
    return application([gallery_mount()], context_of=shell)
