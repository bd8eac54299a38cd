"""Who is who, for the rooms above: a reseller's standing, an organisation's people, addresses.

For the person's own team and for staff, and for mail. Never for rivals: to them a bidder is a
paddle. Nothing here asks what the reader may do; that is the caller's to ask first.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
from msgspec import Struct

from accounts.approval_states import ApprovalState, CertificateState
from accounts.identity import OrganisationKind, Role
from accounts.ids import CertificateId, OrganisationId, PersonId
from foundation.database import Pool, acquire


class OrganisationEntry(Struct, frozen=True, kw_only=True):
    """An organisation. Amounts about it are in minor units of ``currency``."""

    organisation_id: OrganisationId
    kind: OrganisationKind
    name: str
    currency: str


class Place(Struct, frozen=True, kw_only=True):
    """Where goods go: what freight and tax are computed for. Empty until it is filled in."""

    street: str
    city: str
    region: str  # of the US: the state's two letters
    postal_code: str
    country: str  # two letters


class Certificate(Struct, frozen=True, kw_only=True):
    """A resale certificate as staff left it."""

    certificate_id: CertificateId
    region: str
    number: str
    expires_on: datetime.date  # the last day on which it is good
    state: CertificateState


class Standing(Struct, frozen=True, kw_only=True):
    """How a reseller stands with the house."""

    organisation_id: OrganisationId
    name: str
    approval: ApprovalState
    limit_minor: int | None  # None: none beyond what each sale asks
    currency: str
    place: Place
    certificates: tuple[Certificate, ...]
    changed_at_us: int

    @property
    def may_bid(self) -> bool:
        """Approved, and not suspended since."""
        return self.approval is ApprovalState.APPROVED

    def certified_in(self, region: str, on: datetime.date) -> bool:
        """Whether sales tax of this state is not due on that day."""
        return any(
            certificate.state is CertificateState.ACCEPTED
            and certificate.region == region
            and certificate.expires_on >= on
            for certificate in self.certificates
        )


class PersonEntry(Struct, frozen=True, kw_only=True):
    """One of a team."""

    person_id: PersonId
    organisation_id: OrganisationId
    name: str
    mail: str
    time_zone: str
    roles: frozenset[Role]
    ceiling_minor: int | None  # the most they may bid in a sale; None: no ceiling of their own


_ORGANISATIONS = """
select organisation_id, kind, name, currency from organisation where organisation_id = any ($1)
"""

_STANDINGS = """
select organisation_id, name, state, limit_minor, currency, street, city, region, postal_code,
    country, changed_at_us
from approval join organisation using (organisation_id)
where {condition} order by changed_at_us, organisation_id
"""

_STANDING = _STANDINGS.format(condition="organisation_id = $1")
_CHANGED = _STANDINGS.format(condition="changed_at_us > $1")

_APPROVED = """
select organisation_id from approval where organisation_id = any ($1) and state = 'APPROVED'
"""

_CERTIFICATES = """
select organisation_id, certificate_id, region, number, expires_on, state
from resale_certificate where organisation_id = any ($1) order by created_at_us, certificate_id
"""

_PEOPLE = """
select person_id, organisation_id, name, mail, time_zone,
    array(select role from membership where membership.person_id = person.person_id) as roles,
    (select ceiling_minor from membership
     where membership.person_id = person.person_id and role = 'bidder') as ceiling_minor
from person where {condition} and left_at_us is null order by name, person_id
"""

_PEOPLE_OF = _PEOPLE.format(condition="organisation_id = any ($1)")
_PEOPLE_BY_ID = _PEOPLE.format(condition="person_id = any ($1)")


async def organisations(
    pool: Pool, organisation_ids: Iterable[OrganisationId]
) -> Mapping[OrganisationId, OrganisationEntry]:
    """These organisations; unknown ones are left out."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_ORGANISATIONS, list(organisation_ids))
    return {row[0]: OrganisationEntry(**{**row, "kind": OrganisationKind(row[1])}) for row in rows}


async def standing_of(pool: Pool, organisation_id: OrganisationId) -> Standing | None:
    """How this reseller stands; ``None`` for whoever is no reseller."""
    standings = await _standings(pool, _STANDING, organisation_id)
    return standings[0] if standings else None


async def standings_changed_since(pool: Pool, since_us: int) -> Sequence[Standing]:
    """The resellers whose approval, limit, place or certificates changed after this time.

    In the order of their changes, for whoever keeps the engine's registrations in step: ask on
    from the last ``changed_at_us``, less some seconds for changes that were being committed, and
    take a change twice for once.
    """
    return await _standings(pool, _CHANGED, since_us)


async def approved_among(
    pool: Pool, organisation_ids: Iterable[OrganisationId]
) -> frozenset[OrganisationId]:
    """Those of these resellers that may bid."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_APPROVED, list(organisation_ids))
    return frozenset(row[0] for row in rows)


async def people_of(pool: Pool, *organisation_ids: OrganisationId) -> Sequence[PersonEntry]:
    """The people of these organisations now, by name."""
    return await _people(pool, _PEOPLE_OF, organisation_ids)


async def people(pool: Pool, person_ids: Iterable[PersonId]) -> Mapping[PersonId, PersonEntry]:
    """These people; those who left or never were are left out."""
    return {entry.person_id: entry for entry in await _people(pool, _PEOPLE_BY_ID, person_ids)}


async def _standings(pool: Pool, statement: str, argument: object) -> list[Standing]:
    async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read"):
        rows = await connection.fetch(statement, argument)
        found = await connection.fetch(_CERTIFICATES, [row["organisation_id"] for row in rows])
    certificates: dict[str, list[Certificate]] = {}
    for row in found:
        certificates.setdefault(row["organisation_id"], []).append(_certificate(row))
    return [_standing(row, tuple(certificates.get(row["organisation_id"], ()))) for row in rows]


def _standing(row: asyncpg.Record, certificates: tuple[Certificate, ...]) -> Standing:
    return Standing(
        organisation_id=row["organisation_id"],
        name=row["name"],
        approval=ApprovalState(row["state"]),
        limit_minor=row["limit_minor"],
        currency=row["currency"],
        place=Place(
            street=row["street"],
            city=row["city"],
            region=row["region"],
            postal_code=row["postal_code"],
            country=row["country"],
        ),
        certificates=certificates,
        changed_at_us=row["changed_at_us"],
    )


def _certificate(row: asyncpg.Record) -> Certificate:
    return Certificate(
        certificate_id=row["certificate_id"],
        region=row["region"],
        number=row["number"],
        expires_on=row["expires_on"],
        state=CertificateState(row["state"]),
    )


async def _people(pool: Pool, statement: str, ids: Iterable[str]) -> list[PersonEntry]:
    async with acquire(pool) as connection:
        rows = await connection.fetch(statement, list(ids))
    return [
        PersonEntry(
            person_id=row["person_id"],
            organisation_id=row["organisation_id"],
            name=row["name"],
            mail=row["mail"],
            time_zone=row["time_zone"],
            roles=frozenset(Role(role) for role in row["roles"]),
            ceiling_minor=row["ceiling_minor"],
        )
        for row in rows
    ]
