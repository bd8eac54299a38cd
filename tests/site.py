"""The resellers' site in this process, whole, over one PostgreSQL and a socket of loopback.

Tests visit it with a browser, or with a `tests.accounts_site.Client`.
"""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace
from PIL import Image, ImageDraw

import softclose.house
from accounts.clock import wall_clock
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from auction.catalog.goods import Condition, ManifestLine
from auction.catalog.listings import (
    LotDetails,
    SaleDetails,
    publish_lots,
    publish_sale,
    save_lot,
    save_sale,
)
from auction.catalog.manifests import save_manifest
from auction.catalog.photo_worker import Resized, resized
from auction.catalog.photos import add_photo
from auction.commands import Command, PlaceBid, RegisterBidder, ScheduleSale
from auction.ids import BidderId, LotId, SaleId
from auction.terms import LotListing, Premium, PremiumTier, SaleAudience, SoftClose, Terms
from auction.verdicts import Verdict
from bidder_gateway.registrations import Accepted
from bidder_gateway.sight import STAFF, onlooker_of
from foundation.database import Pool, transaction
from softclose.house import open_house
from softclose.listener import address_of, listen
from softclose.settings import load
from tests.accounts import PASSWORD, Clock, House, Letterbox
from tests.builders import HOUSE, SECRET, STAFF_MEMBER, new_bid_id
from tests.catalogue import a_described_lot, a_line, a_sale

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
SALE: Final = SaleId("harbor-returns-12")

# What a fast test can wait for: a bid in the last two seconds moves the end by as much.
SHORT: Final = SoftClose(window_us=2_000_000, extension_us=2_000_000)


class WallClock(Clock):
    """Time goes on by itself."""

    def __call__(self) -> int:
        return wall_clock()


def now_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class Reseller:
    """An approved reseller with one person who bids."""

    organisation_id: OrganisationId
    person_id: PersonId
    mail: str
    password: str = PASSWORD

    @property
    def bidder_id(self) -> BidderId:
        return BidderId(self.organisation_id)


@dataclass
class Site:
    """What runs, and hands for it."""

    origin: str
    house: softclose.house.House
    people: House

    @property
    def pool(self) -> Pool:
        return self.house.resources.pool

    async def submit(self, command: Command) -> Verdict:
        """The engine's verdict, which must be an acceptance."""
        verdict = await self.house.host.engine.submit(command)
        assert verdict.accepted, verdict
        return verdict

    async def bid(self, bidder: BidderId, amount_minor: int, lot: str = "1") -> Verdict:
        """A bid that comes by another way than the site."""
        return await self.house.host.engine.submit(
            PlaceBid(
                sale_id=SALE,
                lot_id=LotId(lot),
                bidder_id=bidder,
                bid_id=new_bid_id(),
                amount_minor=amount_minor,
                currency="USD",
            )
        )

    async def reseller(self, name: str, *, approved: bool = True) -> Reseller:
        """A new one, whose person is an admin of its team too."""
        organisation_id = await self.people.organisation(OrganisationKind.RESELLER, name)
        mail = f"{name.split()[0].lower()}@example.com"
        person_id = await self.people.person(
            organisation_id, Role.BIDDER, Role.ADMIN, mail=mail, name=f"Kim {name.split()[0]}"
        )
        if approved:
            async with transaction(self.pool) as connection:
                await connection.execute(_APPROVE, organisation_id, now_us())
        return Reseller(organisation_id, person_id, mail)

    async def admit(self, *resellers: Reseller, **changes: Any) -> None:
        """Have the engine admit them, without limit and tax, as if they had registered."""
        for reseller in resellers:
            settings: dict[str, Any] = {
                "sale_id": SALE,
                "bidder_id": reseller.bidder_id,
                "terms_version": 1,
            }
            await self.submit(RegisterBidder(**(settings | changes)))

    async def register(self, reseller: Reseller) -> None:
        """As the reseller does by the page, with every restriction."""
        secret, identity = await self.people.session(reseller.person_id)
        assert secret
        sale = await self.house.resellers.sales.sale(SALE, onlooker_of(identity))
        assert sale is not None
        accepted = Accepted(
            terms_version=sale.terms.version,
            terms_sha256=sale.terms_sha256,
            restrictions=tuple(sale.restrictions),
        )
        await self.house.resellers.registrations.register(identity, SALE, accepted, "192.0.2.1")

    async def end_us(self, lot: str) -> int:
        """The end in force of a lot."""
        feed = await self.house.gateway.hub.feed(SALE)
        assert feed is not None
        return feed.sale.lots[LotId(lot)].closes_at_us

    async def until_left(self, lot: str, seconds: float) -> None:
        """Return when the lot has so much time left."""
        while True:
            left_us = await self.end_us(lot) - self.house.gateway.now_us()
            wait_s = left_us / 1_000_000 - seconds
            if wait_s <= 0:
                return
            await asyncio.sleep(wait_s)

    async def open_sale(
        self,
        lots: list[tuple[LotDetails, LotListing]],
        *,
        sale: SaleDetails | None = None,
        terms: Terms | None = None,
        audience: SaleAudience = SaleAudience.PUBLIC,
        photos: int = 0,
        lines: list[ManifestLine] | None = None,
    ) -> None:
        """Publish and schedule a sale, and wait until everybody finds it."""
        details = sale or a_sale(SALE, opens_at_us=min(lot.opens_at_us for _, lot in lots))
        async with transaction(self.pool) as connection:
            await save_sale(connection, details)
            for number, (described, _) in enumerate(lots):
                await save_lot(connection, described)
                manifest = lines or some_lines(number)
                await save_manifest(connection, details.sale_id, described.lot_id, manifest)
                for photo in range(photos):
                    files = picture(number * 7 + photo)
                    alt = f"{described.title}, photo {photo + 1}"
                    await add_photo(connection, details.sale_id, described.lot_id, alt, files)
            await publish_sale(connection, details.sale_id, now_us())
            ids = [described.lot_id for described, _ in lots]
            await publish_lots(connection, details.sale_id, ids, now_us())
        await self.submit(_schedule(details.sale_id, [lot for _, lot in lots], terms, audience))
        async with asyncio.timeout(10):
            while await self.house.resellers.sales.sale(details.sale_id, STAFF) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


_APPROVE = """
update approval set state = 'APPROVED', changed_at_us = $2, street = '500 Commerce St',
    city = 'Dallas', region = 'TX', postal_code = '75201', country = 'US'
where organisation_id = $1
"""


def _schedule(
    sale_id: SaleId, lots: list[LotListing], terms: Terms | None, audience: SaleAudience
) -> Command:
    return ScheduleSale(
        sale_id=sale_id,
        liquidator_id=HOUSE,
        audience=audience,
        terms=terms or usual_terms(),
        lots=tuple(lots),
        secret=SECRET,
        actor_id=STAFF_MEMBER,
    )


FIVE_AND_FIVE: Final = SoftClose(5 * MINUTE_US, 5 * MINUTE_US)


def usual_terms(soft_close: SoftClose | None = FIVE_AND_FIVE, **changes: Any) -> Terms:
    """Whole dollars, a premium of 10 %, five minutes of soft close."""
    premium = Premium((PremiumTier(0, 1_000),), minimum_minor=50_00)
    return Terms(**({"premium": premium, "soft_close": soft_close} | changes))


def a_pallet(lot_id: str, ends_in_us: int, **changes: Any) -> tuple[LotDetails, LotListing]:
    """A lot that is open now, as its seller describes it and as the engine has it."""
    described = {k: v for k, v in changes.items() if k in LotDetails.__struct_fields__}
    listed = {k: v for k, v in changes.items() if k in LotListing.__struct_fields__}
    details = a_described_lot(lot_id, **({"sale_id": SALE} | described))
    settings: dict[str, Any] = {
        "lot_id": LotId(lot_id),
        "kind": details.kind,
        "title": details.title,
        "restrictions": details.restrictions,
        "opening_minor": 100_00,
        "opens_at_us": now_us() - HOUR_US,
        "closes_at_us": now_us() + ends_in_us,
    }
    return details, LotListing(**(settings | listed))


def some_lines(seed: int, count: int = 30) -> list[ManifestLine]:
    """A manifest of kitchen things."""
    things = ("Toaster, two slots", "Kettle 1.7 l", "Stand mixer", "Blender", "Coffee maker")
    brands = ("Brindle", "Kestone", "Marlow")
    grades = (Condition.LIKE_NEW, Condition.USED_GOOD, Condition.USED_FAIR)
    return [
        replace(
            a_line(line),
            description=things[(line + seed) % len(things)],
            brand=brands[(line * 3 + seed) % len(brands)],
            subcategory="Small appliances" if line % 3 else "Coffee",
            condition=grades[(line + seed) % 7 % 3],
            quantity=1 + line % 4,
            unit_msrp_minor=29_99 + 10_00 * ((line * 7 + seed) % 12),
            pallet=f"P{1 + line % 2}",
        )
        for line in range(1, count + 1)
    ]


def picture(seed: int) -> Any:
    """A drawn pallet of boxes, in all sizes."""
    image = Image.new("RGB", (800, 600), (216, 220, 226))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 430, 800, 600), fill=(176, 172, 164))
    draw.rectangle((130, 500, 670, 540), fill=(150, 110, 66))
    colours = ((191, 146, 95), (206, 166, 118), (170, 122, 72), (120, 140, 168), (196, 196, 200))
    for row in range(4):
        for column in range(5):
            left, top = 150 + column * 100, 400 - row * 98
            colour = colours[(seed * 3 + row * 5 + column * 7) % len(colours)]
            draw.rectangle((left, top, left + 94, top + 94), fill=colour, outline=(90, 70, 50))
            draw.rectangle((left + 40, top, left + 54, top + 94), fill=(226, 210, 180))
    file = io.BytesIO()
    image.save(file, "PNG")
    answer = resized(file.getvalue())
    assert isinstance(answer, Resized)
    return answer.files


@asynccontextmanager
async def open_site(database_url: str, folder: Path, port: int = 0) -> AsyncIterator[Site]:
    """The site for the block: the very house that ``softclose serve`` puts up."""
    settings = load(data=folder, http_port=port)
    with listen("127.0.0.1", port) as listener:
        async with open_house(settings, database_url, listener, list) as house:
            await house.host.serving()
            people = House(house.resources.accounts, WallClock(), Letterbox())
            yield Site(address_of(listener), house, people)
