"""A draft becomes a sale, whole or not at all, whatever dies on the way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from accounts.clock import wall_clock
from auction.catalog.goods import manifest_sha256
from auction.catalog.listings import read_sale as read_published
from auction.catalog.manifests import read_manifest
from auction.commands import AddLots, Command, ScheduleSale
from auction.desk.buyer_groups import BuyerGroups
from auction.desk.consignors import Consignors, ConsignorWords
from auction.desk.lot_drafts import change_lot, read_lot, stock
from auction.desk.publishing import Publishing
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftState, read_sale, take_out
from auction.desk.schedule import Schedule, wall_time, zone_of
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.ports import OutcomeUnknown
from auction.replica import blank, read_on
from auction.sale import Sale
from auction.terms import SaleAudience
from foundation.database import transaction
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line
from tests.consignors import a_consignor, agreement
from tests.desk import SELLER, ZONE, Desk, a_desk, a_lot_draft, a_sale_draft


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(database_url) as desk:
        yield desk


async def in_the_log(desk: Desk, sale_id: SaleId) -> Sale:
    replica = blank(sale_id)
    while chunk := await read_on(desk.host.log, replica):
        for recorded in chunk:
            replica.fold(recorded)
    return replica.sale


async def published_lots(desk: Desk, sale_id: SaleId) -> list[str]:
    async with desk.pool.acquire() as connection:
        rows = await connection.fetch(
            "select lot_id from lot_listing where sale_id = $1 and published_at_us is not null"
            " order by place",
            sale_id,
        )
    return [row["lot_id"] for row in rows]


async def state_of(desk: Desk, sale_id: SaleId) -> DraftState:
    async with desk.pool.acquire() as connection:
        return (await read_sale(connection, SELLER, sale_id)).state


async def publish(desk: Desk, sale_id: SaleId) -> DraftState:
    version = await desk.version(sale_id)
    return await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)


async def test_what_is_published_is_what_was_drafted(desk: Desk) -> None:
    lines, seller = [a_line(1), a_line(2, quantity=5)], Seller(SELLER, STAFF_MEMBER)
    north, agreed = await a_consignor(Consignors(desk.pool, wall_clock, None), seller)
    consigned = {
        "consignor_id": north.consignor_id,
        "agreement_id": agreed.agreement_id,
        "agreement_version": 1,
    }
    papers = {"load": "L-7", "purchase_order": "PO-8", "rma": "RMA-9"}
    first = await desk.lot(a_lot_draft(title="First", **consigned, **papers), lines)
    second = await desk.lot(a_lot_draft(title="Second", reserve_minor=None))
    sale_id = await desk.sale(first, second)
    assert await publish(desk, sale_id) is DraftState.PUBLISHED
    sale = await in_the_log(desk, sale_id)
    assert [lot.title for lot in sale.lots.values()] == ["First", "Second"]
    assert sale.lots[LotId("1")].reserve_minor == 400_00
    step_us = sale.lots[LotId("2")].closes_at_us - sale.lots[LotId("1")].closes_at_us
    assert step_us == 60_000_000
    assert {north.consignor_id, SELLER} <= sale.seller_ids
    async with desk.pool.acquire() as connection:
        settled_by = await connection.fetch(
            "select * from consigned_lot where sale_id = $1", sale_id
        )
        assert [tuple(row) for row in settled_by] == [
            (sale_id, "1", north.consignor_id, agreed.agreement_id, 1, 1, "L-7", "PO-8", "RMA-9")
        ]
        entry = await read_published(connection, sale_id)
        assert entry is not None and entry.details.title == "Returns of March"
        assert await read_manifest(connection, sale_id, LotId("1")) == lines
        digest = await connection.fetchval(
            "select manifest_sha256 from lot_listing where sale_id = $1 and lot_id = '1'", sale_id
        )
    assert digest == manifest_sha256("USD", lines)
    assert await published_lots(desk, sale_id) == ["1", "2"]


async def test_a_sale_that_is_not_ready_is_refused_with_what_it_lacks(desk: Desk) -> None:
    sale_id = await desk.sale(await desk.lot(a_lot_draft(street="", opening_minor=None)))
    with pytest.raises(Refused, match="NOT_READY") as refused:
        await publish(desk, sale_id)
    assert "Lot 1 has no street" in refused.value.message
    assert "Lot 1 has no opening bid" in refused.value.message
    assert await state_of(desk, sale_id) is DraftState.DRAFT
    assert desk.engine.sent == []


async def test_a_draft_that_changed_since_it_was_looked_at_is_not_published(desk: Desk) -> None:
    sale_id = await desk.sale(await desk.lot())
    with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
        await desk.publishing.publish(SELLER, sale_id, 99, STAFF_MEMBER)


async def test_anothers_draft_is_one_that_does_not_exist(desk: Desk) -> None:
    sale_id = await desk.sale(await desk.lot())
    for wanted in (sale_id, SaleId("sale-none")):
        with pytest.raises(Refused, match="NOT_FOUND"):
            await desk.publishing.publish(LiquidatorId("rival"), wanted, 1, STAFF_MEMBER)


async def test_it_is_published_once(desk: Desk) -> None:
    sale_id = await desk.sale(await desk.lot())
    await publish(desk, sale_id)
    with pytest.raises(Refused, match="PUBLISHED_ALREADY"):
        await publish(desk, sale_id)


async def test_what_is_published_is_changed_no_more(desk: Desk) -> None:
    draft_id = await desk.lot()
    sale_id = await desk.sale(draft_id)
    await publish(desk, sale_id)
    async with transaction(desk.pool) as connection:
        lot = await read_lot(connection, SELLER, draft_id, lock=True)
        with pytest.raises(Refused, match="PUBLISHED_ALREADY"):
            other = replace(lot.draft, title="Other")
            await change_lot(connection, lot, lot.version, other, STAFF_MEMBER, 0)
        sale = await read_sale(connection, SELLER, sale_id, lock=True)
        with pytest.raises(Refused, match="PUBLISHED_ALREADY"):
            await take_out(connection, sale, [draft_id], STAFF_MEMBER, 0)


class Died(BaseException):
    """The process was killed here."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", [ScheduleSale, AddLots])
async def test_a_crash_around_a_command_is_finished_at_the_next_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, moment: str, kind: type[Command]
) -> None:
    monkeypatch.setattr("auction.desk.publishing.MAX_LOTS_PER_COMMAND", 2)
    sale_id = await desk.sale(*[await desk.lot() for _ in range(5)])

    async def die(command: Command) -> None:
        if isinstance(command, kind):
            raise Died

    setattr(desk.engine, moment, die)
    with pytest.raises(Died):
        await publish(desk, sale_id)
    assert await state_of(desk, sale_id) is DraftState.PUBLISHING
    assert await published_lots(desk, sale_id) == []
    desk.engine.before = desk.engine.after = None
    await once(Publishing(desk.pool, desk.engine, desk.host.clock.now_us))
    assert await state_of(desk, sale_id) is DraftState.PUBLISHED
    assert await published_lots(desk, sale_id) == ["1", "2", "3", "4", "5"]
    assert list((await in_the_log(desk, sale_id)).lots) == ["1", "2", "3", "4", "5"]


async def once(publishing: Publishing) -> None:
    """One round of ``resume``."""
    resuming = asyncio.create_task(publishing.resume())
    try:
        async with asyncio.timeout(10):
            while await unfinished(publishing):  # noqa: ASYNC110 - a table knows nothing of us
                await asyncio.sleep(0.01)
    finally:
        resuming.cancel()
        await asyncio.gather(resuming, return_exceptions=True)


async def unfinished(publishing: Publishing) -> Any:
    async with publishing._pool.acquire() as connection:
        return await connection.fetchval(
            "select count(*) from sale_draft where state = 'PUBLISHING'"
        )


async def test_an_engine_that_is_away_is_asked_again_and_the_seller_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.desk.publishing.RETRY_AFTER_S", (0.0, 0.0))
    sale_id = await desk.sale(await desk.lot())

    async def away(_: Command) -> None:
        raise OutcomeUnknown

    desk.engine.before = away
    assert await publish(desk, sale_id) is DraftState.PUBLISHING
    assert len(desk.engine.sent) == 3
    desk.engine.before = None
    await once(desk.publishing)
    assert await published_lots(desk, sale_id) == ["1"]


async def test_a_sale_whose_time_has_passed_is_a_draft_again(desk: Desk) -> None:
    """After a long crash between the first step and the second."""
    draft_id = await desk.lot()
    await desk.photograph(draft_id)
    sale_id = await desk.sale(draft_id)

    async def late(command: Command) -> None:
        if isinstance(command, ScheduleSale):
            lots = tuple(replace(lot, opens_at_us=0, closes_at_us=1) for lot in command.lots)
            desk.engine.before = None
            verdict = await desk.engine.engine.submit(replace(command, lots=lots))
            assert not verdict.accepted
            raise Died

    desk.engine.before = late
    with pytest.raises(Died):
        await publish(desk, sale_id)

    refuse = desk.engine.engine

    class Refusing:
        async def submit(self, command: Command) -> Any:
            assert isinstance(command, ScheduleSale)
            lots = tuple(replace(lot, opens_at_us=0, closes_at_us=1) for lot in command.lots)
            return await refuse.submit(replace(command, lots=lots))

    publishing = Publishing(desk.pool, Refusing(), desk.host.clock.now_us)
    await once(publishing)
    assert await state_of(desk, sale_id) is DraftState.DRAFT
    async with desk.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from lot_listing") == 0
        assert await connection.fetchval("select count(*) from sale_listing") == 0
        assert await connection.fetchval("select count(*) from lot_photo") == 0
        lot = await read_lot(connection, SELLER, draft_id)
    assert (lot.sale_id, lot.sale_state) == (sale_id, "DRAFT")
    assert await publish(desk, sale_id) is DraftState.PUBLISHED


async def test_lots_that_the_engine_refuses_late_are_in_stock_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.desk.publishing.MAX_LOTS_PER_COMMAND", 1)
    drafts = [await desk.lot(), await desk.lot()]
    await desk.photograph(*drafts)
    sale_id = await desk.sale(*drafts)
    engine = desk.engine.engine

    class Refusing:
        async def submit(self, command: Command) -> Any:
            if isinstance(command, AddLots):
                lots = tuple(replace(lot, opens_at_us=0, closes_at_us=1) for lot in command.lots)
                command = replace(command, lots=lots)
            return await engine.submit(command)

    desk.publishing = Publishing(desk.pool, Refusing(), desk.host.clock.now_us)
    assert await publish(desk, sale_id) is DraftState.PUBLISHED
    assert await published_lots(desk, sale_id) == ["1"]
    async with desk.pool.acquire() as connection:
        assert [lot.draft_id for lot in await stock(connection, SELLER, "")] == [drafts[1]]


async def test_a_sale_opens_later_than_it_is_published(desk: Desk) -> None:
    zone, now_us = zone_of(ZONE), desk.now_us
    times = Schedule(
        time_zone=ZONE,
        opens=wall_time(now_us - 60_000_000, zone),
        first_end=wall_time(now_us + 86_400_000_000, zone),
        second=False,
    )
    sale_id = await desk.sale(await desk.lot(), draft=replace(a_sale_draft(now_us), schedule=times))
    with pytest.raises(Refused, match="NOT_READY"):
        await publish(desk, sale_id)


async def test_two_who_publish_at_once_publish_one_sale(desk: Desk) -> None:
    sale_id = await desk.sale(await desk.lot())
    version = await desk.version(sale_id)
    results = await asyncio.gather(
        *(desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER) for _ in range(2)),
        return_exceptions=True,
    )
    assert DraftState.PUBLISHED in results
    (refused,) = (result for result in results if result is not DraftState.PUBLISHED)
    assert isinstance(refused, Refused) and refused.refusal is Refusal.PUBLISHED_ALREADY


@pytest.mark.parametrize("audience", [SaleAudience.GROUP, SaleAudience.INVITE])
async def test_only_whom_the_seller_chose_may_enter(desk: Desk, audience: SaleAudience) -> None:
    groups, rival = BuyerGroups(desk.pool, wall_clock), LiquidatorId("rival")
    by = Seller(SELLER, STAFF_MEMBER)
    await groups.add(by, "regulars", [BidderId("ann")])
    await groups.add(by, "new", [BidderId("ann"), BidderId("bob")])
    await groups.add(Seller(rival, STAFF_MEMBER), "regulars", [BidderId("cid")])
    gone = await groups.add(by, "gone", [BidderId("eve")])
    await groups.remove(by, gone.group_id, gone.version)
    draft = replace(
        a_sale_draft(desk.now_us),
        audience=audience,
        groups=("regulars", "new", "gone"),
        invited=(BidderId("dan"),),
    )
    sale_id = await desk.sale(await desk.lot(), draft=draft)
    assert await publish(desk, sale_id) is DraftState.PUBLISHED
    sale = await in_the_log(desk, sale_id)
    assert sale.audience is audience
    admitted = {"ann", "bob"} if audience is SaleAudience.GROUP else {"dan"}
    assert set(sale.admitted) == admitted


async def test_a_sale_for_nobody_is_not_ready(desk: Desk) -> None:
    for audience in (SaleAudience.GROUP, SaleAudience.INVITE):
        draft = replace(a_sale_draft(desk.now_us), audience=audience)
        sale_id = await desk.sale(await desk.lot(), draft=draft)
        with pytest.raises(Refused, match="NOT_READY"):
            await publish(desk, sale_id)


async def test_a_sale_for_groups_in_which_nobody_is_is_asked_about(desk: Desk) -> None:
    groups, by = BuyerGroups(desk.pool, wall_clock), Seller(SELLER, STAFF_MEMBER)
    await groups.add(by, "empty", [])
    await groups.add(by, "regulars", [BidderId("ann")])
    for names, asked in ((("empty",), True), (("empty", "regulars"), False)):
        draft = replace(a_sale_draft(desk.now_us), audience=SaleAudience.GROUP, groups=names)
        sale_id = await desk.sale(await desk.lot(), draft=draft)
        codes = {one.code for one in await desk.publishing.check(SELLER, sale_id)}
        assert ("EMPTY_GROUPS" in codes) is asked


async def test_consigned_goods_are_not_published_before_anything_is_agreed(desk: Desk) -> None:
    consignors, seller = Consignors(desk.pool, wall_clock, None), Seller(SELLER, STAFF_MEMBER)
    north = await consignors.add(seller, ConsignorWords(name="Northwind"))
    unknown = await desk.lot(a_lot_draft(consignor_id="northwind"))
    unbound = await desk.lot(a_lot_draft(consignor_id=north.consignor_id))
    sale_id = await desk.sale(unknown, unbound)
    with pytest.raises(Refused, match="NOT_READY") as refused:
        await publish(desk, sale_id)
    assert "Lot 1: you have no such consignor." in refused.value.message
    assert "Lot 2: no agreement with Northwind is in force." in refused.value.message
    euros = agreement(currency="EUR")
    made, _ = await consignors.agree(seller, north.consignor_id, euros)
    await consignors.agree_anew(seller, north.consignor_id, made.agreement_id, 1, euros)
    found = {
        finding.code: finding.message for finding in await desk.publishing.check(SELLER, sale_id)
    }
    assert "Agree on USD, or take the lot out." in found["OTHER_CURRENCY"]
    assert "a newer one is in force" in found["OLD_AGREEMENT"]
    assert desk.engine.sent == []
