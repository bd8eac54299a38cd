"""The door to Redis: addresses, losses, and that who is cancelled ends."""

import asyncio

import pytest

from foundation.redis_client import BEFORE_ALL, BadRedisUrl, RedisLost, open_redis
from softclose.redis_server import RedisServer
from tests.redis_rooms import connected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1",
        "redis+cluster://here",
        "redis+cluster://a:b:c",
        "redis://host:port",
        "redis+sentinel://host:1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadRedisUrl):
        open_redis(url)


def test_a_refused_address_is_shown_without_its_password() -> None:
    with pytest.raises(BadRedisUrl) as refused:
        open_redis("redis+cluster://me:secret@here,there")
    assert "secret" not in str(refused.value)


async def test_nobody_there_is_lost(own_redis: RedisServer) -> None:
    own_redis.stop()
    async with connected(own_redis.url) as client:
        with pytest.raises(RedisLost):
            await client.execute("PING")
        with pytest.raises(RedisLost):
            await client.pipeline([["PING"]])
        with pytest.raises(RedisLost):
            await client.read({"stream": BEFORE_ALL}, 1)


async def test_an_error_is_told_beside_the_answers_of_the_others(redis_url: str) -> None:
    async with connected(redis_url) as client:
        answers = await client.pipeline([["PING"], ["NO SUCH COMMAND"], ["PING"]])
        assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
        with pytest.raises(RedisLost):
            await client.execute("NO SUCH COMMAND")


async def test_a_cluster_takes_commands_for_all_of_its_nodes_in_one_go(
    redis_cluster_url: str,
) -> None:
    async with connected(redis_cluster_url) as client:
        keys = [f"key:{number}" for number in range(50)]
        await client.pipeline([["SET", key, key] for key in keys])
        found = await client.pipeline([["GET", key] for key in keys])
        assert found == [key.encode() for key in keys]


async def test_who_is_cancelled_ends_at_whatever_moment_it_is(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.redis_client.BLOCK_MS", 5)

    async def read_for_ever() -> None:
        while True:
            await client.read({"stream": BEFORE_ALL}, 1)

    async with connected(redis_url) as client:
        await client.execute("PING")
        for number in range(300):
            reading = asyncio.create_task(read_for_ever())
            asyncio.get_running_loop().call_later(number * 5e-5, reading.cancel)
            async with asyncio.timeout(5):
                with pytest.raises(asyncio.CancelledError):
                    await reading
