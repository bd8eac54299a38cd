"""From the log to the lists of people: each notice once, for whom it is meant."""

from dataclasses import replace

from accounts.ids import PersonId
from auction.commands import LotTimes, MoveLots, PauseSale, ResumeSale, WithdrawalCause
from auction.ids import LotId
from bidder_gateway.notices.kinds import HOUR_US, Kind, Way
from bidder_gateway.notices.lists import mark_all_read, unread
from bidder_gateway.notices.room import Notices
from foundation.database import transaction
from tests.builders import SALE, STAFF_MEMBER, register, void, withdraw
from tests.live import now_us, open_sale
from tests.notices import NoticeRoom, notice_room, of_kind


async def watch(room: NoticeRoom, person_id: PersonId, lot: str, watched: bool = True) -> None:
    """Somebody says whether they watch a lot."""
    async with transaction(room.pool) as connection:
        await connection.execute(
            "insert into watched_lot values ($1, $2, $3, $4, 0)", person_id, SALE, lot, watched
        )


async def count(room: NoticeRoom, table: str) -> int:
    async with transaction(room.pool) as connection:
        return int(await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608


async def test_who_is_outbid_finds_it_in_the_list(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    assert await room.kinds(kim) == [Kind.OUTBID]
    assert await room.kinds(joe) == []
    (view,) = of_kind(await room.listed(kim), Kind.OUTBID)
    assert view.title == "Outbid on Mixed returns"
    assert view.link == f"/sales/S-1/lots/1?bid={view.next_minimum_minor}"
    assert (view.read, view.urgent) == (False, True)


async def test_a_bidding_war_in_one_step_is_one_notice(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    for step in range(1, 11):
        await room.bid(ann if step % 2 else bert, step * 100_00)
    await room.follow()
    assert await room.kinds(kim) == [Kind.OUTBID]
    assert await room.kinds(joe) == []  # outbid four times, and leads


async def test_a_newer_notice_takes_the_place_of_an_unread_one(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    cora, _ = await room.reseller("eve@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    (first,) = of_kind(await room.listed(kim), Kind.OUTBID)
    await room.submit(void(bert))
    await room.bid(cora, 500_00)
    await room.follow()
    assert await room.kinds(kim) == [Kind.LEADING_AGAIN, Kind.OUTBID]
    (second,) = of_kind(await room.listed(kim), Kind.OUTBID)
    assert second.notice_id != first.notice_id


async def test_a_read_notice_stays_beside_a_newer_one(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    for ours, theirs in ((100_00, 200_00), (300_00, 400_00)):
        await room.bid(ann, ours)
        await room.bid(bert, theirs)
        await room.follow()
        await mark_all_read(room.pool, kim, 2**53, room.clock())
    assert await room.kinds(kim) == [Kind.OUTBID, Kind.OUTBID]


async def test_to_lead_again_is_to_have_seen_it(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    before = await unread(room.pool, kim)
    await room.bid(ann, 900_00)
    await room.follow()
    assert await unread(room.pool, kim) == before - 1


async def test_outbid_goes_to_those_of_the_team_who_bid_on_the_lot(room: NoticeRoom) -> None:
    ann, (kim, lou) = await room.reseller("kim@example.com", "lou@example.com")
    bert, _ = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00, person=kim)
    await room.bid(bert, 300_00)
    await room.bid(ann, 100_00, lot="2")  # by a program of the whole team
    await room.bid(bert, 300_00, lot="2")
    await room.follow()
    assert await room.kinds(kim) == [Kind.OUTBID, Kind.OUTBID]
    assert await room.kinds(lou) == [Kind.OUTBID]


async def test_who_watches_is_told_that_a_lot_is_withdrawn(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    _, (joe,) = await room.reseller("joe@example.com")
    _, (eve,) = await room.reseller("eve@example.com")
    await room.bid(ann, 100_00, lot="2", person=kim)
    await watch(room, joe, "1")
    await watch(room, joe, "2")
    await watch(room, kim, "2", watched=False)  # who has bid is told all the same
    await room.submit(withdraw("1"))
    await room.submit(withdraw("2", cause=WithdrawalCause.RECALL))
    await room.follow()
    assert await room.kinds(joe) == [Kind.LOT_WITHDRAWN, Kind.LOT_WITHDRAWN]
    assert await room.kinds(kim) == [Kind.LOT_WITHDRAWN]
    assert await room.kinds(eve) == []


async def test_who_watches_is_told_once_that_the_seller_moved_lots(database_url: str) -> None:
    opens_at_us = now_us() + HOUR_US
    later = open_sale(3, opens_at_us=opens_at_us, closes_at_us=opens_at_us + HOUR_US)
    async with notice_room(database_url, sale=later) as room:
        _, (kim,) = await room.reseller("kim@example.com")
        _, (joe,) = await room.reseller("joe@example.com")
        _, (eve,) = await room.reseller("eve@example.com")
        for lot in ("1", "2"):
            await watch(room, kim, lot)
        await watch(room, joe, "3")
        await watch(room, eve, "1", watched=False)
        times = tuple(
            LotTimes(LotId(lot), opens_at_us, opens_at_us + end_us)
            for lot, end_us in (("1", 3 * HOUR_US), ("2", 2 * HOUR_US))
        )
        await room.submit(MoveLots(sale_id=SALE, times=times, actor_id=STAFF_MEMBER))
        await room.follow()
        assert await room.kinds(kim) == [Kind.LOTS_RESCHEDULED]
        assert [await room.kinds(who) for who in (joe, eve)] == [[], []]
        (view,) = of_kind(await room.listed(kim), Kind.LOTS_RESCHEDULED)
        assert (view.lot_id, view.closes_at_us) == (None, opens_at_us + 2 * HOUR_US)
        assert view.text == "The seller moved the times of 2 of your lots."


_HIDDEN_SALE = """
insert into sale_board (sale_id, liquidator_id, currency, audience, terms, scheduled_at_us)
values ($1, 'house', 'USD', 'INVITE', '{}', 1)
"""


async def test_who_watches_what_they_may_not_see_any_more_is_told_nothing(
    room: NoticeRoom,
) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    cora, (eve,) = await room.reseller("eve@example.com")
    async with transaction(room.pool) as connection:
        await connection.execute(_HIDDEN_SALE, SALE)
        await connection.execute("insert into admitted_bidder values ($1, $2)", SALE, ann)
    await room.bid(cora, 100_00, lot="2", person=eve)
    for person_id in (kim, joe):
        await watch(room, person_id, "2")
    await room.submit(withdraw("2", cause=WithdrawalCause.RECALL))
    await room.follow()
    assert await room.kinds(kim) == [Kind.LOT_WITHDRAWN]
    assert await room.kinds(joe) == [], "shut out since, or never let in"
    assert await room.kinds(eve) == [Kind.LOT_WITHDRAWN], "a bid that stands is told of"
    assert bert != ann


async def test_a_pause_is_one_notice_to_each_person(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    _, (joe,) = await room.reseller("joe@example.com")
    _, (eve,) = await room.reseller("eve@example.com")
    await room.bid(ann, 100_00, lot="1", person=kim)
    await watch(room, kim, "2")
    await watch(room, joe, "3")
    await watch(room, eve, "3", watched=False)
    await room.submit(PauseSale(sale_id=SALE, reason="a fire alarm", actor_id=STAFF_MEMBER))
    await room.follow()
    assert await room.kinds(kim) == [Kind.SALE_PAUSED]
    assert await room.kinds(joe) == [Kind.SALE_PAUSED]
    assert await room.kinds(eve) == []
    (view,) = of_kind(await room.listed(kim), Kind.SALE_PAUSED)
    assert view.text.startswith("a fire alarm")
    assert view.link == "/sales/S-1"
    await room.submit(ResumeSale(sale_id=SALE, actor_id=STAFF_MEMBER))
    await room.follow()
    assert await room.kinds(kim) == [Kind.SALE_PAUSED, Kind.SALE_RESUMED]


async def test_a_registration_is_told_once(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    await room.follow()
    await room.submit(register(ann, terms_version=1, restrictions=("hazmat",)))
    await room.follow()
    assert [view.kind for view in await room.listed(kim)] == [Kind.REGISTERED]


async def test_the_end_of_a_lot_is_told_to_all_who_bid(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.ends()
    assert await room.kinds(kim) == [Kind.LOT_LOST]
    assert await room.kinds(joe) == [Kind.LOT_WON]
    for table in ("notice_sale", "notice_lot", "notice_bidder"):
        assert await count(room, table) == 0


async def test_what_is_long_over_is_not_told_but_known(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    engine_us = room.means.now_us
    room.notices = Notices(replace(room.means, now_us=lambda: engine_us() + HOUR_US))
    await room.follow()
    assert await room.kinds(kim) == []
    room.notices = Notices(room.means)
    await room.bid(ann, 900_00)  # the leader is known all the same
    await room.follow()
    assert await room.kinds(joe) == [Kind.OUTBID]


async def test_who_has_a_page_open_gets_a_frame_and_nobody_else(room: NoticeRoom) -> None:
    ann, (kim, lou) = await room.reseller("kim@example.com", "lou@example.com")
    bert, (joe,) = await room.reseller("joe@example.com")
    room.pages.here = {kim, joe}
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    frames = [(person, frame) for person, frame in room.pages.frames if frame["kind"] == "OUTBID"]
    ((person, frame),) = frames
    assert person == kim
    assert frame["title"] == "Outbid on Mixed returns"
    assert lou not in {person for person, _ in room.pages.frames}


async def test_who_wants_nothing_of_a_kind_gets_nothing(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    for way in Way:
        await room.chooses(kim, Kind.OUTBID, way, wanted=False)
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    assert await room.kinds(kim) == []
    assert not [one for one in await room.deliveries(kim) if one[0] == "OUTBID"]


async def test_what_is_not_listed_is_sent_all_the_same(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    await room.chooses(kim, Kind.OUTBID, Way.PAGE, wanted=False)
    await room.bid(ann, 100_00)
    await room.bid(bert, 300_00)
    await room.follow()
    assert await room.kinds(kim) == []
    assert ("OUTBID", "MAIL", "WAITING", "") in await room.deliveries(kim)


async def test_what_binds_somebody_is_always_listed(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com")
    for way in Way:
        await room.chooses(kim, Kind.BIDS_VOIDED, way, wanted=False)
    await room.bid(ann, 100_00)
    await room.submit(void(ann))
    await room.follow()
    assert await room.kinds(kim) == [Kind.BIDS_VOIDED]


async def test_the_tables_say_what_the_fold_says(room: NoticeRoom) -> None:
    ann, _ = await room.reseller("kim@example.com")
    bert, _ = await room.reseller("joe@example.com")
    for step in range(1, 8):
        await room.bid(ann if step % 2 else bert, step * 100_00, lot="2")
        await room.follow()
    await room.submit(void(ann, lot="2"))
    await room.follow()
    (state,) = [s for s in room.host.writer.owned.values() if SALE in s.sales]
    lot = state.sales[SALE].lots[LotId("2")]
    async with transaction(room.pool) as connection:
        row = await connection.fetchrow("select * from notice_lot where lot_id = '2'")
        bidders = await connection.fetch("select bidder_id from notice_bidder where lot_id = '2'")
    assert row is not None
    assert (row["leader"], row["price_minor"], row["next_minimum_minor"]) == (
        lot.leader,
        lot.price_minor,
        lot.next_minimum_minor,
    )
    assert {one[0] for one in bidders} == set(lot.standings)
