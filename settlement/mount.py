"""Settlement as the host mounts it: the API's rows and the pages, one room."""

from pathlib import Path
from typing import Final

from auction.catalog.words import FILTERS
from foundation.http.routes import Mount
from settlement.pages.mount import routes as page_routes
from settlement.pages.words import FILTERS as WORDS
from settlement.room import Settlement

_HERE: Final = Path(__file__).parent


def mount(settlement: Settlement) -> Mount:
    """The routes of this room; the host gives them the guard of an `accounts.http.guard.Door`."""
    return Mount(
        "settlement",
        [*page_routes(settlement), *settlement.routes()],
        templates=_HERE / "templates",
        static=_HERE / "static",
        filters={**FILTERS, **WORDS},
    )
