"""The list of wires that a person types into the bank's own pages, as CSV. Pure.

For accounts that an ACH file cannot reach: abroad, or in another currency than dollars.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from auction.spreadsheets import Column, Kind, table_csv


class Wire(Struct, frozen=True, kw_only=True):
    """What one receiver gets."""

    reference: str
    payee: str
    holder: str
    country: str
    routing: str  # a routing number, or a BIC
    account: str  # an account number, or an IBAN
    currency: str
    amount_minor: int


_COLUMNS: Final[Sequence[Column[Wire]]] = (
    Column("Reference", Kind.TEXT, lambda wire: wire.reference),
    Column("Payee", Kind.TEXT, lambda wire: wire.payee),
    Column("Account holder", Kind.TEXT, lambda wire: wire.holder),
    Column("Country", Kind.TEXT, lambda wire: wire.country),
    Column("Routing number or BIC", Kind.TEXT, lambda wire: wire.routing),
    Column("Account number or IBAN", Kind.TEXT, lambda wire: wire.account),
    Column("Currency", Kind.TEXT, lambda wire: wire.currency),
    Column("Amount", Kind.MONEY, lambda wire: wire.amount_minor),
)


def wire_list(wires: Sequence[Wire], currency: str) -> bytes:
    """The list, in the order in which it is given."""
    return table_csv(_COLUMNS, wires, currency)
