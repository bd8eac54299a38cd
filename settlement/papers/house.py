"""The house as it stands on paper: its name, its address, where money is sent, its GS1 prefix."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.papers.barcodes import is_prefix, sscc_of
from settlement.papers.contents import Label
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.letterhead import Bank, House

MAX_ADDRESS_LINES: Final = 5

Text = Annotated[str, Meta(max_length=120, pattern=STORABLE)]


class HousePaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is printed of the house, and whether its pallets have numbers for everybody."""

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=STORABLE)]
    address: Annotated[tuple[Text, ...], Meta(max_length=MAX_ADDRESS_LINES)] = ()
    contact: Text = ""
    foot: Text = ""
    gs1_prefix: str = ""
    bank: Bank | None = None

    @property
    def house(self) -> House:
        """As documents have it."""
        return House(name=self.name, lines=self.address, contact=self.contact, foot=self.foot)


_READ: Final = """
select name, address, contact, foot, gs1_prefix, bank from house_paper
where valid_from_us <= $1 order by valid_from_us desc limit 1
"""

_SET: Final = """
insert into house_paper (valid_from_us, name, address, contact, foot, gs1_prefix, bank, set_at_us,
    set_by)
values ($1, $2, $3, $4, $5, $6, $7, $1, $8)
on conflict do nothing returning true
"""

_GIVEN: Final = "select number, sscc from pallet_sscc where award_id = $1 order by number"
_SERIALS: Final = """
insert into pallet_serial (gs1_prefix, last) values ($1, $2)
on conflict (gs1_prefix) do update set last = pallet_serial.last + $2 returning last
"""
_GIVE: Final = """
insert into pallet_sscc (award_id, number, sscc, given_at_us)
select $1, number, sscc, $4 from unnest($2::integer[], $3::text[]) as given (number, sscc)
"""
_HOLD: Final = "select from award where award_id = $1 for update"


async def house_at(connection: AnyConnection, at_us: int) -> HousePaper:
    """The house as it stood on paper then."""
    row = await connection.fetchrow(_READ, at_us)
    assert row is not None, "there is a row from the beginning of time"
    bank = None if row["bank"] is None else msgspec.json.decode(row["bank"], type=Bank)
    return HousePaper(**{**row, "address": tuple(row["address"]), "bank": bank})


class HousePapers:
    """What staff say of the house."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def read(self) -> HousePaper:
        """As it stands on paper now."""
        async with acquire(self._pool) as connection:
            return await house_at(connection, self._now_us())

    async def set(self, staff: Actor, words: HousePaper) -> None:
        """From now on it is this; what was made before stays. Raises `Refused` BAD_HOUSE."""
        now_us, by = self._now_us(), staff.person_id or staff.address
        if words.gs1_prefix and not is_prefix(words.gs1_prefix):
            raise Refused(
                PaperRefusal.BAD_HOUSE,
                field="gs1_prefix",
                detail="A GS1 prefix has from 4 to 12 digits.",
            )
        bank = None if words.bank is None else msgspec.json.encode(words.bank).decode()
        said = (words.name, list(words.address), words.contact, words.foot, words.gs1_prefix)
        async with transaction(self._pool) as connection:
            if not await connection.fetchval(_SET, now_us, *said, bank, by):
                raise Refused(
                    PaperRefusal.BAD_HOUSE, detail="Somebody changed it at this very moment."
                )
            await record(
                connection,
                Act.HOUSE_PAPER_SET,
                staff,
                now_us,
                name=words.name,
                routing_number=words.bank.routing_number if words.bank else "",
                account_last4=words.bank.account_number[-4:] if words.bank else "",
            )


async def give_numbers(
    connection: AnyConnection, award_id: str, pallets: int, gs1_prefix: str, now_us: int
) -> None:
    """Give an award's pallets the SSCCs that they have not got yet, in a transaction.

    A pallet keeps its number also where the prefix changes later.
    """
    await connection.execute(_HOLD, award_id)
    given = {row["number"] for row in await connection.fetch(_GIVEN, award_id)}
    missing = [number for number in range(1, pallets + 1) if number not in given]
    if missing:
        last = await connection.fetchval(_SERIALS, gs1_prefix, len(missing))
        first = last - len(missing) + 1
        new = [sscc_of(gs1_prefix, first + place) for place in range(len(missing))]
        await connection.execute(_GIVE, award_id, missing, new, now_us)


async def labelled(
    connection: AnyConnection, award_id: str, pallet_ids: Sequence[str]
) -> list[Label]:
    """An award's pallets with the SSCCs that they have."""
    given = {row["number"]: row["sscc"] for row in await connection.fetch(_GIVEN, award_id)}
    return [
        Label(pallet_id=name, number=number, of=len(pallet_ids), sscc=given.get(number, ""))
        for number, name in enumerate(pallet_ids, start=1)
    ]
