"""The audit log: who did what to what, when and from where. It is only ever added to.

A line is written in the transaction of what it tells about, so that neither is there without the
other. The database refuses to change or remove one. Details never hold a secret, nor what was
typed into a field that may hold one.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from accounts.ids import OrganisationId, PersonId
from foundation.database import AnyConnection, Pool, acquire

PAGE: Final = 100


class Act(StrEnum):
    """What was done."""

    SIGNED_UP = "SIGNED_UP"
    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    SIGNED_OUT = "SIGNED_OUT"
    SESSION_ENDED = "SESSION_ENDED"
    PROFILE_CHANGED = "PROFILE_CHANGED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an act
    PASSWORD_RESET_ASKED = "PASSWORD_RESET_ASKED"  # noqa: S105
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105
    PASSWORD_SET_BY_OPERATOR = "PASSWORD_SET_BY_OPERATOR"  # noqa: S105
    MAIL_CHANGE_ASKED = "MAIL_CHANGE_ASKED"
    MAIL_CHANGED = "MAIL_CHANGED"
    SECOND_FACTOR_SET = "SECOND_FACTOR_SET"
    SECOND_FACTOR_REMOVED = "SECOND_FACTOR_REMOVED"
    RECOVERY_CODES_MADE = "RECOVERY_CODES_MADE"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    TOKEN_MADE = "TOKEN_MADE"  # noqa: S105
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105
    ORGANISATION_MADE = "ORGANISATION_MADE"
    PERSON_MADE = "PERSON_MADE"
    PERSON_INVITED = "PERSON_INVITED"
    INVITATION_WITHDRAWN = "INVITATION_WITHDRAWN"
    PERSON_JOINED = "PERSON_JOINED"
    ROLES_CHANGED = "ROLES_CHANGED"
    PERSON_LEFT = "PERSON_LEFT"
    APPLICATION_EDITED = "APPLICATION_EDITED"
    APPLICATION_SUBMITTED = "APPLICATION_SUBMITTED"
    APPLICATION_DECIDED = "APPLICATION_DECIDED"
    LIMIT_SET = "LIMIT_SET"
    DOCUMENT_UPLOADED = "DOCUMENT_UPLOADED"
    DOCUMENT_REMOVED = "DOCUMENT_REMOVED"
    DOCUMENT_VIEWED = "DOCUMENT_VIEWED"
    CERTIFICATE_ADDED = "CERTIFICATE_ADDED"
    CERTIFICATE_REMOVED = "CERTIFICATE_REMOVED"
    CERTIFICATE_DECIDED = "CERTIFICATE_DECIDED"
    # In sales.
    REGISTERED_FOR_SALE = "REGISTERED_FOR_SALE"
    LIMIT_DIVIDED = "LIMIT_DIVIDED"
    SALE_LIMIT_SET = "SALE_LIMIT_SET"
    DEPOSIT_RECORDED = "DEPOSIT_RECORDED"
    DEPOSIT_CORRECTED = "DEPOSIT_CORRECTED"
    DEPOSIT_DECIDED = "DEPOSIT_DECIDED"
    BUDGETS_SET = "BUDGETS_SET"
    # At the dock, and what is claimed of goods.
    DOCK_CHANGED = "DOCK_CHANGED"
    PICKUP_BOOKED = "PICKUP_BOOKED"
    PICKUP_CHANGED = "PICKUP_CHANGED"
    PICKUP_CANCELLED = "PICKUP_CANCELLED"
    PICKUP_CHECKED_IN = "PICKUP_CHECKED_IN"
    GOODS_RELEASED = "GOODS_RELEASED"
    GOODS_SHIPPED = "GOODS_SHIPPED"
    DELIVERY_PROVED = "DELIVERY_PROVED"
    CHARGE_PAID = "CHARGE_PAID"
    CHARGE_WAIVED = "CHARGE_WAIVED"
    ABANDONED_GOODS_DECIDED = "ABANDONED_GOODS_DECIDED"
    CLAIM_FILED = "CLAIM_FILED"
    CLAIM_WITHDRAWN = "CLAIM_WITHDRAWN"
    CLAIM_DECIDED = "CLAIM_DECIDED"
    CLAIM_THRESHOLD_STATED = "CLAIM_THRESHOLD_STATED"
    # In the books.
    EXCEPTION_TAKEN = "EXCEPTION_TAKEN"
    EXCEPTION_ASSIGNED = "EXCEPTION_ASSIGNED"
    EXCEPTION_GIVEN_BACK = "EXCEPTION_GIVEN_BACK"
    EXCEPTION_NOTED = "EXCEPTION_NOTED"
    ADJUSTMENT_PROPOSED = "ADJUSTMENT_PROPOSED"
    ADJUSTMENT_APPROVED = "ADJUSTMENT_APPROVED"
    ADJUSTMENT_REJECTED = "ADJUSTMENT_REJECTED"
    ADJUSTMENT_WITHDRAWN = "ADJUSTMENT_WITHDRAWN"
    STATEMENT_IMPORTED = "STATEMENT_IMPORTED"
    WIRE_ENTERED = "WIRE_ENTERED"
    WIRE_TAKEN = "WIRE_TAKEN"
    WIRE_GIVEN_BACK = "WIRE_GIVEN_BACK"
    WIRE_IDENTIFIED = "WIRE_IDENTIFIED"
    WIRE_RETURNED = "WIRE_RETURNED"
    WIRE_KNOWN = "WIRE_KNOWN"
    DAY_CLOSED = "DAY_CLOSED"
    MONTH_CLOSED = "MONTH_CLOSED"
    # In settlement.
    OPERATION_TRIED_AGAIN = "OPERATION_TRIED_AGAIN"
    AWARD_CANCELLED = "AWARD_CANCELLED"
    SALE_CONFIRMED = "SALE_CONFIRMED"
    RUNNER_UP_CONSENT = "RUNNER_UP_CONSENT"
    RUNNER_UP_OFFER_ANSWERED = "RUNNER_UP_OFFER_ANSWERED"
    DISPUTE_ANSWERED = "DISPUTE_ANSWERED"
    DISPUTE_BORNE = "DISPUTE_BORNE"
    DISPUTE_FAULT_SET = "DISPUTE_FAULT_SET"
    DISPUTE_LET_GO = "DISPUTE_LET_GO"
    GOODS_ACCEPTED = "GOODS_ACCEPTED"
    PAYEE_SET = "PAYEE_SET"
    PAYEE_CONFIRMED = "PAYEE_CONFIRMED"
    PAYEE_REFUSED = "PAYEE_REFUSED"
    PAYEE_CONNECTED = "PAYEE_CONNECTED"
    HOUSE_BANK_SET = "HOUSE_BANK_SET"
    BANK_FILE_MADE = "BANK_FILE_MADE"
    BANK_FILE_RELEASED = "BANK_FILE_RELEASED"
    BANK_FILE_CANCELLED = "BANK_FILE_CANCELLED"
    BANK_FILE_READ = "BANK_FILE_READ"
    BANK_RETURN_BOOKED = "BANK_RETURN_BOOKED"
    HOUSE_PAPER_SET = "HOUSE_PAPER_SET"
    PLATFORM_PAYOUT_ASKED = "PLATFORM_PAYOUT_ASKED"
    CREDIT_PAYOUT_ASKED = "CREDIT_PAYOUT_ASKED"
    CREDIT_PAYOUT_DECIDED = "CREDIT_PAYOUT_DECIDED"
    CREDIT_PAYOUT_SENT = "CREDIT_PAYOUT_SENT"
    WRITE_OFF_ASKED = "WRITE_OFF_ASKED"
    WRITE_OFF_DECIDED = "WRITE_OFF_DECIDED"
    TAX_CREDITED = "TAX_CREDITED"
    PAYABLE_LET_GO = "PAYABLE_LET_GO"


class Actor(Struct, frozen=True):
    """Who did it and from where; no person for whoever was not signed in."""

    person_id: PersonId | None
    address: str


# Whoever has a shell on the machine.
OPERATOR: Final = Actor(None, "command line")


class AuditLine(Struct, frozen=True, kw_only=True):
    """One line."""

    audit_id: int
    at_us: int
    act: str
    person_id: PersonId | None
    person_name: str | None
    by_organisation_id: OrganisationId | None  # whose person that is
    organisation_id: OrganisationId | None
    organisation_name: str | None
    object_id: str | None
    address: str
    details: dict[str, Any]


_RECORD = """
insert into audit_event (at_us, act, person_id, organisation_id, object_id, address, details)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
"""

_READ = """
select audit_id, at_us, act, person_id, person.name as person_name,
    person.organisation_id as by_organisation_id, audit_event.organisation_id,
    organisation.name as organisation_name, object_id, address, details::text as details
from audit_event
left join person using (person_id)
left join organisation on organisation.organisation_id = audit_event.organisation_id
where {condition} audit_id < $1
order by audit_id desc limit $2
"""

# How our staff are called in the logs of others.
STAFF: Final = "Softclose staff"

_READ_ALL = _READ.format(condition="")
# Two statements, so that one finds its lines by the index.
_READ_OF_ONE = _READ.format(condition="audit_event.organisation_id = $3 and")


def for_team(lines: Sequence[AuditLine], organisation_id: OrganisationId) -> list[AuditLine]:
    """The lines as a team sees those about itself: who of the house acted, and from where, stays
    with the house."""
    return [
        line
        if line.by_organisation_id in {None, organisation_id}
        else replace(line, person_id=None, person_name=STAFF, by_organisation_id=None, address="")
        for line in lines
    ]


async def record(
    connection: AnyConnection,
    act: Act,
    actor: Actor,
    now_us: int,
    *,
    organisation_id: OrganisationId | None = None,
    object_id: str | None = None,
    **details: object,
) -> None:
    """Write a line, in the caller's transaction."""
    await connection.execute(
        _RECORD,
        now_us,
        act,
        actor.person_id,
        organisation_id,
        object_id,
        actor.address,
        json.dumps(details),
    )


async def read(
    pool: Pool,
    *,
    organisation_id: OrganisationId | None = None,
    before: int = 2**63 - 1,
    limit: int = PAGE,
) -> Sequence[AuditLine]:
    """Lines that concern an organisation, or all; the newest first, before a line's number."""
    async with acquire(pool) as connection:
        if organisation_id is None:
            rows = await connection.fetch(_READ_ALL, before, limit)
        else:
            rows = await connection.fetch(_READ_OF_ONE, before, limit, organisation_id)
    return [
        AuditLine(**{**row, "details": msgspec.json.decode(row["details"], type=dict[str, Any])})
        for row in rows
    ]
