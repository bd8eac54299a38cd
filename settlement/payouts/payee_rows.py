"""How payees are paid, as it is entered, kept and shown."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import asyncpg
from msgspec import Meta, Struct

from auction.terms import STORABLE
from foundation.database import AnyConnection
from settlement.ids import StripeId
from settlement.payouts.bank_numbers import (
    account_fault,
    bic_fault,
    iban_fault,
    plain,
    routing_fault,
)
from settlement.payouts.words import AccountState, PayeeKind, PayoutRefusal, PayoutRefused, Way

Holder = Annotated[str, Meta(min_length=1, max_length=100, pattern=STORABLE)]


class BankDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank account as somebody enters it: in the United States a routing and an account number,
    elsewhere a BIC and an IBAN."""

    holder: Holder
    is_company: bool = True
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "US"
    routing: Annotated[str, Meta(max_length=20)]
    account: Annotated[str, Meta(max_length=60)]
    is_savings: bool = False

    def __repr__(self) -> str:
        return f"BankDetails({self.country}, ...)"


class BankAccount(Struct, frozen=True, kw_only=True):
    """A bank account as it is shown."""

    bank_account_id: int
    payee_id: str
    holder: str
    is_company: bool
    country: str
    scheme: str
    routing: str
    account_type: str
    last4: str
    state: AccountState
    set_at_us: int
    set_by: str
    by_staff: bool
    decided_at_us: int | None
    decided_by: str | None


class Connected(Struct, frozen=True, kw_only=True):
    """A payee's account at Stripe. ``due``: what it still has to tell Stripe."""

    account_id: StripeId | None
    country: str
    email: str
    details_submitted: bool
    takes_transfers: bool
    payouts_enabled: bool
    due: Sequence[str]
    disabled_reason: str
    note: str
    read_at_us: int | None


class PayeeShown(Struct, frozen=True, kw_only=True):
    """How somebody is paid. ``changed_at_us``: from then on it is frozen for the policy's time."""

    payee_id: str
    name: str
    kind: PayeeKind
    way: Way | None
    changed_at_us: int | None
    version: int
    bank: BankAccount | None
    waiting: BankAccount | None
    connected: Connected | None


_NAMED: Final = """
select o.organisation_id as payee_id, o.name, 'LIQUIDATOR' as kind, o.organisation_id
from organisation o where o.organisation_id = $1 and o.kind = 'LIQUIDATOR'
union all
select c.consignor_id, c.name, 'CONSIGNOR', c.organisation_id
from consignor c where c.consignor_id = $1
"""

_BANKS: Final = """
select * from payee_bank_account where payee_id = any($1) and state in ('ACTIVE', 'WAITING')
"""
_CONNECTED: Final = "select * from payee_connected where payee_id = any($1)"


def checked_details(details: BankDetails) -> BankDetails:
    """The details as they are kept. Raises `PayoutRefused` BAD_ACCOUNT with the field."""
    routing, account = plain(details.routing), plain(details.account)
    if details.country == "US":
        faults = {"routing": routing_fault(routing), "account": account_fault(account)}
    else:
        faults = {
            "account": iban_fault(account, details.country),
            "routing": bic_fault(routing, details.country),
        }
    for field, fault in faults.items():
        if fault is not None:
            detail = f"{fault[0].upper()}{fault[1:]}."
            raise PayoutRefused(PayoutRefusal.BAD_ACCOUNT, field=field, detail=detail)
    return BankDetails(
        holder=details.holder.strip() or details.holder,
        is_company=details.is_company,
        country=details.country,
        routing=routing,
        account=account,
        is_savings=details.is_savings and details.country == "US",
    )


async def named_payee(connection: AnyConnection, payee_id: str) -> asyncpg.Record:
    row = await connection.fetchrow(_NAMED, payee_id)
    if row is None:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND)
    return row


async def shown_payee(
    connection: AnyConnection, payee_id: str, named: asyncpg.Record
) -> PayeeShown:
    row = await connection.fetchrow("select * from payee where payee_id = $1", payee_id)
    banks = {each["state"]: each for each in await connection.fetch(_BANKS, [payee_id])}
    connected = await connection.fetchrow(_CONNECTED, [payee_id])
    return PayeeShown(
        payee_id=payee_id,
        name=named["name"],
        kind=PayeeKind(named["kind"]),
        way=Way(row["way"]) if row and row["way"] else None,
        changed_at_us=row["changed_at_us"] if row else None,
        version=row["version"] if row else 1,
        bank=_bank(banks.get("ACTIVE")),
        waiting=_bank(banks.get("WAITING")),
        connected=None if connected is None else _connected(connected),
    )


def _bank(row: asyncpg.Record | None) -> BankAccount | None:
    if row is None:
        return None
    fields: dict[str, Any] = {name: row[name] for name in BankAccount.__struct_fields__}
    return BankAccount(**(fields | {"state": AccountState(row["state"])}))


def _connected(row: asyncpg.Record) -> Connected:
    return Connected(**{name: row[name] for name in Connected.__struct_fields__})
