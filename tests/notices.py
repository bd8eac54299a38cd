"""Notices over a real database and the real engine; steps are taken when the test says so.

The wall clock stands where the test puts it; engine time is the engine's own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from accounts.clock import wall_clock
from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from auction.commands import CloseDue, Command, ScheduleSale
from auction.cursors_postgres import PostgresCursors
from auction.ids import BidderId, SaleId, shard_of
from auction.ids import PersonId as EnginePersonId
from auction.log_postgres import PostgresLog
from auction.verdicts import Verdict
from bidder_gateway.notices import lists, subscriptions
from bidder_gateway.notices.kinds import Kind, Way
from bidder_gateway.notices.lists import NoticesQuery
from bidder_gateway.notices.preferences import Settings, choose, set_settings
from bidder_gateway.notices.push_key import PushKey, new_scalar
from bidder_gateway.notices.room import Means, Notices
from bidder_gateway.notices.sms import SmsSender
from bidder_gateway.notices.subscriptions import NewSubscription
from bidder_gateway.notices.views import NoticeView
from bidder_gateway.protocol import NoticeFrame, ServerFrame
from foundation.database import Pool, open_pool, transaction
from foundation.mail import Mail, Mailer, MailNotSent
from foundation.outbound import Outbound
from softclose.host import Host
from tests.accounts import ORIGIN, Clock, House, house
from tests.builders import SALE, bid, register
from tests.live import LiveRoom, open_sale
from tests.market import ShiftedClock
from tests.push_service import Browser, PushService, push_service

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


class Mails:
    """A mailer: everything lies here, unless it is told to fail."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.failures: list[MailNotSent] = []

    async def send(self, mail: Mail) -> None:
        """See ``foundation.mail``."""
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(mail)


class Texts:
    """A ``SmsSender``."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, phone: str, text: str) -> None:
        """See ``SmsSender``."""
        self.sent.append((phone, text))


class Pages:
    """Live connections: people in ``here`` have one."""

    def __init__(self) -> None:
        self.here: set[str] = set()
        self.frames: list[tuple[str, dict[str, Any]]] = []

    def is_here(self, person_id: EnginePersonId) -> bool:
        return person_id in self.here

    def tell_person(self, person_id: EnginePersonId, frame: ServerFrame) -> None:
        assert isinstance(frame, NoticeFrame)
        self.frames.append((person_id, frame.notice))


class NoticeRoom:
    """What a test works with."""

    def __init__(
        self,
        host: Host,
        home: House,
        notices: Notices,
        followers_pool: Pool,
        service: PushService,
        mails: Mails,
        texts: Texts,
        pages: Pages,
        outbound: Outbound,
        means: Means,
    ) -> None:
        self.host, self.home, self.notices = host, home, notices
        self.service, self.mails, self.texts, self.pages = service, mails, texts, pages
        self.outbound, self.means, self.followers_pool = outbound, means, followers_pool
        self.clock: Clock = home.clock
        self.pool = means.pool

    # Who there is.

    async def reseller(self, *mails: str, sale: bool = True) -> tuple[BidderId, list[PersonId]]:
        """A reseller whose people, by mail address, may bid; registered for the sale."""
        organisation_id = await self.home.organisation(OrganisationKind.RESELLER, f"Of {mails[0]}")
        people = [await self.home.person(organisation_id, Role.BIDDER, mail=mail) for mail in mails]
        if sale:
            await self.submit(register(organisation_id))
        return BidderId(organisation_id), people

    async def device(self, person_id: PersonId) -> Browser:
        """A browser of this person that takes pushes."""
        browser = self.service.browser()
        new = msgspec.convert(browser.subscription, NewSubscription)
        await subscriptions.keep(
            self.pool, self.outbound, person_id, new, "a browser", self.clock()
        )
        return browser

    async def chooses(self, person_id: PersonId, kind: Kind, way: Way, *, wanted: bool) -> None:
        async with transaction(self.pool) as connection:
            await choose(connection, person_id, {(kind, way): wanted})

    async def sets(self, person_id: PersonId, **settings: Any) -> None:
        async with transaction(self.pool) as connection:
            await set_settings(connection, person_id, Settings(**settings))

    # What happens.

    async def submit(self, command: Command) -> Verdict:
        """The engine's verdict, which must be an acceptance."""
        verdict = await self.host.engine.submit(command)
        assert verdict.accepted, verdict
        return verdict

    async def bid(
        self, bidder: str, amount_minor: int, lot: str = "1", person: str | None = None
    ) -> None:
        """A bid, perhaps of one person of the team."""
        person_id = None if person is None else EnginePersonId(person)
        await self.submit(bid(bidder, amount_minor, lot, person_id=person_id))

    async def ends(self) -> None:
        """Time passes until every lot has ended, and the followers have seen it."""
        assert isinstance(self.host.clock, ShiftedClock), "a room of its own"
        states = self.host.writer.owned.values()
        (sale,) = [state.sales[SALE] for state in states if SALE in state.sales]
        last_us = max(lot.closes_at_us for lot in sale.lots.values())
        self.host.clock.shift_us += last_us - self.host.clock.now_us()
        await self.submit(CloseDue(sale_id=SALE))
        await self.follow()

    async def follow(self, *sale_ids: SaleId) -> None:
        """The followers take what there is to read."""
        for shard in {shard_of(sale_id) for sale_id in (sale_ids or (SALE,))}:
            follower = self.notices.follower(shard, PostgresCursors(self.followers_pool))
            while await follower.step():
                pass

    async def look(self, name: str) -> None:
        """A source looks."""
        (source,) = [source for source in self.notices.sources if name == source.NAME]
        while await source.step():
            pass

    async def carry(self, way: Way) -> int:
        """The lanes of a way carry what is due; how many envelopes."""
        carried = 0
        for lane in self.notices.lanes:
            if lane.way is way:
                while count := await lane.round():
                    carried += count
        return carried

    # What there is to see.

    async def listed(self, person_id: PersonId) -> Sequence[NoticeView]:
        """Somebody's list, the newest first."""
        return (await lists.list_of(self.pool, person_id, NoticesQuery())).items

    async def kinds(self, person_id: PersonId) -> list[Kind]:
        """The kinds in somebody's list, the oldest first, without that they are registered."""
        listed = reversed(await self.listed(person_id))
        return [view.kind for view in listed if view.kind is not Kind.REGISTERED]

    async def deliveries(self, person_id: PersonId) -> list[tuple[str, str, str, str]]:
        """Kind, way, state and reason of what was or is to be sent to somebody."""
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(
                "select kind, way, state, reason from notice_delivery "
                "join notice using (notice_id) where notice.person_id = $1 "
                "order by at_us, way, device",
                person_id,
            )
        return [tuple(row) for row in rows]

    def mails_to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails.sent if mail.to == address]


@asynccontextmanager
async def notice_room(
    database_url: str,
    *,
    sale: ScheduleSale | None = None,
    lots: int = 1,
    mailer: Mailer | None = None,
    sms: bool = False,
    live: LiveRoom | None = None,
) -> AsyncIterator[NoticeRoom]:
    """The engine with one open sale, and notices of it, for the block.

    ``live``: the engine of this room, with its sale and its connections; time goes on by itself.
    """
    async with AsyncExitStack() as layers:
        home = await layers.enter_async_context(house(database_url))
        service = await layers.enter_async_context(push_service())
        outbound = await layers.enter_async_context(
            Outbound(permitted=lambda _address: True, schemes=frozenset({"http"}))
        )
        pool = await open_pool(database_url, name="notices")
        layers.callback(pool.terminate)
        followers_pool = await open_pool(database_url, name="followers")
        layers.callback(followers_pool.terminate)
        if live is not None:
            host = live.host
        else:
            log = PostgresLog(database_url)
            layers.push_async_callback(log.close)
            host = Host(log, ShiftedClock())
            await layers.enter_async_context(host.running())
            await host.writer.serving()
        mails, texts, pages = Mails(), Texts(), Pages()
        sender: SmsSender | None = texts if sms else None
        means = Means(
            pool=pool,
            key=PushKey(new_scalar(), "mailto:ops@example.com"),
            outbound=outbound,
            mailer=mailer or mails,
            sender="Softclose <notices@example.com>",
            sms=sender,
            public_url=ORIGIN,
            pages=live.gateway.hub if live is not None else pages,
            now_us=host.clock.now_us,
            wall_us=wall_clock if live is not None else home.clock,
        )
        room = NoticeRoom(
            host,
            home,
            Notices(means),
            followers_pool,
            service,
            mails,
            texts,
            pages,
            outbound,
            means,
        )
        if live is None:
            await room.submit(sale or open_sale(lots))
        yield room


def of_kind(listed: Iterable[NoticeView], kind: Kind) -> list[NoticeView]:
    """Those of one kind."""
    return [view for view in listed if view.kind is kind]
