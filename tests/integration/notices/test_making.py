"""From the log to the lists of people: each notice once, for whom it is meant."""

from bidder_gateway.notices.kinds import Kind
from tests.notices import NoticeRoom, of_kind


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
