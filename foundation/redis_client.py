"""The door to Redis: one server or a Redis Cluster by URL, in which nothing waits for ever.

``redis://[user:password@]host:port/db`` is one server, ``redis+cluster://host:port,host:port``
a cluster that these nodes know; ``rediss`` in place of ``redis`` is the same over TLS.

Whatever is wrong with the server or the way to it is `RedisLost`, and what was sent then may
have been done or not. Nothing here is sent again by itself but by a cluster that has moved a key:
who sends knows whether a second time does harm.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import (
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
)

from foundation.errors import OperatorError

# On one network Redis answers in a millisecond; beyond this it counts as lost.
ANSWER_TIMEOUT_S: Final = 2.0
CONNECT_TIMEOUT_S: Final = 1.0
# A blocking read waits for this long at most: well below the time-out of an answer.
BLOCK_MS: Final = 500
# For each of eight lanes a blocking read of the bus and one of the door, and what is sent.
MAX_CONNECTIONS: Final = 64
# A cluster's map of slots is asked for anew so often, at so long intervals, before it is lost.
MAP_ATTEMPTS: Final = 3
MAP_PAUSE_S: Final = 0.05

_CLUSTER: Final = "+cluster"
# What redis-py lets through of a connection that breaks.
_LOSSES: Final = (RedisError, RedisClusterException, SlotNotCoveredError, OSError, EOFError)

Value: TypeAlias = str | bytes | int
Command: TypeAlias = Sequence[Value]
# The id of an entry of a stream: milliseconds and a count, or what the sender counts.
EntryId: TypeAlias = tuple[int, int]
Entry: TypeAlias = tuple[EntryId, Mapping[bytes, bytes]]

BEFORE_ALL: Final[EntryId] = (0, 0)

# Without this a stream would have to be asked with its first and last entries, which may be large.
_LAST_IDS: Final = """
local ids = {}
for place, key in ipairs(KEYS) do
  ids[place] = '0-0'
  if redis.call('exists', key) == 1 then
    local about = redis.call('xinfo', 'stream', key)
    for at = 1, #about, 2 do
      if about[at] == 'last-generated-id' then ids[place] = about[at + 1] end
    end
  end
end
return ids
"""


class RedisLost(Exception):
    """Redis did not answer, or not in a way that helps: what was sent may have been done."""


class BadRedisUrl(OperatorError):
    """The address of Redis is not one."""


class RedisClient:
    """Commands to one Redis, or to the nodes of a cluster that hold their keys."""

    def __init__(self, client: Any, *, clustered: bool) -> None:
        self._client, self._clustered = client, clustered
        self._has_map = not clustered
        self._asking = asyncio.Lock()

    async def execute(self, *command: Value) -> Any:
        """The answer to one command; an error that Redis answers is `RedisLost` too."""
        await self._ask_for_map()
        return await _answered(self._client.execute_command(*command))

    async def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to commands that are sent in one go, in their order.

        An error that Redis answered stands in its place as a `ResponseError`; no answer at all
        to some of them is `RedisLost`.
        """
        await self._ask_for_map()
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await _answered(pipeline.execute(raise_on_error=False))
        for answer in answers:
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise RedisLost(_reason(answer)) from answer
        return answers

    async def read(self, after: Mapping[str, EntryId], count: int) -> list[tuple[str, list[Entry]]]:
        """Up to ``count`` entries of each stream after an id; waits for the first of any.

        Nothing, if none comes in time. The keys must be of one slot.
        """
        await self._ask_for_map()
        ids = map(_text, after.values())
        command = ("XREAD", "COUNT", count, "BLOCK", BLOCK_MS, "STREAMS", *after, *ids)
        where = self._where(next(iter(after)))
        answer = await _answered(self._client.execute_command(*command, **where))
        return [
            (key.decode(), [(_entry_id(entry_id), fields) for entry_id, fields in entries])
            for key, entries in answer or ()
        ]

    async def last_ids(self, keys: Sequence[str]) -> list[EntryId]:
        """The last id that each stream has given, `BEFORE_ALL` where there is none.

        The keys must be of one slot.
        """
        answer = await self.execute("EVAL", _LAST_IDS, len(keys), *keys)
        return [_entry_id(entry_id) for entry_id in answer]

    async def _ask_for_map(self) -> None:
        """Know which node has which keys before several ask at once: where one of them fails or is
        cancelled meanwhile, redis-py ends the connections of all."""
        if not self._has_map:
            async with self._asking:
                if not self._has_map:
                    await _answered(self._client.initialize())
                    self._has_map = True

    def _where(self, key: str) -> dict[str, Any]:
        """The node of a key: for a blocking read a cluster would be asked for its keys first."""
        if not self._clustered:
            return {}
        try:
            return {"target_nodes": self._client.get_node_from_key(key)}
        except _LOSSES:
            return {}  # the map of slots is not known yet, or has a gap: ask for it

    async def close(self) -> None:
        """Give the connections back. Nothing may be under way."""
        await self._client.aclose()


def open_redis(url: str) -> RedisClient:
    """A client, not yet connected; raises `BadRedisUrl`."""
    scheme, separator, rest = url.partition("://")
    tls = scheme.startswith("rediss")
    if not separator or scheme.removesuffix(_CLUSTER) not in ("redis", "rediss"):
        raise BadRedisUrl(f"not redis://, rediss:// or redis+cluster://: {_shown(url)}")
    shared: dict[str, Any] = {
        "socket_timeout": ANSWER_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "max_connections": MAX_CONNECTIONS,
        "protocol": 2,
    }
    try:
        if scheme.endswith(_CLUSTER):
            retry = Retry(ConstantBackoff(MAP_PAUSE_S), MAP_ATTEMPTS)
            cluster: Any = RedisCluster(**_nodes(rest), ssl=tls, retry=retry, **shared)
            return RedisClient(cluster, clustered=True)
        client: Any = Redis.from_url(url, retry=Retry(NoBackoff(), 0), **shared)
    except (ValueError, RedisError) as error:
        raise BadRedisUrl(f"{_shown(url)}: {error}") from error
    return RedisClient(client, clustered=False)


def is_repeat(answer: object) -> bool:
    """Whether a stream refused an entry because it has one of this id or a later one."""
    return isinstance(answer, ResponseError) and "equal or smaller" in str(answer)


async def _answered(answer: Awaitable[Any]) -> Any:
    """What redis-py answers, with one name for all that it raises.

    Now and then it takes a cancellation that comes in the very turn of an answer for a time-out or
    a lost connection: who was cancelled would go on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        found = await answer
    except Exception as error:  # a connection that is lost is an AttributeError at times
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise RedisLost(_reason(error)) from error
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return found


def _nodes(rest: str) -> dict[str, Any]:
    login, _, addresses = rest.rpartition("@")
    user, _, password = login.partition(":")
    nodes = []
    for address in addresses.rstrip("/").split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"a node is host:port, not {address!r}")
        nodes.append(ClusterNode(host, int(port)))
    return {
        "startup_nodes": nodes,
        "username": unquote(user) or None,
        "password": unquote(password) or None,
    }


def _shown(url: str) -> str:
    """The address without its password."""
    scheme, _, rest = url.rpartition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _entry_id(text: bytes) -> EntryId:
    first, _, second = text.partition(b"-")
    return int(first), int(second)


def _text(entry_id: EntryId) -> str:
    return f"{entry_id[0]}-{entry_id[1]}"
