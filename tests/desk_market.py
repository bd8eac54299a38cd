"""A market with a desk: sellers, their rivals and staff over HTTP, the engine in this process."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from msgspec import to_builtins

from accounts.clock import wall_clock
from accounts.identity import OrganisationKind, Role
from auction.commands import Command
from auction.desk.live_board import Watching
from auction.desk.room import Desk
from auction.ids import SaleId
from auction.ports import Engine, EventLog
from auction.replica import blank, read_on
from auction.sale import Sale
from auction.verdicts import Verdict
from foundation.database import Pool
from foundation.http.routes import Route
from tests.catalogue import a_line
from tests.desk import a_lot_draft, a_sale_draft
from tests.market import Caller, Market, Reseller, market

DRAFT: Final = to_builtins(a_lot_draft())
LINES: Final = [to_builtins(a_line(1)), to_builtins(a_line(2, pallet="P2"))]


@dataclass(frozen=True)
class Sellers:
    """Two liquidators and staff at one desk's door."""

    market: Market
    desk: Desk
    seller: Reseller
    rival: Reseller
    staff: Reseller
    late: "Late"


class Late:
    """The engine, the log and who watches, of a market that is not open yet."""

    engine: Engine
    log: EventLog
    watching = Watching()

    async def submit(self, command: Command) -> Verdict:
        """See ``Engine``."""
        return await self.engine.submit(command)

    async def sale(self, sale_id: SaleId) -> Sale | None:
        """See ``Folds``."""
        replica = blank(sale_id)
        while chunk := await read_on(self.log, replica):
            for recorded in chunk:
                replica.fold(recorded)
        return replica.sale if replica.exists else None

    def of_sale(self, sale_id: SaleId) -> Watching:
        """See ``Watchers``."""
        return self.watching


@asynccontextmanager
async def desk_market(database_url: str) -> AsyncIterator[Sellers]:
    """The rooms for the block."""
    late, desks = Late(), list[Desk]()

    def routes(pool: Pool, now_us: Callable[[], int]) -> list[Route]:
        desks.append(Desk.over(pool, late, late, late, now_us, wall_clock))
        return desks[0].routes()

    async with market(database_url, routes) as running:
        late.engine, late.log = running.host.engine, running.log
        desks[0].consignors.accounts = running.people.room
        try:
            yield Sellers(
                running,
                desks[0],
                await _of_liquidator(running, "harbor"),
                await _of_liquidator(running, "rival"),
                await running.staff(Role.SETTLEMENT),
                late,
            )
        finally:
            await desks[0].photos.close()


async def _of_liquidator(running: Market, name: str) -> Reseller:
    people = running.people
    organisation_id = await people.organisation(OrganisationKind.LIQUIDATOR, name)
    mail = f"{name}@example.com"
    person_id = await people.person(organisation_id, Role.LIQUIDATOR, mail=mail, name=name)
    return await running.signed_in(person_id)


async def a_lot(by: Caller, **changes: object) -> Any:
    """A draft of a lot in stock."""
    body = {"draft": DRAFT | changes, "lines": LINES}
    return await by.does("POST", "/desk/lots", body, status=201)


async def a_planned_sale(by: Caller, now_us: int, lots: int = 1, **changes: object) -> Any:
    """A draft of a sale with lots in it; its version is 2."""
    draft_ids = [(await a_lot(by, title=f"Lot {n}"))["draft_id"] for n in range(lots)]
    draft = to_builtins(a_sale_draft(now_us, **changes))
    sale = await by.does("POST", "/desk/sales", draft, status=201)
    body = {"draft_ids": draft_ids}
    return await by.does("POST", f"/desk/sales/{sale['sale_id']}/lots", body, If_Match='"1"')


async def a_published_sale(sellers: Sellers, lots: int = 1, **changes: object) -> str:
    """A sale of the seller whose lots are open now; its id."""
    running = sellers.market
    now_us = running.clock.now_us()
    sale = await a_planned_sale(sellers.seller, now_us, lots, **changes)
    path = f"/desk/sales/{sale['sale_id']}/publication"
    await sellers.seller.does("POST", path, If_Match=f'"{sale["version"]}"')
    opens_at_us = now_us + 24 * 3_600_000_000
    running.clock.shift_us += opens_at_us - now_us + 60_000_000
    await running.caught_up()
    sale_id: str = sale["sale_id"]
    return sale_id
