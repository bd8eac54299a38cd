"""Agreements with consignors, version by version, and which version a lot is bound to.

A version is never changed: other terms are the next version of their agreement. In force on a day
(of UTC) is the highest version that is valid from that day or an earlier one. A lot is bound when
its consignor is chosen and keeps its version, whatever is agreed later, until somebody binds it
anew; what is made of a lot is bound as it was, save a copy, whose goods are others.

Functions take a connection and make no transaction of their own.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from msgspec import Struct, structs

from auction.consignment import AgreementTerms, Bearer, CommissionTier, Per
from auction.desk.lot_drafts import LotDraft, change_lots, lock_lots
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import ActorId, BidderId, LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection

# Of one consignor, and of one agreement: a change a week for some years.
MAX_AGREEMENTS: Final = 20
MAX_VERSIONS: Final = 200


class Agreement(Struct, frozen=True, kw_only=True):
    """A version of an agreement. ``made_by``: the person of the liquidator."""

    agreement_id: str
    version: int
    consignor_id: BidderId
    name: str
    valid_from: datetime.date
    terms: AgreementTerms
    note: str
    made_at_us: int
    made_by: ActorId


_TERMS: Final = tuple(name for name in AgreementTerms.__struct_fields__ if name != "commission")
_KEYS: Final = tuple(name for name in Agreement.__struct_fields__ if name != "terms")
_COLUMNS: Final = (*_KEYS, *_TERMS, "tier_from_minor", "tier_rate_bps")

_READ: Final = f"select {', '.join(_COLUMNS)} from consignor_agreement"  # noqa: S608 - as above

_ADD: Final = f"""
insert into consignor_agreement ({", ".join(_COLUMNS)})
values ({", ".join(f"${place}" for place, _ in enumerate(_COLUMNS, start=1))})
"""  # noqa: S608

_RECORD: Final = """
insert into consigned_lot (sale_id, lot_id, consignor_id, agreement_id, agreement_version, pallets,
    load, purchase_order, rma)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


# Lots that can still be changed and have no agreement yet.
_UNBOUND: Final = """
select draft_id from lot_draft l left join sale_draft s using (sale_id)
where l.liquidator_id = $1 and l.removed_at_us is null and l.draft ? 'consignor_id'
and l.draft ->> 'consignor_id' = $2 and not l.draft ? 'agreement_id'
and coalesce(s.state, 'DRAFT') = 'DRAFT' order by draft_id
"""


def day_of(now_us: int) -> datetime.date:
    """The day by which agreements are valid: UTC's."""
    return datetime.datetime.fromtimestamp(now_us / 1_000_000, datetime.UTC).date()


async def agreements_of(
    connection: AnyConnection, consignor_ids: Iterable[BidderId]
) -> list[Agreement]:
    """All versions of all agreements of these consignors, the newest made first."""
    query = f"{_READ} where consignor_id = any($1) order by made_at_us desc, version desc"
    return [_agreement(row) for row in await connection.fetch(query, list(consignor_ids))]


async def versions(
    connection: AnyConnection, keys: Iterable[tuple[str, int]]
) -> Mapping[tuple[str, int], Agreement]:
    """These versions, by agreement and number."""
    wanted = sorted(set(keys))
    query = (
        f"{_READ} join unnest($1::text[], $2::integer[]) as w (agreement_id, version)"
        " using (agreement_id, version)"
    )
    ids, numbers = [key for key, _ in wanted], [number for _, number in wanted]
    found = [_agreement(row) for row in await connection.fetch(query, ids, numbers)]
    return {(one.agreement_id, one.version): one for one in found}


async def add_version(connection: AnyConnection, agreement: Agreement) -> None:
    """One more row. Raises `Refused` CHANGED_MEANWHILE when somebody was faster."""
    tiers = agreement.terms.commission
    values: dict[str, Any] = {name: getattr(agreement, name) for name in _KEYS}
    values |= {name: getattr(agreement.terms, name) for name in _TERMS}
    values["tier_from_minor"] = [tier.from_minor for tier in tiers]
    values["tier_rate_bps"] = [tier.rate_bps for tier in tiers]
    try:
        await connection.execute(_ADD, *(values[name] for name in _COLUMNS))
    except asyncpg.UniqueViolationError:
        raise Refused(Refusal.CHANGED_MEANWHILE) from None


def in_force(agreements: Iterable[Agreement], day: datetime.date) -> list[Agreement]:
    """The version of each agreement that is in force on a day; the usual one first."""
    newest: dict[str, Agreement] = {}
    for one in agreements:
        if one.valid_from <= day and one.version > _number(newest.get(one.agreement_id)):
            newest[one.agreement_id] = one
    return sorted(newest.values(), key=lambda one: (one.valid_from, one.made_at_us), reverse=True)


def _number(agreement: Agreement | None) -> int:
    return 0 if agreement is None else agreement.version


@dataclass(frozen=True)
class AgreementBook:
    """Some consignors of a liquidator, by id, and all that was agreed with them."""

    consignors: Mapping[str, str]
    agreements: Sequence[Agreement]
    day: datetime.date

    def usual(self, consignor_id: str, currency: str) -> Agreement | None:
        """What binds a new lot: of what is in force, the newest that is in its currency."""
        current = self.current(consignor_id)
        fitting = [one for one in current if one.terms.currency == currency]
        return next(iter(fitting or current), None)

    def current(self, consignor_id: str) -> list[Agreement]:
        """What is in force with a consignor, the usual one first."""
        own = (one for one in self.agreements if one.consignor_id == consignor_id)
        return in_force(own, self.day)

    def version(self, draft: LotDraft) -> Agreement | None:
        """The version that a draft names, if it is one of its consignor's."""
        wanted = (draft.consignor_id, draft.agreement_id, draft.agreement_version)
        for one in self.agreements:
            if (one.consignor_id, one.agreement_id, one.version) == wanted:
                return one
        return None

    def bound(self, before: LotDraft | None, after: LotDraft) -> LotDraft:
        """A draft that somebody has written, with the agreement that it is under.

        Without a consignor there is none. Whose consignor stays keeps its version unless another
        one is named; an agreement without a number means its version in force. Raises `Refused`
        UNKNOWN_CONSIGNOR, UNKNOWN_AGREEMENT.
        """
        if after.consignor_id is None:
            return structs.replace(after, agreement_id=None, agreement_version=None)
        given = (after.agreement_id, after.agreement_version)
        was = (None, None) if before is None else (before.agreement_id, before.agreement_version)
        same = before is not None and before.consignor_id == after.consignor_id
        if same and (given == was or given == (None, None)) and was[0] is not None:
            return structs.replace(after, agreement_id=was[0], agreement_version=was[1])
        if after.consignor_id not in self.consignors:
            raise Refused(Refusal.UNKNOWN_CONSIGNOR, field="consignor_id")
        if given[0] is None or (not same and given == was):
            return _with(after, self.usual(after.consignor_id, after.currency))
        if given[1] is None or (given[0] != was[0] and given[1] == was[1]):
            current = self.current(after.consignor_id)
            found = next((one for one in current if one.agreement_id == given[0]), None)
        else:
            found = self.version(after)
        if found is None:
            raise Refused(Refusal.UNKNOWN_AGREEMENT, field="agreement_id")
        return _with(after, found)


async def book_of(
    connection: AnyConnection,
    liquidator_id: LiquidatorId,
    drafts: Iterable[LotDraft],
    now_us: int,
) -> AgreementBook:
    """What is agreed with whose goods these are; another liquidator's consignors are left out."""
    wanted = sorted({one.consignor_id for one in drafts if one.consignor_id is not None})
    if not wanted:
        return AgreementBook({}, (), day_of(now_us))
    rows = await connection.fetch(
        "select consignor_id, name from consignor"
        " where liquidator_id = $1 and consignor_id = any($2)",
        liquidator_id,
        wanted,
    )
    names = {row["consignor_id"]: row["name"] for row in rows}
    found = await agreements_of(connection, [BidderId(one) for one in names])
    return AgreementBook(names, found, day_of(now_us))


async def bind_the_unbound(
    connection: AnyConnection, seller: Seller, consignor_id: str, now_us: int
) -> int:
    """Lots whose consignor was chosen before anything was agreed; how many there were."""
    owner = seller.liquidator_id
    rows = await connection.fetch(_UNBOUND, owner, consignor_id)
    lots = await lock_lots(connection, owner, [row["draft_id"] for row in rows])
    book = await book_of(connection, owner, [lot.draft for lot in lots], now_us)
    # Publishing may have begun while they were waited for.
    free = (lot for lot in lots if lot.sale_state in (None, "DRAFT"))
    bound = [(lot, book.bound(lot.draft, lot.draft)) for lot in free]
    changed = [(lot, draft) for lot, draft in bound if draft != lot.draft]
    await change_lots(connection, changed, seller.actor_id, now_us)
    return len(changed)


async def organisations_of(
    connection: AnyConnection, consignor_ids: Iterable[BidderId]
) -> list[BidderId]:
    """Under which names these might bid."""
    rows = await connection.fetch(
        "select distinct organisation_id from consignor"
        " where consignor_id = any($1) and organisation_id is not null order by 1",
        list(consignor_ids),
    )
    return [BidderId(row["organisation_id"]) for row in rows]


async def record_lots(
    connection: AnyConnection, sale_id: SaleId, lots: Iterable[tuple[LotId, LotDraft]]
) -> None:
    """What settlement reads of consigned lots, at their publishing: `checks` has seen them all."""
    rows = []
    for lot_id, draft in lots:
        if draft.consignor_id is not None:
            agreement = (draft.consignor_id, draft.agreement_id, draft.agreement_version)
            papers = (draft.load, draft.purchase_order, draft.rma)
            rows.append((sale_id, lot_id, *agreement, draft.pallets or 0, *papers))
    await connection.executemany(_RECORD, rows)


def _with(draft: LotDraft, agreement: Agreement | None) -> LotDraft:
    """Bound to it; to none when none is in force, which the checks before publishing say."""
    return structs.replace(
        draft,
        agreement_id=None if agreement is None else agreement.agreement_id,
        agreement_version=None if agreement is None else agreement.version,
    )


def _agreement(row: asyncpg.Record) -> Agreement:
    tiers = zip(row["tier_from_minor"], row["tier_rate_bps"], strict=True)
    commission = tuple(CommissionTier(low, rate) for low, rate in tiers)
    said = {name: row[name] for name in _TERMS}
    said |= {name: Bearer(row[name]) for name in ("claims", "payment_fees", "freight")}
    said["guarantee_per"] = Per(row["guarantee_per"])
    terms = AgreementTerms(commission=commission, **said)
    return Agreement(terms=terms, **{name: row[name] for name in _KEYS})
