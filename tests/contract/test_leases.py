"""Who may own which shard: what holds for the leases of both logs."""

import pytest

from auction.ids import Shard
from auction.leases import AnotherEngine, Leases, View
from auction.ports import EventLog
from auction.writer import ALL_SHARDS
from tests.contract.conftest import Place

LONG_US = 3_600_000_000
ONE, TWO = Shard(1), Shard(2)


@pytest.fixture
def leases(place: Place, log: EventLog) -> Leases:
    return place.leases(log)


async def joins(leases: Leases, name: str, lease_us: int = LONG_US, **how: bool) -> None:
    await leases.join(name, lease_us, **{"alone": False, "certainly": False} | how)


def names(view: View) -> list[str]:
    return [engine.name for engine in view.engines]


async def test_a_new_log_has_no_engine_and_every_shard_is_free(leases: Leases) -> None:
    view = await leases.look()
    assert (view.version, view.engines) == (0, ())
    assert [lease.shard for lease in view.leases] == list(ALL_SHARDS)
    assert all(lease.free and lease.wanted is None for lease in view.leases)


async def test_who_joined_is_seen_until_it_leaves(leases: Leases) -> None:
    await joins(leases, "b")
    await joins(leases, "a")
    assert names(await leases.look()) == ["a", "b"]
    await leases.leave("a")
    assert names(await leases.look()) == ["b"]


async def test_who_gave_no_sign_of_life_since_is_counted_out(leases: Leases, log: EventLog) -> None:
    await joins(leases, "a")
    [seen] = (await leases.look()).engines
    await log.beat({}, 0, "a")
    await leases.count_out("a", seen.beats)
    [later] = (await leases.look()).engines
    assert (later.name, later.beats) == ("a", seen.beats + 1)
    await leases.count_out("a", later.beats)
    assert (await leases.look()).engines == ()


async def test_to_join_again_is_a_sign_of_life(leases: Leases) -> None:
    await joins(leases, "a")
    [seen] = (await leases.look()).engines
    await joins(leases, "a")
    await leases.count_out("a", seen.beats)
    assert names(await leases.look()) == ["a"]


async def test_who_was_counted_out_gives_no_sign_of_life_and_takes_nothing_back(
    leases: Leases, log: EventLog
) -> None:
    await joins(leases, "a")
    [head] = await leases.take({ONE: 0}, "a")
    await leases.leave("a")
    assert await log.beat({ONE: head.epoch}, 7, "a") == {ONE}
    assert await log.take([ONE], "a", back=True) == []
    await joins(leases, "a")
    assert await log.beat({ONE: head.epoch}, 7, "a") == set()


async def test_one_that_wants_to_be_alone_does_not_join_another_nor_is_joined(
    leases: Leases,
) -> None:
    await joins(leases, "a")
    with pytest.raises(AnotherEngine, match="a"):
        await joins(leases, "b", alone=True)
    await leases.leave("a")
    await joins(leases, "b", alone=True)
    with pytest.raises(AnotherEngine, match="b"):
        await joins(leases, "c")
    await joins(leases, "b", alone=True)  # itself again
    assert names(await leases.look()) == ["b"]


async def test_one_that_is_certain_counts_all_others_out(leases: Leases) -> None:
    await joins(leases, "a")
    await joins(leases, "b", alone=True, certainly=True)
    assert names(await leases.look()) == ["b"]


async def test_a_free_shard_is_taken_under_a_new_epoch_and_no_second_time(
    leases: Leases,
) -> None:
    await joins(leases, "a")
    await joins(leases, "b")
    [head] = await leases.take({ONE: 0}, "a")
    assert (head.shard, head.position, head.epoch, head.beat_at_us) == (ONE, 0, 1, None)
    assert await leases.take({ONE: 1}, "b") == []
    assert await leases.take({TWO: 5}, "b") == []  # not under that epoch
    lease = (await leases.look()).leases[ONE]
    assert (lease.owner, lease.epoch, lease.free) == ("a", 1, False)


async def test_a_dead_engines_shard_is_taken_with_its_last_sign_of_life(
    leases: Leases, log: EventLog
) -> None:
    await joins(leases, "a")
    [head] = await leases.take({ONE: 0}, "a")
    await log.beat({ONE: head.epoch}, 77, "a")
    await leases.leave("a")
    await joins(leases, "b")
    [taken] = await leases.take({ONE: 1}, "b")
    assert (taken.epoch, taken.beat_at_us, taken.let_go) == (2, 77, False)


async def test_a_shard_that_was_let_go_says_so_to_who_takes_it(leases: Leases) -> None:
    await joins(leases, "a")
    await joins(leases, "b")
    await leases.take({ONE: 0, TWO: 0}, "a")
    await leases.let_go({ONE: 1, TWO: 9}, 55)
    view = await leases.look()
    assert [view.leases[shard].owner for shard in (ONE, TWO)] == [None, "a"]
    [taken] = await leases.take({ONE: 1, TWO: 1}, "b")
    assert (taken.shard, taken.beat_at_us, taken.let_go) == (ONE, 55, True)


async def test_an_owner_that_took_its_shard_back_keeps_it(leases: Leases, log: EventLog) -> None:
    await joins(leases, "a")
    await leases.take({ONE: 0}, "a")
    seen = (await leases.look()).leases[ONE].epoch
    await log.take([ONE], "a", back=True)
    await leases.leave("a")
    await joins(leases, "b")
    assert await leases.take({ONE: seen}, "b") == []


async def test_of_two_plans_of_one_view_the_second_is_too_old(leases: Leases) -> None:
    await joins(leases, "a")
    version = (await leases.look()).version
    assert await leases.plan({ONE: "a", TWO: "a"}, version)
    assert not await leases.plan({ONE: None}, version)
    view = await leases.look()
    assert [view.leases[shard].wanted for shard in (ONE, TWO)] == ["a", "a"]


async def test_who_is_warm_for_a_shard_is_seen_until_another_is_wanted(leases: Leases) -> None:
    await joins(leases, "a")
    await leases.plan({ONE: "a"}, (await leases.look()).version)
    await leases.warmed([ONE, TWO], "a")
    view = await leases.look()
    assert [view.leases[shard].warm for shard in (ONE, TWO)] == ["a", None]
    await leases.plan({ONE: "b"}, view.version)
    assert (await leases.look()).leases[ONE].warm is None


async def test_an_engine_is_drained_and_shards_are_pinned(leases: Leases) -> None:
    await joins(leases, "a")
    assert await leases.drain("a", draining=True)
    assert not await leases.drain("nobody", draining=True)
    await leases.pin([ONE], "a")
    view = await leases.look()
    assert view.engines[0].draining
    assert [view.leases[shard].pin for shard in (ONE, TWO)] == ["a", None]
    await leases.pin([ONE], None)
    assert (await leases.look()).leases[ONE].pin is None
