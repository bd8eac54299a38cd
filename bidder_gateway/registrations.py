"""A reseller registers for a sale: who accepted what, when and from where, and what came of it.

What was accepted is written down with the digest of the very rules and texts, and stays. Whether
the reseller is admitted, the engine says, told by the `registrar`; a registration that it refuses
(no deposit yet, no certificate) is a wish that stays, and is looked at again when that changes.
"""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.clock import Clock
from accounts.directory import Standing, standing_of
from accounts.identity import Identity
from accounts.ids import OrganisationId
from auction.ids import BidderId, Paddle, SaleId
from auction.money import Minor
from auction.terms import Restriction
from auction.verdicts import Acceptance
from bidder_gateway.folds import Folds, registration_in
from bidder_gateway.limit_shares import unnamed_minor
from bidder_gateway.listed import SalePage, SaleState
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.registrar import Registrar
from bidder_gateway.registration_rows import make_resellers_due, parts_of
from bidder_gateway.sales import Sales
from bidder_gateway.sight import onlooker_of
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from foundation.http.reading import Input

# Whoever registers waits so long for the engine's answer, and is told PENDING after that.
ANSWER_WITHIN_S: Final = 3.0


class RegistrationState(StrEnum):
    """PENDING until the engine has answered; a REFUSED one is tried again when its cause goes."""

    PENDING = "PENDING"
    ADMITTED = "ADMITTED"
    REFUSED = "REFUSED"


class Accepted(Input):
    """What a reseller accepts of a sale: its terms, and restrictions of its lots.

    ``terms_version`` and ``terms_sha256`` as the sale's page has them. Restrictions that were
    accepted before under the same terms stay accepted. ``share_minor``: the sale's part of the
    reseller's whole limit; without it the sale has what no part was made of.
    """

    terms_version: Annotated[int, Meta(ge=1, le=1_000_000)]
    terms_sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    restrictions: Annotated[tuple[Restriction, ...], Meta(max_length=100)] = ()
    share_minor: Minor | None = None


class RegistrationSummary(Struct, frozen=True, kw_only=True):
    """A registration. ``code`` and ``message`` are the engine's, or why it was not asked.

    ``settled``: the engine knows the latest; else it is being told. ``minimum_minor``: with
    DEPOSIT_REQUIRED, the deposit that is asked for. ``limit_minor``: null for none; ``share_minor``
    is what was asked for of the whole limit. ``tax_bps``: the tax that the engine counts with.
    """

    sale_id: SaleId
    sale_title: str
    currency: str
    state: RegistrationState
    settled: bool
    code: str | None
    message: str | None
    minimum_minor: int | None
    paddle: Paddle | None
    terms_version: int
    restrictions: Sequence[str]
    deposit_minor: int
    share_minor: int | None
    limit_minor: int | None
    tax_bps: int | None
    certificate: bool | None
    registered_at_us: int
    closed_at_us: int | None


class RegistrationPage(RegistrationSummary, frozen=True, kw_only=True):
    """A registration by itself. ``exposure_minor``: what is led and owed in the sale, all-in."""

    exposure_minor: int | None


class RegistrationKey(Struct, frozen=True):
    """The place of a registration in a list."""

    registered_at_us: int
    sale_id: SaleId


_REGISTER = """
insert into registration (organisation_id, sale_id, registered_at_us, registered_by, terms_version,
    restrictions, share_minor, next_try_at_us)
values ($1, $2, $3, $4, $5, $6, $7, 0)
on conflict (organisation_id, sale_id) do update set
    terms_version = excluded.terms_version,
    restrictions = case when registration.terms_version = excluded.terms_version
        then array(
            select distinct restriction collate "C"
            from unnest(registration.restrictions || excluded.restrictions) as restriction
            order by 1
        )
        else excluded.restrictions end,
    share_minor = coalesce(excluded.share_minor, registration.share_minor),
    revision = registration.revision + 1, next_try_at_us = 0
"""

_TERMS = """
insert into accepted_terms (sha256, rules, terms_in_words, payment_terms, pickup_terms)
values ($1, $2::jsonb, $3, $4, $5) on conflict do nothing
"""

# Who sends the same once more has accepted nothing new.
_ACCEPT = """
insert into acceptance (organisation_id, sale_id, terms_version, terms_sha256, restrictions,
    person_id, at_us, address)
select $1, $2, $3, $4, $5, $6, $7, $8
where not exists (
    select from acceptance
    where organisation_id = $1 and sale_id = $2 and terms_version = $3 and terms_sha256 = $4
        and restrictions = $5 and person_id = $6
)
returning true
"""

_REGISTRATIONS = """
select registration.*, sale_listing.title as sale_title, sale_board.currency,
    sale_board.closed_at_us, paddle, tax_bps, certificate,
    (select coalesce(sum(amount_minor), 0) from deposit_entry
     where deposit_entry.organisation_id = registration.organisation_id
        and deposit_entry.sale_id = registration.sale_id)::bigint as deposit_minor
from registration join sale_board using (sale_id) join sale_listing using (sale_id)
left join admission
    on bidder_id = registration.organisation_id and admission.sale_id = registration.sale_id
where organisation_id = $1 and {condition}
"""

_ONE = _REGISTRATIONS.format(condition="registration.sale_id = $2")
_ALL = _REGISTRATIONS.format(
    condition="""
($2::bigint is null or (registration.registered_at_us, registration.sale_id) < ($2, $3))
order by registration.registered_at_us desc, registration.sale_id desc limit $4
"""
)


class Registrations:
    """Registers resellers, and tells how they stand."""

    def __init__(
        self, pool: Pool, sales: Sales, registrar: Registrar, folds: Folds, clock: Clock
    ) -> None:
        self._pool, self._sales, self._registrar = pool, sales, registrar
        self._folds, self._clock = folds, clock

    async def register(
        self, identity: Identity, sale_id: SaleId, accepted: Accepted, address: str
    ) -> RegistrationPage:
        """Register the reseller, or accept more; how it stands then.

        Raises `Refused`: NOT_FOUND, SALE_CLOSED, NOT_APPROVED, OTHER_TERMS, RESTRICTION_UNKNOWN,
        NO_WHOLE_LIMIT, OVER_WHOLE_LIMIT.
        """
        sale = await self._sales.sale(sale_id, onlooker_of(identity))
        if sale is None:
            raise Refused(Refusal.NOT_FOUND)
        _check(sale, accepted)
        organisation_id = identity.organisation_id
        standing = await standing_of(self._pool, organisation_id)
        if standing is None or not standing.may_bid:
            raise Refused(Refusal.NOT_APPROVED)
        async with transaction(self._pool) as connection:
            await _check_share(connection, standing, sale, accepted.share_minor)
            await self._write(connection, identity, sale, accepted, address)
            if accepted.share_minor is not None:  # others that named no part have less of it now
                await make_resellers_due(connection, [organisation_id])
        await self.answered(organisation_id, sale_id)
        page = await self.of_sale(organisation_id, sale_id)
        assert page is not None, "it has just been written"
        return page

    async def _write(
        self,
        connection: AnyConnection,
        identity: Identity,
        sale: SalePage,
        accepted: Accepted,
        address: str,
    ) -> None:
        now_us, restrictions = self._clock(), sorted(set(accepted.restrictions))
        key, person_id = (identity.organisation_id, sale.sale_id), identity.person_id
        version, digest = accepted.terms_version, bytes.fromhex(accepted.terms_sha256)
        await connection.execute(
            _REGISTER, *key, now_us, person_id, version, restrictions, accepted.share_minor
        )
        rules = msgspec.json.encode(sale.terms).decode()
        texts = (sale.terms_in_words, sale.payment_terms, sale.pickup_terms)
        await connection.execute(_TERMS, digest, rules, *texts)
        new = await connection.fetchval(
            _ACCEPT, *key, version, digest, restrictions, person_id, now_us, address
        )
        if not new:
            return
        await record(
            connection,
            Act.REGISTERED_FOR_SALE,
            Actor(person_id, address),
            now_us,
            organisation_id=identity.organisation_id,
            object_id=sale.sale_id,
            terms_version=version,
            restrictions=restrictions,
        )

    async def answered(self, organisation_id: OrganisationId, sale_id: SaleId) -> None:
        """Have the engine told now; return when it has answered, or after a while."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._registrar.settle((organisation_id, sale_id))
        except TimeoutError:
            pass  # the row is due still, and is told of when its claim has run out

    async def of_sale(
        self, organisation_id: OrganisationId, sale_id: SaleId
    ) -> RegistrationPage | None:
        """How the reseller stands in a sale, as far as the log goes; ``None``: not registered."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_ONE, organisation_id, sale_id)
        if row is None:
            return None
        inside = await registration_in(self._folds, sale_id, BidderId(organisation_id))
        fields = _fields(row)
        if inside is not None:  # the tables trail the log by moments
            fields |= {
                "paddle": inside.paddle,
                "limit_minor": inside.limit_minor,
                "tax_bps": inside.tax_bps,
                "certificate": inside.certificate,
            }
        exposure_minor = None if inside is None else inside.exposure_minor
        return RegistrationPage(**fields, exposure_minor=exposure_minor)

    async def all_of(
        self, organisation_id: OrganisationId, paging: Paging
    ) -> Listing[RegistrationSummary]:
        """The reseller's registrations, the latest first. Raises `Problem` 422."""
        after = key_of_cursor(paging.cursor, RegistrationKey)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(
                _ALL,
                organisation_id,
                None if after is None else after.registered_at_us,
                "" if after is None else after.sale_id,
                paging.limit + 1,
            )
        return listing(
            rows,
            paging.limit,
            lambda row: RegistrationSummary(**_fields(row)),
            lambda row: RegistrationKey(row["registered_at_us"], row["sale_id"]),
        )


def _check(sale: SalePage, accepted: Accepted) -> None:
    if sale.state is SaleState.ENDED:
        raise Refused(Refusal.SALE_CLOSED)
    version, digest = accepted.terms_version, accepted.terms_sha256
    if (version, digest) != (sale.terms.version, sale.terms_sha256):
        raise Refused(Refusal.OTHER_TERMS, field="terms_sha256")
    if not set(accepted.restrictions) <= set(sale.restrictions):
        raise Refused(Refusal.RESTRICTION_UNKNOWN, field="restrictions")


async def _check_share(
    connection: AnyConnection, standing: Standing, sale: SalePage, share_minor: int | None
) -> None:
    """Whether this much of the whole limit is still to be named."""
    if share_minor is None:
        return
    whole_minor = standing.limit_minor
    if whole_minor is None or standing.currency != sale.currency:
        raise Refused(Refusal.NO_WHOLE_LIMIT, field="share_minor")
    parts = await parts_of(connection, standing.organisation_id)
    others = [part for part in parts if part.sale_id != sale.sale_id]
    if share_minor > unnamed_minor(whole_minor, others):
        raise Refused(Refusal.OVER_WHOLE_LIMIT, field="share_minor")


def _fields(row: asyncpg.Record) -> dict[str, Any]:
    code = row["code"]
    state = RegistrationState.PENDING
    if code is not None:
        admitted = code == Acceptance.ACCEPTED
        state = RegistrationState.ADMITTED if admitted else RegistrationState.REFUSED
    return {
        "sale_id": row["sale_id"],
        "sale_title": row["sale_title"],
        "currency": row["currency"],
        "state": state,
        "settled": row["revision"] == row["settled"],
        "code": code,
        "message": row["message"],
        "minimum_minor": row["minimum_minor"],
        "paddle": row["paddle"],
        "terms_version": row["terms_version"],
        "restrictions": row["restrictions"],
        "deposit_minor": row["deposit_minor"],
        "share_minor": row["share_minor"],
        "limit_minor": row["limit_minor"],
        "tax_bps": row["tax_bps"],
        "certificate": row["certificate"],
        "registered_at_us": row["registered_at_us"],
        "closed_at_us": row["closed_at_us"],
    }
