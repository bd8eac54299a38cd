"""Random requests to the routes of notices: none is a fault of ours, each is as described."""

from tests.fuzzing import fuzz
from tests.integration.notices.test_api import serving


async def test_whatever_comes_is_answered_as_described(database_url: str) -> None:
    async with serving(database_url, lots=2, sms=True) as served:
        room = served.room
        ann, (kim,) = await room.reseller("kim@example.com")
        bert, _ = await room.reseller("joe@example.com")
        await room.bid(ann, 100_00)
        await room.bid(bert, 300_00)
        await room.follow()
        caller = await served.signed_in(kim)
        assert caller.cookie is not None
        headers = {"Cookie": caller.cookie, "Origin": served.origin}
        places = {"notice_id": (await room.listed(kim))[0].notice_id}
        assert await fuzz(served.origin, headers=headers, examples=10, places=places) > 300
