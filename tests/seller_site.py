"""A liquidator at its desk on the whole site, with something in stock."""

import asyncio
from dataclasses import dataclass
from typing import Final

from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from auction.desk.lot_drafts import LotDraft
from auction.desk.pages.room import DeskPagesRoom
from auction.desk.seller import Seller
from auction.ids import ActorId, LiquidatorId, SaleId
from bidder_gateway.sight import STAFF, Onlooker
from tests.desk import a_lot_draft, a_sale_draft
from tests.site import Site, now_us, some_lines

MAIL: Final = "dana@harbor.example"


@dataclass(frozen=True)
class AtDesk:
    """Who sells, and the services of the desk that the pages call too."""

    room: DeskPagesRoom
    organisation_id: OrganisationId
    person_id: PersonId
    mail: str = MAIL

    @property
    def seller(self) -> Seller:
        return Seller(LiquidatorId(self.organisation_id), ActorId(self.person_id))

    async def lot(self, lines: int = 30, **changes: object) -> str:
        """A lot in stock, ready to be sold."""
        draft = a_lot_draft(**changes)
        made = await self.room.lots.create(self.seller, draft, some_lines(len(draft.title), lines))
        return made.draft_id

    async def bare_lot(self) -> str:
        """A lot of which nothing is said yet."""
        return (await self.room.lots.create(self.seller, LotDraft())).draft_id

    async def sale(self, *draft_ids: str, **changes: object) -> SaleId:
        """The draft of a sale of these lots."""
        sale = await self.room.sales.create(self.seller, a_sale_draft(now_us(), **changes))
        if draft_ids:
            await self.room.sales.put_in(self.seller, sale.sale_id, sale.version, draft_ids)
        return sale.sale_id

    async def publish(self, sale_id: SaleId) -> None:
        """As its page does."""
        sale = await self.room.sales.read(self.seller.liquidator_id, sale_id)
        await self.room.sales.publish(self.seller, sale_id, sale.version)


async def at_desk(site: Site, name: str = "Harbor Returns", mail: str = MAIL) -> AtDesk:
    """A new liquidator with one person, who sells and manages its team."""
    organisation_id = await site.people.organisation(OrganisationKind.LIQUIDATOR, name)
    person_id = await site.people.person(
        organisation_id, Role.LIQUIDATOR, Role.ADMIN, mail=mail, name="Dana Whitfield"
    )
    resources = site.house.resources
    room = DeskPagesRoom.of(site.house.desk, resources.pool, resources.clock.now_us)
    return AtDesk(room, organisation_id, person_id, mail)


async def until_found(site: Site, sale_id: SaleId, by: Onlooker = STAFF) -> None:
    """Return when somebody finds a sale that was published."""
    async with asyncio.timeout(10):
        while await site.house.resellers.sales.sale(sale_id, by) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
