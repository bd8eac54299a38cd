"""Organisations: made, listed."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from accounts.approval_states import ApprovalState
from accounts.audit import Act, Actor, record
from accounts.identity import OrganisationKind
from accounts.ids import WORD, OrganisationId, new_id
from accounts.refusals import Refusal, Refused
from accounts.texts import checked_name
from foundation.database import AnyConnection, Pool, acquire

PAGE: Final = 100


class ListedOrganisation(Struct, frozen=True, kw_only=True):
    """An organisation as staff see it."""

    organisation_id: OrganisationId
    kind: OrganisationKind
    name: str
    approval: ApprovalState | None  # None for whoever needs none
    people: int
    created_at_us: int


_MAKE = """
insert into organisation (organisation_id, kind, name, currency, created_at_us)
values ($1, $2, $3, $4, $5) on conflict do nothing returning true
"""

_DRAFT = "insert into approval (organisation_id, state, changed_at_us) values ($1, 'DRAFT', $2)"

_LIST = """
select organisation_id, kind, name, approval.state as approval,
    (select count(*) from person
     where person.organisation_id = organisation.organisation_id and left_at_us is null) as people,
    created_at_us
from organisation left join approval using (organisation_id)
where (created_at_us, organisation_id) < ($1, $2) and ($3::text is null or kind = $3)
order by created_at_us desc, organisation_id desc limit $4
"""


async def make_organisation(
    connection: AnyConnection,
    kind: OrganisationKind,
    name: str,
    *,
    actor: Actor,
    now_us: int,
    organisation_id: str | None = None,
    currency: str = "USD",
) -> OrganisationId:
    """A new organisation; a reseller's approval begins as a draft.

    An id is made up unless one is given. Raises `Refused`: BAD_TEXT, BAD_ID,
    ORGANISATION_EXISTS.
    """
    name = checked_name(name, field="organisation", most=120)
    if organisation_id is not None and not WORD.fullmatch(organisation_id):
        raise Refused(Refusal.BAD_ID, field="organisation_id")
    made = OrganisationId(organisation_id or new_id(kind.value.lower()))
    if not await connection.fetchval(_MAKE, made, kind, name, currency, now_us):
        raise Refused(Refusal.ORGANISATION_EXISTS, field="organisation_id")
    if kind is OrganisationKind.RESELLER:
        await connection.execute(_DRAFT, made, now_us)
    await record(
        connection,
        Act.ORGANISATION_MADE,
        actor,
        now_us,
        organisation_id=made,
        kind=kind,
        name=name,
    )
    return made


async def list_organisations(
    pool: Pool,
    *,
    kind: OrganisationKind | None = None,
    before: tuple[int, str] = (2**63 - 1, ""),
    limit: int = PAGE,
) -> Sequence[ListedOrganisation]:
    """Organisations, the newest first, before that time and id."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(_LIST, before[0], before[1], kind, limit)
    return [
        ListedOrganisation(
            organisation_id=row["organisation_id"],
            kind=OrganisationKind(row["kind"]),
            name=row["name"],
            approval=None if row["approval"] is None else ApprovalState(row["approval"]),
            people=row["people"],
            created_at_us=row["created_at_us"],
        )
        for row in rows
    ]
