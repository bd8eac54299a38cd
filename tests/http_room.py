"""A small room for tests of the HTTP kit: one route of each kind, and nothing behind them."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import asyncpg
from aiohttp import web
from msgspec import Meta, Struct

from foundation.http.answers import answer, created
from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.forms import Upload, blank, form_of
from foundation.http.pages import page, see_other
from foundation.http.problems import NOT_FOUND, ProblemKind
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Media, Mount, Route

TEMPLATES = Path(__file__).parent / "http_templates"
NO_MORE_CRATES = ProblemKind("NO_MORE_CRATES", 409, "The shelf is full")

CRATES = [f"crate-{number:02}" for number in range(25)]


class Label(Input):
    """A nested part of a body."""

    text: Annotated[str, Meta(min_length=1, max_length=20)]


class NewCrate(Input):
    """What a crate is made of."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    weight_g: Annotated[int, Meta(ge=1, le=10**9)] = 1
    labels: Annotated[tuple[Label, ...], Meta(max_length=5)] = ()


class Crate(Struct):
    """A crate."""

    name: str
    weight_g: int


class CrateKey(Struct):
    """The sort key of crates."""

    name: Annotated[str, Meta(max_length=40)]


class Enquiry(Input):
    """What somebody asks about a crate, with a picture."""

    subject: Annotated[str, Meta(min_length=3, max_length=50)]
    copies: Annotated[int, Meta(ge=1, le=9)] = 1
    urgent: bool = False
    picture: Upload | None = None


class Shelf:
    """Handlers of the room."""

    def __init__(self) -> None:
        self.enquiries: list[Enquiry] = []

    async def crate(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in CRATES:
            raise NOT_FOUND()
        return answer(request, Crate(name, 7))

    async def crates(self, request: web.Request) -> web.StreamResponse:
        query = query_of(request, Paging)
        after = key_of_cursor(query.cursor, CrateKey)
        rows = [name for name in CRATES if after is None or name > after.name]
        shown: Listing[Crate] = listing(
            rows[: query.limit + 1], query.limit, lambda name: Crate(name, 7), CrateKey
        )
        return answer(request, shown)

    async def add(self, request: web.Request) -> web.StreamResponse:
        crate = await body_of(request, NewCrate)
        if crate.name == "one too many":
            raise NO_MORE_CRATES("All 25 places are taken.")
        return created(request, Crate(crate.name, crate.weight_g), f"/api/v1/crates/{crate.name}")

    async def breaks(self, _request: web.Request) -> web.StreamResponse:
        raise RuntimeError("the password is hunter2")

    async def away(self, _request: web.Request) -> web.StreamResponse:
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    async def show(self, request: web.Request) -> web.StreamResponse:
        return page(request, "shelf/shelf.html", form=blank(subject="<b>"))

    async def ask(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request, Enquiry)
        if form.valid is None:
            return page(request, "shelf/shelf.html", status=422, form=form)
        self.enquiries.append(form.valid)
        return see_other("/shelf", flash="Thank you & see you <soon>.")

    def mount(self) -> Mount:
        """The room's rows."""
        return Mount(
            "shelf",
            [
                Route("GET", "/api/v1/crates", self.crates, "All crates", access=None,
                      query=Paging, answer=Listing[Crate]),
                Route("POST", "/api/v1/crates", self.add, "Add a crate", access=None,
                      body=NewCrate, answer=Crate, status=201, problems=(NO_MORE_CRATES,)),
                Route("GET", "/api/v1/crates/{name}", self.crate, "One crate", access=None,
                      answer=Crate, problems=(NOT_FOUND,)),
                Route("GET", "/api/v1/crates.csv", self.breaks, "All crates as a table",
                      access=None, answer=Media("text/csv")),
                Route("GET", "/api/v1/breaks", self.breaks, "Breaks", access=None),
                Route("GET", "/api/v1/away", self.away, "Has no database", access=None),
                Route("GET", "/breaks", self.breaks, "Breaks", access=None),
                Route("GET", "/shelf", self.show, "The shelf", access=None),
                Route("POST", "/shelf", self.ask, "Ask about a crate", access=None,
                      max_body=200_000),
            ],
            templates=TEMPLATES,
        )  # fmt: skip


@asynccontextmanager
async def serving_shelf(
    shelf: Shelf | None = None, **options: Any
) -> AsyncIterator[tuple[str, int]]:
    """The room served as a host would; where it is."""
    app = application([(shelf or Shelf()).mount()], **options)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        async with answering(listener, app):
            yield listener.getsockname()[:2]
