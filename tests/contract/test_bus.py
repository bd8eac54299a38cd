"""All buses: in one process, through a Redis, through a Redis Cluster."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from auction.bus_local import LocalBus
from auction.codec import Recorded
from auction.ids import Shard, shard_of
from auction.ports import Bus
from softclose.redis_server import RedisClusterServers, RedisServer
from tests.builders import SALE
from tests.contract.engine_room import SALES
from tests.redis_rooms import Ear, emptied, happenings, listening, redis_bus

SHARD = shard_of(SALE)


class Buses:
    """What one process publishes to, and what another one listens at; or one for both."""

    def __init__(self, publisher: Bus, listener: Bus, ear: Ear) -> None:
        self.publisher, self.listener, self.ear = publisher, listener, ear


@pytest.fixture(params=["local", "redis", "redis cluster"])
def servers(request: pytest.FixtureRequest) -> RedisServer | RedisClusterServers | None:
    """What a kind of bus needs."""
    fixtures = {"redis": "redis_of_the_run", "redis cluster": "redis_cluster_of_the_run"}
    if request.param == "local":
        return None
    found: RedisServer | RedisClusterServers = request.getfixturevalue(fixtures[request.param])
    return found


@pytest.fixture
async def buses(servers: RedisServer | RedisClusterServers | None) -> AsyncIterator[Buses]:
    """Each kind of bus, with an ear at it."""
    if servers is None:
        bus, ear = LocalBus(), Ear()
        bus.listen(ear.hear)
        yield Buses(bus, bus, ear)
        return
    for node in servers.nodes:
        await emptied(node.url)
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(redis_bus(servers.url))
        listener, ear = await stack.enter_async_context(listening(servers.url))
        yield Buses(publisher, listener, ear)


async def test_a_listener_hears_every_batch_in_order_and_as_it_was_recorded(buses: Buses) -> None:
    events = happenings(30)
    for first in range(0, 30, 3):
        buses.publisher.publish(SHARD, events[first : first + 3])
    await buses.ear.until_at(SHARD, 30)
    assert buses.ear.events(SHARD) == events


async def test_each_shard_is_heard_by_itself(buses: Buses) -> None:
    each = {shard_of(sale_id): happenings(5, sale_id) for sale_id in SALES}
    for place in range(5):
        for shard, events in each.items():
            buses.publisher.publish(shard, [events[place]])
    for shard, events in each.items():
        await buses.ear.until_at(shard, 5)
        assert buses.ear.events(shard) == events


async def test_a_gap_is_seen_by_the_positions(buses: Buses) -> None:
    events = happenings(9)
    buses.publisher.publish(SHARD, events[:3])
    buses.publisher.publish(SHARD, events[6:])
    await buses.ear.until_at(SHARD, 9)
    assert buses.ear.positions(SHARD) == [1, 2, 3, 7, 8, 9]


async def test_every_listener_is_told_until_it_has_enough(buses: Buses) -> None:
    events, second = happenings(6), Ear()
    forget = buses.listener.listen(second.hear)
    buses.publisher.publish(SHARD, events[:3])
    await buses.ear.until_at(SHARD, 3)
    forget()
    forget()
    buses.publisher.publish(SHARD, events[3:])
    await buses.ear.until_at(SHARD, 6)
    assert second.positions(SHARD) == [1, 2, 3]


async def test_a_listener_that_fails_is_dropped_and_disturbs_no_other(buses: Buses) -> None:
    heard: list[int] = []

    def fail(_shard: Shard, recorded: Sequence[Recorded]) -> None:
        heard.append(recorded[0].position)
        raise RuntimeError("a defect")

    buses.listener.listen(fail)
    last = Ear()
    buses.listener.listen(last.hear)
    for event in happenings(3):
        buses.publisher.publish(SHARD, [event])
        await last.until_at(SHARD, event.position)
    assert (heard, buses.ear.positions(SHARD)) == ([1], [1, 2, 3])
