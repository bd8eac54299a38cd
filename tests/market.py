"""The resellers' side over a real engine and PostgreSQL: sales, resellers, staff, and their API."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from aiohttp import ClientSession, DummyCookieJar
from msgspec.structs import replace

from accounts.clock import wall_clock
from accounts.http.guard import Door
from accounts.http.mount import mount as accounts_mount
from accounts.http.shell import page_context
from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId
from accounts.passwords import Passwords
from accounts.room import Room
from accounts.tokens import make_token
from auction.catalog.goods import ManifestLine
from auction.catalog.listings import LotDetails, SaleDetails
from auction.clock import EngineClock
from auction.commands import (
    AdmitBidders,
    CloseDue,
    Command,
    DismissBidders,
    PlaceBid,
    ScheduleSale,
)
from auction.ids import BidderId, LotId, SaleId
from auction.log_postgres import PostgresLog
from auction.terms import LotListing, Premium, PremiumTier, SaleAudience, Terms
from auction.verdicts import Verdict
from bidder_gateway.bidding import Bidding
from bidder_gateway.folds import HubFolds
from bidder_gateway.hub import Hub
from bidder_gateway.resellers import Resellers
from foundation.database import Pool, acquire, open_pool, transaction
from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.routes import Mount, Route
from softclose.api_description import about
from softclose.followers import Followers
from softclose.host import Host
from softclose.listener import address_of, listen
from softclose.reselling import freight_offers
from tests.accounts import ORIGIN, Clock, House, Letterbox, cheap_hasher
from tests.builders import (
    HOUR_US,
    HOUSE,
    MINUTE_US,
    SALE,
    SECRET,
    STAFF_MEMBER,
    a_lot,
    new_bid_id,
)
from tests.catalogue import a_described_lot, a_sale, list_lots

DEADLINE_S: Final = 30.0
# 10 %, on hammer prices that are easy to count with.
TERMS: Final = Terms(soft_close=None, premium=Premium((PremiumTier(0, 1_000),)))


# Makes routes of tables and the engine's time.
Beside = Callable[[Pool, Callable[[], int]], Sequence[Route]]


class ShiftedClock(EngineClock):
    """The engine's, which a test may put on: for the log and the machine it is still early."""

    shift_us = 0

    def _followed_us(self) -> int:
        return super()._followed_us() + self.shift_us

    def skew_us(self, log_us: int) -> int:
        return super().skew_us(log_us + self.shift_us)


class WallClock(Clock):
    """Time goes on by itself."""

    def __call__(self) -> int:
        return wall_clock()


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API: by a session's cookie, by a token, or as a guest."""

    market: "Market"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and bytes of an answer."""
        own = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        if "Cookie" in own:
            own["Origin"] = self.market.origin
        data = None if body is None else json.dumps(body)
        if data is not None:
            own.setdefault("Content-Type", "application/json")
        request = self.market.http.request(
            method, f"{self.market.origin}/api/v1{path}", data=data, headers=own
        )
        async with request as response:
            return response.status, await response.read()

    async def get(self, path: str, status: int = 200) -> Any:
        """The JSON value of an answer with this status."""
        return await self.does("GET", path, status=status)

    async def does(
        self, method: str, path: str, body: object = None, *, status: int = 200, **headers: str
    ) -> Any:
        """The JSON value of an answer with this status."""
        found, answered = await self.send(method, path, body, **headers)
        assert found == status, (found, answered)
        return json.loads(answered) if answered else None


@dataclass(frozen=True)
class Reseller(Caller):
    """An approved reseller's one person, with a session."""

    identity: Identity = field(kw_only=True)

    @property
    def bidder_id(self) -> BidderId:
        return BidderId(self.identity.organisation_id)

    @property
    def organisation_id(self) -> OrganisationId:
        return self.identity.organisation_id

    @property
    def person_id(self) -> PersonId:
        return self.identity.person_id

    async def registers(self, sale_id: str = SALE, **more: object) -> Any:
        """Register for the sale on the terms that it has."""
        sale = await self.get(f"/sales/{sale_id}")
        body = {
            "terms_version": sale["terms"]["version"],
            "terms_sha256": sale["terms_sha256"],
            "restrictions": sale["restrictions"],
            **more,
        }
        return await self.does("PUT", f"/sales/{sale_id}/registration", body)

    async def bids(
        self, amount_minor: int, lot: str = "1", sale_id: str = SALE, **more: object
    ) -> Any:
        """Bid over HTTP; the verdict."""
        return await self.does(
            "POST",
            f"/sales/{sale_id}/lots/{lot}/bids",
            {"amount_minor": amount_minor, "currency": "USD", **more},
            Idempotency_Key=new_bid_id(),
        )


@dataclass
class Market:
    """What runs, and hands for it."""

    host: Host
    clock: ShiftedClock
    log: PostgresLog
    pool: Pool
    people: House
    resellers: Resellers
    origin: str
    http: ClientSession

    @property
    def guest(self) -> Caller:
        return Caller(self)

    async def submit(self, command: Command) -> Verdict:
        """The engine's verdict, which must be an acceptance."""
        verdict = await self.host.engine.submit(command)
        assert verdict.accepted, verdict
        return verdict

    async def bid(self, bidder: Reseller, amount_minor: int, lot: str = "1") -> Verdict:
        """A bid that does not come by the API."""
        command = PlaceBid(
            sale_id=SALE,
            lot_id=LotId(lot),
            bidder_id=bidder.bidder_id,
            bid_id=new_bid_id(),
            amount_minor=amount_minor,
            currency="USD",
        )
        return await self.submit(command)

    async def reseller(
        self,
        name: str,
        *,
        limit_minor: int | None = None,
        region: str = "TX",
        approved: bool = True,
        roles: tuple[Role, ...] = (Role.BIDDER, Role.ADMIN),
    ) -> Reseller:
        """A new one in Dallas, whose one person is an admin too."""
        organisation_id = await self.people.organisation(OrganisationKind.RESELLER, name)
        person_id = await self.people.person(
            organisation_id, *roles, mail=f"{name.lower().replace(' ', '.')}@example.com", name=name
        )
        async with transaction(self.pool) as connection:
            state = "APPROVED" if approved else "SUBMITTED"
            values = (state, limit_minor, region, wall_clock())
            await connection.execute(_STANDING, organisation_id, *values)
        return await self.signed_in(person_id)

    async def signed_in(self, person_id: PersonId) -> Reseller:
        """A person with a session."""
        secret, identity = await self.people.session(person_id)
        return Reseller(self, {"Cookie": f"__Host-session={secret}"}, identity=identity)

    async def staff(self, *roles: Role) -> Reseller:
        """Somebody of the house."""
        kind, mail = OrganisationKind.HOUSE, f"staff{new_bid_id()[-4:]}@example.com"
        person_id = await self.people.member(kind, *(roles or (Role.SETTLEMENT,)), mail=mail)
        return await self.signed_in(person_id)

    async def token(self, whose: Reseller, *scopes: Scope) -> Caller:
        """A program of this person."""
        async with transaction(self.pool) as connection:
            made = await make_token(
                connection,
                whose.person_id,
                "program",
                frozenset(scopes),
                expires_at_us=wall_clock() + HOUR_US,
                now_us=wall_clock(),
            )
        return Caller(self, {"Authorization": f"Bearer {made.secret}"})

    async def stands(self, whose: Reseller, **changes: object) -> None:
        """Staff or the reseller change its approval."""
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, start=3))
        start = f"update approval set changed_at_us = $2, {columns}"  # noqa: S608
        statement = f"{start} where organisation_id = $1"
        async with acquire(self.pool) as connection:
            values = (whose.organisation_id, wall_clock(), *changes.values())
            await connection.execute(statement, *values)

    async def certify(
        self, whose: Reseller, region: str = "IL", expires_on: date = date(2099, 1, 1)
    ) -> None:
        """Staff accept a resale certificate."""
        async with acquire(self.pool) as connection:
            await connection.execute(
                _CERTIFY, f"certificate-{region}-{whose.organisation_id}", whose.organisation_id,
                region, expires_on, wall_clock(),
            )  # fmt: skip
        await self.stands(whose, phone="312 555 0100")

    async def opens(
        self,
        *lots: LotListing | str,
        sale_id: str = SALE,
        terms: Terms = TERMS,
        audience: SaleAudience = SaleAudience.PUBLIC,
        sale: SaleDetails | None = None,
        lines: list[ManifestLine] | None = None,
        published: bool = True,
        **details: Any,
    ) -> None:
        """A sale whose lots are open for an hour, as it is found."""
        listings = [lot_of(lot) for lot in lots or ("1",)]
        await self.lists(
            *listings, sale_id=sale_id, sale=sale, lines=lines, published=published, **details
        )
        await self.submit(
            ScheduleSale(
                sale_id=SaleId(sale_id),
                liquidator_id=HOUSE,
                audience=audience,
                terms=terms,
                lots=tuple(listings),
                secret=SECRET,
                actor_id=STAFF_MEMBER,
            )
        )
        await self.caught_up()

    async def admits(self, *whose: Reseller, sale_id: str = SALE, dismissed: bool = False) -> None:
        """The seller lets resellers into a sale, or shuts them out; the tables have it."""
        kind = DismissBidders if dismissed else AdmitBidders
        bidders = tuple(one.bidder_id for one in whose)
        command = kind(sale_id=SaleId(sale_id), bidder_ids=bidders, actor_id=STAFF_MEMBER)
        await self.submit(command)
        await self.caught_up()

    async def is_untaxed(self) -> None:
        """No state takes sales tax, so that amounts are round."""
        async with acquire(self.pool) as connection:
            await connection.execute("delete from tax_rate")

    async def lists(
        self,
        *lots: LotListing | str,
        sale_id: str = SALE,
        sale: SaleDetails | None = None,
        lines: list[ManifestLine] | None = None,
        published: bool = True,
        **details: Any,
    ) -> None:
        """The sale in the catalogue, before the engine has it."""
        listings = [lot_of(lot) for lot in lots]
        described = [_described(listing, sale_id, **details) for listing in listings]
        opens_at_us = min(listing.opens_at_us for listing in listings)
        listed = sale or a_sale(sale_id, opens_at_us=opens_at_us)
        async with acquire(self.pool) as connection:
            await list_lots(
                connection, *described, sale=listed, lines=lines or (), publish=published
            )

    async def closes(self, sale_id: str = SALE) -> None:
        """Time passes until every lot of the sale has ended, and the tables have it."""
        await self.caught_up()
        async with acquire(self.pool) as connection:
            last_end_us = await connection.fetchval(_LAST_END, sale_id)
        await self.passes(last_end_us - self.clock.now_us(), sale_id)

    async def passes(self, time_us: int, sale_id: str = SALE) -> None:
        """So much time passes, and what of the sale ends in it is closed."""
        self.clock.shift_us += time_us
        await self.submit(CloseDue(sale_id=SaleId(sale_id)))
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until the tables have all that the log has."""
        async with asyncio.timeout(DEADLINE_S), acquire(self.pool) as connection:
            heads = await self.log.heads()
            while True:
                rows = await connection.fetch(
                    "select shard, position from log_cursor where name <> 'settlement'"
                )
                followed = {row["shard"]: row["position"] for row in rows}
                if all(followed.get(shard, 0) >= head for shard, head in heads.items()):
                    return
                await asyncio.sleep(0.002)

    async def settled(self) -> None:
        """Have the registrar do all that is due."""
        await self.resellers.registrar.look_at_approvals()
        while await self.resellers.registrar.settle_due():
            await self.caught_up()


_LAST_END = "select max(closes_at_us) from lot_board where sale_id = $1"

_STANDING = """
update approval set state = $2, limit_minor = $3, street = '500 Commerce St', city = 'Dallas',
    region = $4, postal_code = '75201', country = 'US', changed_at_us = $5
where organisation_id = $1
"""

_CERTIFY = """
insert into resale_certificate (certificate_id, organisation_id, region, number, expires_on, state,
    created_at_us)
values ($1, $2, $3, 'RC-1', $4, 'ACCEPTED', $5)
"""


def lot_of(lot: LotListing | str, **changes: Any) -> LotListing:
    """A lot that is open now, and for an hour."""
    now_us = wall_clock()
    times = {"opens_at_us": now_us - HOUR_US, "closes_at_us": now_us + HOUR_US}
    return a_lot(lot, **(times | changes)) if isinstance(lot, str) else lot


def closing_in(minutes: float, lot_id: str = "1", **changes: Any) -> LotListing:
    """A lot that ends before those of `lot_of`."""
    closes_at_us = wall_clock() + round(minutes * MINUTE_US)
    return lot_of(lot_id, closes_at_us=closes_at_us, **changes)


def _described(listing: LotListing, sale_id: str, **changes: Any) -> LotDetails:
    described = a_described_lot(listing.lot_id, sale_id, **changes)
    return replace(described, title=listing.title, restrictions=listing.restrictions)


@asynccontextmanager
async def market(database_url: str, beside: Beside = lambda *_: ()) -> AsyncIterator[Market]:
    """The rooms for the block. The registrar is told to work by `Market.settled`.

    ``beside``: more routes, of another room over the same tables and clock.
    """
    async with AsyncExitStack() as layers:
        log = PostgresLog(database_url)
        layers.push_async_callback(log.close)
        clock = ShiftedClock()
        host = Host(log, clock)
        followers = Followers(database_url, host)
        await layers.enter_async_context(host.running(followers.run()))
        pool = await open_pool(database_url, name="market")
        layers.callback(pool.terminate)
        passwords, post = Passwords(cheap_hasher()), Letterbox()
        layers.callback(passwords.close)
        room = Room(pool, passwords, post, ORIGIN, wall_clock)
        hub = Hub(log)
        host.bus.listen(hub.hear)
        await host.writer.serving()
        freight = freight_offers(pool, host.clock)
        bidding = Bidding(host.engine, freight)
        rooms = (host.engine, HubFolds(hub), bidding, freight, host.clock.now_us)
        resellers = Resellers.over(pool, log, *rooms)
        app = application(
            [
                Mount("bidder_gateway", resellers.routes()),
                Mount("auction", beside(pool, host.clock.now_us)),
                accounts_mount(room),
            ],
            guard=Door(pool, wall_clock).guard,
            context_of=page_context,
            about=about(),
        )
        listener = layers.enter_context(listen("127.0.0.1", 0))
        await layers.enter_async_context(answering(listener, app))
        http = await layers.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        yield Market(
            host,
            clock,
            log,
            pool,
            House(room, WallClock(), post),
            resellers,
            address_of(listener),
            http,
        )
