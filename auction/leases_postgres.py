"""Leases in the database of the log.

An engine is counted out in one update of its own row, which its beat updates too: one of the
two comes first, and what comes second sees it. A shard is taken under the epoch that was seen,
so that an owner who took it back meanwhile keeps it.
"""

from collections.abc import Iterable, Mapping

from auction.ids import Shard
from auction.leases import AnotherEngine, Lease, Member, View
from auction.log_postgres import PostgresLog
from auction.ports import ShardHead
from foundation.database import AnyConnection

# An engine that is gone and owns nothing is remembered for this long, for whoever looks.
_FORGET = """
delete from log_engine e where e.gone and e.alive_at < clock_timestamp() - interval '1 hour'
and not exists (select from log_shard s where s.owner = e.name)
"""

_LOCK = "select version from log_plan_version for update"

_OTHERS_ARE_GONE = "update log_engine set gone = true where name <> $1"

_COUNT_OUT = "update log_engine set gone = true where name = $1 and beats = $2"

_IN_THE_WAY = """
select name from log_engine where not gone and name <> $1 and (alone or $2) order by name limit 1
"""

_JOIN = """
insert into log_engine (name, lease_us, alone) values ($1, $2, $3)
on conflict (name) do update
set gone = false, beats = log_engine.beats + 1, alive_at = clock_timestamp()
"""

_ENGINES = """
select name, beats, lease_us, alone, draining, (extract(epoch from joined_at) * 1000000)::bigint,
    (extract(epoch from clock_timestamp() - alive_at) * 1000000)::bigint
from log_engine where not gone order by name
"""

_LEASES = """
select s.shard, s.owner, s.epoch, s.position,
    not exists (select from log_engine e where e.name = s.owner and not e.gone),
    p.engine, p.warm, p.pin
from log_shard s join log_plan p using (shard) order by s.shard
"""

_VERSION = "select version from log_plan_version"

_NEXT_VERSION = """
update log_plan_version set version = version + 1 where version = $1 returning true
"""

_PLAN = """
update log_plan p set engine = w.engine, warm = null
from unnest($1::smallint[], $2::text[]) as w (shard, engine)
where p.shard = w.shard and p.engine is distinct from w.engine
"""

_TAKE = """
with free as (
    select s.shard, s.owner from log_shard s
    join unnest($1::smallint[], $2::bigint[]) as c (shard, epoch)
        on s.shard = c.shard and s.epoch = c.epoch
    where not exists (select from log_engine e where e.name = s.owner and not e.gone)
    order by s.shard for update of s
)
update log_shard s set epoch = s.epoch + 1, owner = $3
from free where s.shard = free.shard
returning s.shard, s.position, s.epoch, s.beat_at_us, free.owner is null
"""

_WARMED = "update log_plan set warm = $2 where shard = any ($1::smallint[]) and engine = $2"

_LET_GO = """
update log_shard s set owner = null, beat_at_us = greatest(s.beat_at_us, $3)
from unnest($1::smallint[], $2::bigint[]) as w (shard, epoch)
where s.shard = w.shard and s.epoch = w.epoch
"""

_DRAIN = "update log_engine set draining = $2 where name = $1 and not gone returning true"

_PIN = "update log_plan set pin = $2 where shard = any ($1::smallint[])"

_LEAVE = "update log_engine set gone = true where name = $1"


class PostgresLeases:
    """``Leases`` over the connections of a log."""

    def __init__(self, log: PostgresLog) -> None:
        self._log = log

    async def join(self, name: str, lease_us: int, *, alone: bool, certainly: bool) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection, connection.transaction():
            await connection.execute(_LOCK)  # of two that join at once, one sees the other
            if certainly:
                await connection.execute(_OTHERS_ARE_GONE, name)
            other = await connection.fetchval(_IN_THE_WAY, name, alone)
            if other is not None:
                raise AnotherEngine(other)
            await connection.execute(_JOIN, name, lease_us, alone)
            await connection.execute(_FORGET)

    async def look(self) -> View:
        """See ``Leases``."""
        async with (
            self._log.reading() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await _view(connection)

    async def count_out(self, name: str, beats: int) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            await connection.execute(_COUNT_OUT, name, beats)

    async def plan(self, wanted: Mapping[Shard, str | None], version: int) -> bool:
        """See ``Leases``."""
        async with self._log.reading() as connection, connection.transaction():
            if not await connection.fetchval(_NEXT_VERSION, version):
                return False
            await connection.execute(_PLAN, list(wanted), list(wanted.values()))
        return True

    async def take(self, claims: Mapping[Shard, int], owner: str) -> list[ShardHead]:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            rows = await connection.fetch(_TAKE, list(claims), list(claims.values()), owner)
        return [ShardHead(*row) for row in sorted(rows, key=lambda row: int(row[0]))]

    async def warmed(self, shards: Iterable[Shard], name: str) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            await connection.execute(_WARMED, list(shards), name)

    async def let_go(self, epochs: Mapping[Shard, int], at_us: int) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            await connection.execute(_LET_GO, list(epochs), list(epochs.values()), at_us)

    async def drain(self, name: str, *, draining: bool) -> bool:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            return bool(await connection.fetchval(_DRAIN, name, draining))

    async def pin(self, shards: Iterable[Shard], name: str | None) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            await connection.execute(_PIN, list(shards), name)

    async def leave(self, name: str) -> None:
        """See ``Leases``."""
        async with self._log.reading() as connection:
            await connection.execute(_LEAVE, name)


async def _view(connection: AnyConnection) -> View:
    version: int = await connection.fetchval(_VERSION)
    engines = await connection.fetch(_ENGINES)
    leases = await connection.fetch(_LEASES)
    return View(
        version, tuple(Member(*row) for row in engines), tuple(Lease(*row) for row in leases)
    )
