"""Whose paper a document is, whom it is for, and the facts at its head. Pure."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from auction.terms import STORABLE

BankWord = Annotated[str, Meta(min_length=1, max_length=80, pattern=STORABLE)]


class Fact(Struct, frozen=True, array_like=True):
    """Something that is so: what it is about, and what is said."""

    title: str
    text: str


class Party(Struct, frozen=True, array_like=True):
    """A name with the lines of its address."""

    name: str
    lines: Sequence[str] = ()


class Bank(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where money is sent: as people type it into their bank's form."""

    bank: BankWord
    account_name: BankWord
    routing_number: BankWord
    account_number: BankWord
    swift: Annotated[str, Meta(max_length=80, pattern=STORABLE)] = ""


class House(Struct, frozen=True, kw_only=True):
    """Whose paper it is, as it was when the document was made."""

    name: str
    lines: Sequence[str] = ()
    contact: str = ""
    foot: str = ""
