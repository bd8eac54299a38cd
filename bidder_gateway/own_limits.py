"""A reseller's limits: the whole that staff set, its parts, and what staff set for one sale.

The whole is kept by accounts; how it is shared out safely, `limit_shares` and `registrar` say.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.clock import Clock
from accounts.directory import Standing, standing_of
from accounts.identity import Identity
from accounts.ids import OrganisationId
from auction.ids import SaleId
from bidder_gateway.limit_shares import Part, unnamed_minor
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.registrar import Registrar
from bidder_gateway.registration_rows import make_due, make_resellers_due, parts_of
from foundation.database import AnyConnection, Pool, acquire, transaction


class LimitPart(Struct, frozen=True, kw_only=True):
    """A sale's part of the whole. ``limit_minor``: the limit that holds there now, null for none.

    ``held_minor``: what of the whole the sale takes now; more than its limit while what is led or
    owed there is more.
    """

    sale_id: SaleId
    sale_title: str
    share_minor: int | None
    limit_minor: int | None
    held_minor: int
    closed: bool


class Limits(Struct, frozen=True, kw_only=True):
    """A reseller's limit over all sales (null: none), and how it is shared out.

    ``unnamed_minor``: what of it is neither owed nor named as a sale's part. Sales without a part
    of their own have it, in the order of registration.
    """

    whole_minor: int | None
    currency: str
    unnamed_minor: int | None
    parts: Sequence[LimitPart]


_PARTS = """
select registration.sale_id, sale_listing.title as sale_title, share_minor, limit_minor,
    held_minor, closed_at_us is not null as closed
from registration join sale_board using (sale_id) join sale_listing using (sale_id)
where organisation_id = $1 and (closed_at_us is null or held_minor > 0)
order by registered_at_us, sale_id
"""

_SHARE = "update registration set share_minor = $3 where organisation_id = $1 and sale_id = $2"

_IS_SCHEDULED = "select exists (select from sale_board where sale_id = $1)"

_SET = """
insert into sale_limit (organisation_id, sale_id, limit_minor, reason, set_by, set_at_us)
values ($1, $2, $3, $4, $5, $6)
on conflict (organisation_id, sale_id) do update set limit_minor = excluded.limit_minor,
    reason = excluded.reason, set_by = excluded.set_by, set_at_us = excluded.set_at_us
"""

_UNSET = "delete from sale_limit where organisation_id = $1 and sale_id = $2"

_OF_SALE = "select limit_minor from sale_limit where organisation_id = $1 and sale_id = $2"


class OwnLimits:
    """Shows and divides a whole limit, and sets the limit of one sale."""

    def __init__(self, pool: Pool, registrar: Registrar, clock: Clock) -> None:
        self._pool, self._registrar, self._clock = pool, registrar, clock

    async def of(self, organisation_id: OrganisationId) -> Limits:
        """The reseller's limits. Raises `Refused` NOT_FOUND for whoever is no reseller."""
        standing = await self._standing(organisation_id)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_PARTS, organisation_id)
        parts = [LimitPart(**dict(row)) for row in rows]
        whole_minor = standing.limit_minor
        return Limits(
            whole_minor=whole_minor,
            currency=standing.currency,
            unnamed_minor=None if whole_minor is None else unnamed_minor(whole_minor, _of(parts)),
            parts=parts,
        )

    async def divide(
        self, identity: Identity, shares: Mapping[SaleId, int], address: str
    ) -> Limits:
        """Give these sales these parts; others keep theirs. The engine is told from now on.

        Raises `Refused`: NOT_FOUND, NO_WHOLE_LIMIT, NOT_REGISTERED, OVER_WHOLE_LIMIT.
        """
        organisation_id = identity.organisation_id
        standing = await self._standing(organisation_id)
        if standing.limit_minor is None:
            raise Refused(Refusal.NO_WHOLE_LIMIT)
        async with transaction(self._pool) as connection:
            parts = await parts_of(connection, organisation_id)
            _check(standing.limit_minor, parts, shares)
            await connection.executemany(
                _SHARE, [(organisation_id, sale_id, minor) for sale_id, minor in shares.items()]
            )
            await make_resellers_due(connection, [organisation_id])
            await record(
                connection,
                Act.LIMIT_DIVIDED,
                Actor(identity.person_id, address),
                self._clock(),
                organisation_id=organisation_id,
                shares=dict(shares),
            )
        self._registrar.ring()
        return await self.of(organisation_id)

    async def set_for_sale(
        self,
        organisation_id: OrganisationId,
        sale_id: SaleId,
        limit_minor: int | None,
        reason: str,
        actor: Actor,
    ) -> None:
        """Staff set a reseller's limit in a sale, in place of deposit x factor; ``None``: not any
        more. Raises `Refused` NOT_FOUND."""
        await self._standing(organisation_id)
        assert actor.person_id is not None, "staff are signed in"
        async with transaction(self._pool) as connection:
            await refuse_unscheduled(connection, sale_id)
            now_us, key = self._clock(), (organisation_id, sale_id)
            if limit_minor is None:
                await connection.execute(_UNSET, *key)
            else:
                values = (limit_minor, reason, actor.person_id, now_us)
                await connection.execute(_SET, *key, *values)
            await make_due(connection, *key)
            await record(
                connection,
                Act.SALE_LIMIT_SET,
                actor,
                now_us,
                organisation_id=organisation_id,
                object_id=sale_id,
                limit_minor=limit_minor,
                reason=reason,
            )
        self._registrar.ring()

    async def for_sale(self, organisation_id: OrganisationId, sale_id: SaleId) -> int | None:
        """What staff set for this sale; ``None``: nothing. Raises `Refused` NOT_FOUND."""
        await self._standing(organisation_id)
        async with acquire(self._pool) as connection:
            await refuse_unscheduled(connection, sale_id)
            found: int | None = await connection.fetchval(_OF_SALE, organisation_id, sale_id)
        return found

    async def _standing(self, organisation_id: OrganisationId) -> Standing:
        standing = await standing_of(self._pool, organisation_id)
        if standing is None:
            raise Refused(Refusal.NOT_FOUND)
        return standing


async def refuse_unscheduled(connection: AnyConnection, sale_id: SaleId) -> None:
    """Raise `Refused` NOT_FOUND unless the log knows the sale."""
    if not await connection.fetchval(_IS_SCHEDULED, sale_id):
        raise Refused(Refusal.NOT_FOUND)


def _check(whole_minor: int, parts: Sequence[Part], shares: Mapping[SaleId, int]) -> None:
    opened = {part.sale_id: part for part in parts if not part.closed}
    if not shares.keys() <= opened.keys():
        raise Refused(Refusal.NOT_REGISTERED)
    owed_minor = sum(part.held_minor for part in parts if part.closed)
    wanted_minor = sum(
        shares.get(sale_id, part.share_minor or 0) for sale_id, part in opened.items()
    )
    if owed_minor + wanted_minor > whole_minor:
        raise Refused(Refusal.OVER_WHOLE_LIMIT)


def _of(parts: Sequence[LimitPart]) -> Sequence[Part]:
    return [
        Part(
            sale_id=part.sale_id,
            share_minor=part.share_minor,
            held_minor=part.held_minor,
            closed=part.closed,
        )
        for part in parts
    ]
