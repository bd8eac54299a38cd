"""What is told without an event of the log: ends that are near, decisions, lots that were found."""

from accounts.approval_states import ApprovalState
from accounts.ids import PersonId
from auction.commands import PauseSale
from bidder_gateway.notices.kinds import MINUTE_US, Kind
from foundation.database import transaction
from tests.builders import SALE, STAFF_MEMBER
from tests.live import now_us, open_sale
from tests.notices import NoticeRoom, notice_room, of_kind


async def watch(room: NoticeRoom, person_id: PersonId, watched: bool = True) -> None:
    async with transaction(room.pool) as connection:
        await connection.execute(
            "insert into watched_lot values ($1, $2, '1', $3, 0)", person_id, SALE, watched
        )


async def ends_in(room: NoticeRoom, minutes: float) -> None:
    """The lot's end moves, as by an extension."""
    async with transaction(room.pool) as connection:
        await connection.execute(
            "update notice_lot set closes_at_us = $1",
            room.means.now_us() + round(minutes * MINUTE_US),
        )


async def test_that_a_lot_ends_soon_is_told_as_long_before_as_each_wants(
    database_url: str,
) -> None:
    sale = open_sale(closes_at_us=now_us() + 20 * MINUTE_US)
    async with notice_room(database_url, sale=sale) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        _, (joe,) = await room.reseller("joe@example.com")
        _, (eve,) = await room.reseller("eve@example.com")
        await room.sets(joe, closing_soon_minutes=30)
        await room.bid(ann, 100_00, person=kim)
        await watch(room, joe)
        await room.follow()
        await room.look("closing")
        assert [await room.kinds(who) for who in (kim, joe, eve)] == [[], [Kind.CLOSING_SOON], []]
        await ends_in(room, 14.9)
        await room.look("closing")
        assert await room.kinds(kim) == [Kind.CLOSING_SOON]
        (view,) = of_kind(await room.listed(kim), Kind.CLOSING_SOON)
        assert view.link.startswith("/sales/S-1/lots/1?bid=")


async def test_an_extension_is_no_second_notice_but_a_long_outage_is(database_url: str) -> None:
    sale = open_sale(closes_at_us=now_us() + 10 * MINUTE_US)
    async with notice_room(database_url, sale=sale) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        await room.bid(ann, 100_00)
        await room.follow()
        for minutes in (9, 14, 3, 8):
            await ends_in(room, minutes)
            await room.look("closing")
        assert await room.kinds(kim) == [Kind.CLOSING_SOON]
        await ends_in(room, 24 * 60)
        await room.look("closing")
        async with transaction(room.pool) as connection:
            await connection.execute(
                "update notice_closing set told_end_us = told_end_us - $1", 60 * MINUTE_US
            )
        await ends_in(room, 10)
        await room.look("closing")
        assert await room.kinds(kim) == [Kind.CLOSING_SOON, Kind.CLOSING_SOON]


async def test_who_said_not_to_watch_a_lot_is_not_told_of_its_end(database_url: str) -> None:
    sale = open_sale(closes_at_us=now_us() + 10 * MINUTE_US)
    async with notice_room(database_url, sale=sale) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        await room.bid(ann, 100_00, person=kim)
        await watch(room, kim, watched=False)
        await room.follow()
        await room.look("closing")
        assert await room.kinds(kim) == []


async def test_in_a_paused_sale_no_lot_ends_soon(database_url: str) -> None:
    sale = open_sale(closes_at_us=now_us() + 10 * MINUTE_US)
    async with notice_room(database_url, sale=sale) as room:
        ann, (kim,) = await room.reseller("kim@example.com")
        await room.bid(ann, 100_00)
        await room.submit(PauseSale(sale_id=SALE, reason="an alarm", actor_id=STAFF_MEMBER))
        await room.follow()
        await room.look("closing")
        assert await room.kinds(kim) == [Kind.SALE_PAUSED]


async def decide(room: NoticeRoom, organisation_id: str, state: ApprovalState, at_us: int) -> None:
    async with transaction(room.pool) as connection:
        await connection.execute(
            "update approval set state = $2, changed_at_us = $3 where organisation_id = $1",
            organisation_id,
            state,
            at_us,
        )


async def test_a_decision_is_told_to_the_whole_team_once(room: NoticeRoom) -> None:
    ann, (kim, lou) = await room.reseller("kim@example.com", "lou@example.com", sale=False)
    await room.look("approvals")
    now = room.clock() + 1
    await decide(room, ann, ApprovalState.APPROVED, now)
    for _ in range(2):
        await room.look("approvals")
    assert await room.kinds(kim) == await room.kinds(lou) == [Kind.APPROVAL_DECIDED]
    await decide(room, ann, ApprovalState.APPROVED, now + 1)  # another limit, say
    await room.look("approvals")
    assert len(await room.kinds(kim)) == 1
    await decide(room, ann, ApprovalState.SUSPENDED, now + 2)
    await room.look("approvals")
    (latest, _) = of_kind(await room.listed(kim), Kind.APPROVAL_DECIDED)
    assert latest.title == "Your account is suspended"
    assert latest.link == "/account/approval"


async def test_decisions_of_long_ago_are_not_told(room: NoticeRoom) -> None:
    ann, (kim,) = await room.reseller("kim@example.com", sale=False)
    await decide(room, ann, ApprovalState.APPROVED, 1)
    await room.look("approvals")
    assert await room.kinds(kim) == []


async def test_two_processes_look_one_after_the_other(room: NoticeRoom) -> None:
    source = room.notices.sources[0]
    await source.step()
    async with transaction(room.pool) as connection:
        await connection.execute("select from notice_source where name = 'closing' for update")
        assert not await source.step()
