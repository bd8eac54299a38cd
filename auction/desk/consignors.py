"""Whose goods a liquidator sells besides its own: consignors, their agreements, their logins.

A consignor is a name until somebody of it is invited; from then on an organisation's people see
its goods. Only an organisation that this desk made takes the desk's invitation, and only while it
has no people: who is there manages its own team. An organisation that consigns to another
liquidator already is linked by its id, which its people have on their page.

Each method is a transaction, and says nothing of another liquidator's consignors: NOT_FOUND.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts import invitations
from accounts.audit import Actor
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId, new_id
from accounts.organisations import make_organisation
from accounts.refusals import Refused as AccountRefused
from accounts.room import Room
from auction.consignment import AgreementTerms, terms_fault
from auction.desk.agreements import (
    MAX_AGREEMENTS,
    MAX_VERSIONS,
    Agreement,
    AgreementBook,
    add_version,
    agreements_of,
    bind_the_unbound,
    book_of,
    day_of,
    in_force,
)
from auction.desk.lot_drafts import LotDraft
from auction.desk.owning import owner_by
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction

# Of one liquidator: a large house has some hundreds.
MAX_CONSIGNORS: Final = 1_000
# Further back and further on than that is a slip of a digit.
_YEARS: Final = 10

ConsignorName = Annotated[str, Meta(min_length=1, max_length=100, pattern=STORABLE)]
Note = Annotated[str, Meta(max_length=2_000, pattern=STORABLE)]
AgreementName = Annotated[str, Meta(min_length=1, max_length=60, pattern=STORABLE)]


class ConsignorWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a liquidator says of a consignor. ``hidden``: not offered for new lots any more."""

    name: ConsignorName
    contact: Note = ""
    note: Note = ""
    hidden: bool = False


class Consignor(Struct, frozen=True, kw_only=True):
    """A consignor. ``organisation_id``: whose people see its goods; null: nobody's."""

    consignor_id: BidderId
    liquidator_id: LiquidatorId
    name: str
    contact: str
    note: str
    hidden: bool
    organisation_id: OrganisationId | None
    version: int
    created_at_us: int
    changed_at_us: int


class AgreementWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version as somebody writes it. ``valid_from``: a day, of UTC."""

    name: AgreementName = "Agreement"
    valid_from: datetime.date
    terms: AgreementTerms
    note: Note = ""


_COLUMNS: Final = ", ".join(Consignor.__struct_fields__)
_READ: Final = f"select {_COLUMNS} from consignor"  # noqa: S608 - the fields above

_ADD: Final = """
insert into consignor (consignor_id, liquidator_id, name, contact, note, hidden, version,
    created_at_us, changed_at_us, changed_by)
values ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8)
"""

_CHANGE: Final = """
update consignor set name = $2, contact = $3, note = $4, hidden = $5, version = version + 1,
    changed_at_us = $6, changed_by = $7
where consignor_id = $1
"""

_LINK: Final = """
update consignor set organisation_id = $2, organisation_made = $3, version = version + 1,
    changed_at_us = $4, changed_by = $5
where consignor_id = $1
"""

_PEOPLE: Final = """
select exists (select from person where organisation_id = $1 and left_at_us is null)
"""


class Consignors:
    """What sellers do about consignors. ``now_us`` is the wall clock.

    ``accounts``: where organisations are made and people invited.
    """

    def __init__(self, pool: Pool, now_us: Callable[[], int], accounts: Room | None) -> None:
        self._pool, self._now_us, self.accounts = pool, now_us, accounts

    # Reading.

    async def owner_of(self, consignor_id: str) -> LiquidatorId | None:
        """Whose consignor it is; ``None``: there is none."""
        return await owner_by(
            self._pool, "select liquidator_id from consignor where consignor_id = $1", consignor_id
        )

    async def list(
        self, liquidator_id: LiquidatorId, after: str = "", limit: int = MAX_CONSIGNORS
    ) -> Sequence[Consignor]:
        """A liquidator's consignors, by name."""
        query = f'{_READ} where liquidator_id = $1 and name collate "C" > $2'
        query += ' order by name collate "C" limit $3'
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(query, liquidator_id, after, limit)
        return [Consignor(**row) for row in rows]

    async def read(self, liquidator_id: LiquidatorId, consignor_id: str) -> Consignor:
        """One of them. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return await _read(connection, liquidator_id, consignor_id)

    async def agreements(
        self, liquidator_id: LiquidatorId, consignor_id: str
    ) -> Sequence[Agreement]:
        """All versions, the newest made first. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            await _read(connection, liquidator_id, consignor_id)
            return await agreements_of(connection, [BidderId(consignor_id)])

    async def in_force(
        self, consignors: Sequence[Consignor]
    ) -> dict[BidderId, Sequence[Agreement]]:
        """What is in force with each today, the usual one first."""
        ids = [one.consignor_id for one in consignors]
        async with acquire(self._pool) as connection:
            found = await agreements_of(connection, ids)
        day = day_of(self._now_us())
        return {
            key: in_force((one for one in found if one.consignor_id == key), day) for key in ids
        }

    async def book(self, liquidator_id: LiquidatorId, drafts: Sequence[LotDraft]) -> AgreementBook:
        """What is agreed with whose goods these are, today."""
        async with acquire(self._pool) as connection:
            return await book_of(connection, liquidator_id, drafts, self._now_us())

    # Consignors.

    async def add(self, seller: Seller, words: ConsignorWords) -> Consignor:
        """A new one. Raises `Refused` NAME_TAKEN, TOO_MANY."""
        async with transaction(self._pool) as connection:
            count = await connection.fetchval(
                "select count(*) from consignor where liquidator_id = $1", seller.liquidator_id
            )
            if count >= MAX_CONSIGNORS:
                raise Refused(Refusal.TOO_MANY, detail=f"There are {count:,} consignors already.")
            consignor_id = new_id("consignor")
            said = (words.name, words.contact, words.note, words.hidden)
            made = (consignor_id, seller.liquidator_id, *said, self._now_us(), seller.actor_id)
            await _written(connection, _ADD, *made)
            return await _read(connection, seller.liquidator_id, consignor_id)

    async def change(
        self, seller: Seller, consignor_id: str, version: int, words: ConsignorWords
    ) -> Consignor:
        """Other words. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NAME_TAKEN."""
        async with transaction(self._pool) as connection:
            await _at(connection, seller, consignor_id, version)
            said = (words.name, words.contact, words.note, words.hidden)
            changed = (consignor_id, *said, self._now_us(), seller.actor_id)
            await _written(connection, _CHANGE, *changed)
            return await _read(connection, seller.liquidator_id, consignor_id)

    # Logins.

    async def link(
        self, seller: Seller, consignor_id: str, version: int, organisation_id: OrganisationId
    ) -> Consignor:
        """Its goods are seen by the people of an organisation that is there already.

        A reseller's do not bid in sales with its goods that are published from now on.
        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_INVITED when it has one or that is none.
        """
        async with transaction(self._pool) as connection:
            consignor = await _at(connection, seller, consignor_id, version)
            kind = await connection.fetchval(
                "select kind from organisation where organisation_id = $1", organisation_id
            )
            if consignor.organisation_id is not None:
                raise Refused(Refusal.NOT_INVITED, detail="It has a login already.")
            if kind not in (OrganisationKind.CONSIGNOR, OrganisationKind.RESELLER):
                said = "There is no consignor or reseller of this id."
                raise Refused(Refusal.NOT_INVITED, field="organisation_id", detail=said)
            await self._link(connection, seller, consignor_id, organisation_id, made=False)
            return await _read(connection, seller.liquidator_id, consignor_id)

    async def invite(self, seller: Seller, consignor_id: str, mail: str, address: str) -> Consignor:
        """Send somebody of it a link to a login; again, as long as nobody has followed one.

        ``address``: from where that is asked, for the audit log.
        Raises `Refused` NOT_FOUND, NOT_INVITED with what stands in the way.
        """
        assert self.accounts is not None, "the host gives a desk its room of accounts"
        actor, now_us = Actor(PersonId(seller.actor_id), address), self._now_us()
        async with transaction(self._pool) as connection:
            consignor = await _read(connection, seller.liquidator_id, consignor_id, lock=True)
            organisation_id = consignor.organisation_id
            if organisation_id is None:
                organisation_id = await make_organisation(
                    connection,
                    OrganisationKind.CONSIGNOR,
                    consignor.name,
                    actor=actor,
                    now_us=now_us,
                )
                await self._link(connection, seller, consignor_id, organisation_id, made=True)
            elif not await self._is_waiting(connection, consignor_id, organisation_id):
                said = "It has a login already: its own people invite others."
                raise Refused(Refusal.NOT_INVITED, detail=said)
        try:
            await invitations.invite(
                self.accounts, organisation_id, mail, frozenset({Role.ADMIN}), None, actor
            )
        except AccountRefused as refused:
            raise Refused(Refusal.NOT_INVITED, field="mail", detail=refused.message) from None
        return await self.read(seller.liquidator_id, consignor_id)

    async def is_waiting(self, consignor: Consignor) -> bool:
        """Whether nobody has a login yet, so that one may be invited."""
        if consignor.organisation_id is None:
            return True
        async with acquire(self._pool) as connection:
            return await self._is_waiting(
                connection, consignor.consignor_id, consignor.organisation_id
            )

    async def _is_waiting(
        self, connection: AnyConnection, consignor_id: str, organisation_id: OrganisationId
    ) -> bool:
        made = await connection.fetchval(
            "select organisation_made from consignor where consignor_id = $1", consignor_id
        )
        return made and not await connection.fetchval(_PEOPLE, organisation_id)

    async def _link(
        self,
        connection: AnyConnection,
        seller: Seller,
        consignor_id: str,
        organisation_id: OrganisationId,
        *,
        made: bool,
    ) -> None:
        values = (consignor_id, organisation_id, made, self._now_us(), seller.actor_id)
        try:
            await connection.execute(_LINK, *values)
        except asyncpg.UniqueViolationError:
            said = "Another consignor of yours is this organisation."
            raise Refused(Refusal.NOT_INVITED, field="organisation_id", detail=said) from None

    # Agreements.

    async def agree(
        self, seller: Seller, consignor_id: str, words: AgreementWords
    ) -> tuple[Agreement, int]:
        """A new agreement, and how many lots that had none are under it now.

        Raises `Refused` NOT_FOUND, BAD_AGREEMENT, NAME_TAKEN, TOO_MANY.
        """
        async with transaction(self._pool) as connection:
            await _read(connection, seller.liquidator_id, consignor_id, lock=True)
            there = await agreements_of(connection, [BidderId(consignor_id)])
            if len({one.agreement_id for one in there}) >= MAX_AGREEMENTS:
                raise Refused(Refusal.TOO_MANY)
            return await self._add(connection, seller, consignor_id, new_id("agreement"), 1, words)

    async def agree_anew(
        self,
        seller: Seller,
        consignor_id: str,
        agreement_id: str,
        version: int,
        words: AgreementWords,
    ) -> tuple[Agreement, int]:
        """The next version of an agreement whose newest one was seen. As `agree`, and
        CHANGED_MEANWHILE; NOT_FOUND for what is no agreement of this consignor."""
        async with transaction(self._pool) as connection:
            await _read(connection, seller.liquidator_id, consignor_id, lock=True)
            there = await agreements_of(connection, [BidderId(consignor_id)])
            numbers = [one.version for one in there if one.agreement_id == agreement_id]
            if not numbers:
                raise Refused(Refusal.NOT_FOUND)
            if max(numbers) != version:
                raise Refused(Refusal.CHANGED_MEANWHILE)
            if version >= MAX_VERSIONS:
                raise Refused(Refusal.TOO_MANY)
            return await self._add(
                connection, seller, consignor_id, agreement_id, version + 1, words
            )

    async def _add(
        self,
        connection: AnyConnection,
        seller: Seller,
        consignor_id: str,
        agreement_id: str,
        version: int,
        words: AgreementWords,
    ) -> tuple[Agreement, int]:
        now_us = self._now_us()
        _check(words, day_of(now_us))
        agreement = Agreement(
            agreement_id=agreement_id,
            version=version,
            consignor_id=BidderId(consignor_id),
            name=words.name,
            valid_from=words.valid_from,
            terms=words.terms,
            note=words.note,
            made_at_us=now_us,
            made_by=seller.actor_id,
        )
        await add_version(connection, agreement)
        return agreement, await bind_the_unbound(connection, seller, consignor_id, now_us)


def _check(words: AgreementWords, today: datetime.date) -> None:
    """Raises `Refused` BAD_AGREEMENT."""
    fault = terms_fault(words.terms)
    if fault is not None:
        place, _, what = fault.partition(": ")
        raise Refused(Refusal.BAD_AGREEMENT, field=f"terms/{place}", detail=f"{what}.")
    if abs((words.valid_from - today).days) > _YEARS * 366:
        said = f"More than {_YEARS} years from now."
        raise Refused(Refusal.BAD_AGREEMENT, field="valid_from", detail=said)


async def _read(
    connection: AnyConnection, liquidator_id: LiquidatorId, consignor_id: str, *, lock: bool = False
) -> Consignor:
    query = f"{_READ} where consignor_id = $1 and liquidator_id = $2"
    row = await connection.fetchrow(
        query + (" for update" if lock else ""), consignor_id, liquidator_id
    )
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return Consignor(**row)


async def _at(
    connection: AnyConnection, seller: Seller, consignor_id: str, version: int
) -> Consignor:
    """A consignor, locked. Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE."""
    consignor = await _read(connection, seller.liquidator_id, consignor_id, lock=True)
    if consignor.version != version:
        raise Refused(Refusal.CHANGED_MEANWHILE)
    return consignor


async def _written(connection: AnyConnection, statement: str, *values: object) -> None:
    try:
        await connection.execute(statement, *values)
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.NAME_TAKEN, field="name") from None
