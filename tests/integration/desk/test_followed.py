"""What the tables say of a sale that is published, however fast they follow."""

import pytest

from auction.commands import AddLots, Command, ScheduleSale
from auction.cursors_postgres import PostgresCursors
from auction.desk.sale_drafts import DraftState
from auction.ids import shard_of
from foundation.database import acquire
from foundation.follower import LogFollower
from softclose.followers import FOLLOWINGS, handler_of
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line
from tests.desk import SELLER, a_desk


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_sale_comes_to_the_same_whether_the_tables_or_its_publishing_are_first(
    database_url: str, at_once: bool
) -> None:
    async with a_desk(database_url) as desk:
        lots = [await desk.lot(lines=[a_line(quantity=number)]) for number in (2, 3)]
        sale_id = await desk.sale(*lots)
        (keepers,) = FOLLOWINGS.values()
        cursors = PostgresCursors(desk.pool)
        follower = LogFollower("board", shard_of(sale_id), handler_of(keepers), cursors)

        async def follows(command: Command) -> None:
            if at_once and isinstance(command, ScheduleSale | AddLots):
                assert await follower.step()

        desk.engine.after = follows
        version = await desk.version(sale_id)
        state = await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)
        assert state is DraftState.PUBLISHED
        await follower.step()
        async with acquire(desk.pool) as connection:
            row = await connection.fetchrow("select * from sale_board")
        assert row is not None
        assert (row["lots"], row["units"], row["msrp_minor"]) == (2, 5, 5 * 39_99)
        assert row["categories"] == ["Kitchen"]
