"""Which of Stripe's balance transactions is which entry of ours, and what does not fit. Pure.

An entry belongs to a transaction if it names that transaction, or if it names the object that the
transaction is about (a charge, a refund, a transfer, a payout, a dispute) and is of a purpose that
such a transaction has: a refund's entry may name the charge too, and is not the charge's.

Of those that belong together, equals are paired first; what remains is compared as a whole, since
one refund may pay for the credits of several lots. A charge's transaction bears its fee, which the
books have as an entry of its own: so amount and fee are compared apart. An entry that was taken
back counts together with what took it back, and if nothing remains of both, Stripe knows nothing
of it and need not.

What is younger than `GRACE_US` may be on its way and is no break.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from settlement.entries import Purpose
from settlement.ids import EntryKey, StripeId
from settlement.payment_objects import BalanceTransaction
from settlement.reconciliation.classes import FEES, MENDING, PURPOSES, Class, class_of

# Above the longest pause between two tries of an operation and its lease: 390 s.
GRACE_US: Final = 15 * 60 * 1_000_000
# After a day without news of Stripe's books an entry is no longer on its way.
STALE_US: Final = 24 * 3_600 * 1_000_000


class BreakKind(StrEnum):
    """How our books and Stripe's differ."""

    MISSING_IN_LEDGER = "MISSING_IN_LEDGER"
    MISSING_AT_STRIPE = "MISSING_AT_STRIPE"
    AMOUNT = "AMOUNT"
    FEE = "FEE"
    CURRENCY = "CURRENCY"
    # It waits for Stripe's side, which was not read for too long to say that it is missing.
    STALE = "STALE"


class Booked(Struct, frozen=True, kw_only=True):
    """An entry that moves Stripe's balance: by ``amount_minor`` less ``fee_minor``."""

    entry_id: int
    key: EntryKey
    purpose: Purpose
    currency: str
    at_us: int
    amount_minor: int
    fee_minor: int
    stripe_ids: tuple[StripeId, ...]
    corrects: EntryKey | None = None

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor


class Match(Struct, frozen=True):
    """A transaction with its entries."""

    transaction_id: StripeId
    entry_ids: tuple[int, ...]


class FeeDue(Struct, frozen=True):
    """A fee that Stripe took (above 0) or gave back and that nobody has booked. ``entry_id``: of
    the entry that it belongs to; ``None``: a fee that is charged alone."""

    transaction_id: StripeId
    fee_minor: int
    entry_id: int | None


class Break(Struct, frozen=True, kw_only=True):
    """What does not fit. ``stripe_minor`` and ``booked_minor``: net, as they move the balance
    of its currency; what was booked in another one is nothing in it."""

    kind: BreakKind
    currency: str
    transaction_ids: tuple[StripeId, ...]
    entry_keys: tuple[EntryKey, ...]
    stripe_minor: int
    booked_minor: int
    since_us: int

    @property
    def subject(self) -> str:
        """What it is known by: a transaction's id, or the key of an entry that has none."""
        return self.transaction_ids[0] if self.transaction_ids else self.entry_keys[0]


class Matching(Struct, frozen=True):
    """What fits, what fits nothing and need not (``undone``), fees to be booked, and breaks."""

    matches: tuple[Match, ...]
    undone: tuple[int, ...]
    fees: tuple[FeeDue, ...]
    breaks: tuple[Break, ...]


def match(
    transactions: Iterable[BalanceTransaction],
    entries: Iterable[Booked],
    *,
    taken_until_us: int,
    now_us: int,
) -> Matching:
    """Match what is open. ``taken_until_us``: what Stripe had made by then is all known."""
    found = _Found(taken_until_us, now_us)
    units = []
    for unit in _units(entries):
        if unit.amount_minor or unit.fee_minor:
            units.append(unit)
        else:
            found.undone += unit.entry_ids
    ordered = sorted(transactions, key=lambda its: (its.made_at_us, its.transaction_id))
    used: set[int] = set()
    whole = _by_id(units)
    belonging = {its.transaction_id: _belonging(its, whole) for its in ordered}
    left = [its for its in ordered if not _paired(its, belonging, used, found)]
    for theirs, ours in _clusters(left, belonging, used):
        used.update(unit.place for unit in ours)
        _compare(theirs, ours, found)
    for unit in units:
        if unit.place not in used:
            found.lone(unit)
    return Matching(tuple(found.matches), tuple(found.undone), tuple(found.fees), found.sorted())


class _Unit(Struct, frozen=True):
    """An entry with those that take it back or mend it."""

    place: int
    entries: tuple[Booked, ...]

    @property
    def first(self) -> Booked:
        return self.entries[0]

    @property
    def is_fee(self) -> bool:
        return self.first.purpose in FEES

    @property
    def amount_minor(self) -> int:
        return sum(entry.amount_minor for entry in self.entries)

    @property
    def fee_minor(self) -> int:
        return sum(entry.fee_minor for entry in self.entries)

    @property
    def entry_ids(self) -> tuple[int, ...]:
        return tuple(entry.entry_id for entry in self.entries)

    @property
    def stripe_ids(self) -> set[StripeId]:
        return {stripe_id for entry in self.entries for stripe_id in entry.stripe_ids}


class _Found:
    """What was found so far."""

    def __init__(self, taken_until_us: int, now_us: int) -> None:
        self._taken_until_us, self._now_us = taken_until_us, now_us
        self.matches: list[Match] = []
        self.undone: list[int] = []
        self.fees: list[FeeDue] = []
        self._breaks: list[Break] = []

    def broken(
        self, kind: BreakKind, theirs: Sequence[BalanceTransaction], ours: Sequence[_Unit]
    ) -> None:
        """A break between these, unless it is so young that it may mend itself."""
        since_us = min(its.made_at_us for its in theirs)
        if self._now_us < since_us + GRACE_US:
            return
        self._breaks.append(
            Break(
                kind=kind,
                currency=theirs[0].currency,
                transaction_ids=tuple(its.transaction_id for its in theirs),
                entry_keys=tuple(entry.key for unit in ours for entry in unit.entries),
                stripe_minor=sum(its.net_minor for its in theirs),
                booked_minor=sum(
                    unit.amount_minor - unit.fee_minor
                    for unit in ours
                    if unit.first.currency == theirs[0].currency
                ),
                since_us=since_us,
            )
        )

    def lone(self, unit: _Unit) -> None:
        """An entry of which Stripe's books have nothing."""
        at_us = max(entry.at_us for entry in unit.entries)
        if self._taken_until_us >= at_us + GRACE_US:
            kind = BreakKind.MISSING_AT_STRIPE
        elif self._now_us >= at_us + STALE_US:
            kind = BreakKind.STALE
        else:
            return
        self._breaks.append(
            Break(
                kind=kind,
                currency=unit.first.currency,
                transaction_ids=(),
                entry_keys=tuple(entry.key for entry in unit.entries),
                stripe_minor=0,
                booked_minor=unit.amount_minor - unit.fee_minor,
                since_us=unit.first.at_us,
            )
        )

    def sorted(self) -> tuple[Break, ...]:
        return tuple(sorted(self._breaks, key=lambda its: (its.since_us, its.subject)))


def _units(entries: Iterable[Booked]) -> list[_Unit]:
    by_key = {entry.key: entry for entry in entries}

    def root(entry: Booked) -> EntryKey:
        seen = {entry.key}
        while entry.corrects in by_key and entry.corrects not in seen:
            entry = by_key[entry.corrects]
            seen.add(entry.key)
        return entry.key

    grouped: dict[EntryKey, list[Booked]] = {}
    for entry in sorted(by_key.values(), key=lambda its: (its.at_us, its.entry_id)):
        grouped.setdefault(root(entry), []).append(entry)
    return [
        _Unit(place, (by_key[key], *(each for each in of if each.key != key)))
        for place, (key, of) in enumerate(grouped.items())
    ]


def _by_id(units: Iterable[_Unit]) -> dict[StripeId, list[_Unit]]:
    named: dict[StripeId, list[_Unit]] = {}
    for unit in units:
        for stripe_id in sorted(unit.stripe_ids):
            named.setdefault(stripe_id, []).append(unit)
    return named


def _belonging(its: BalanceTransaction, units: Mapping[StripeId, list[_Unit]]) -> list[_Unit]:
    """The units that belong to a transaction: those that name it, and by what it is about."""
    found = {unit.place: unit for unit in units.get(its.transaction_id, ())}
    purposes = PURPOSES[class_of(its)]
    for unit in units.get(its.source_id, ()) if its.source_id else ():
        others = any(name.startswith("txn_") for name in unit.stripe_ids)
        if not others and (unit.is_fee or unit.first.purpose in purposes):
            found[unit.place] = unit
    return [found[place] for place in sorted(found)]


def _paired(
    its: BalanceTransaction,
    belonging: Mapping[StripeId, list[_Unit]],
    used: set[int],
    found: _Found,
) -> bool:
    """Pair a transaction with the one unit that equals it, and with its fee."""
    ours = [unit for unit in belonging[its.transaction_id] if unit.place not in used]
    fees = [unit for unit in ours if unit.is_fee]
    exact = [unit for unit in fees if unit.fee_minor == its.fee_minor]
    kept = exact[:1] if len(fees) > 1 and exact else fees
    equal = [
        unit
        for unit in ours
        if not unit.is_fee
        and unit.first.currency == its.currency
        and unit.amount_minor == its.amount_minor
    ]
    if not equal or class_of(its) is Class.FEE:
        return False
    pair = [equal[0], *kept]
    used.update(unit.place for unit in pair)
    _compare([its], pair, found)
    return True


def _clusters(
    left: Sequence[BalanceTransaction],
    belonging: Mapping[StripeId, list[_Unit]],
    used: set[int],
) -> list[tuple[list[BalanceTransaction], list[_Unit]]]:
    """Transactions that share units, with those units."""
    clusters: list[tuple[list[BalanceTransaction], dict[int, _Unit]]] = []
    for its in left:
        ours = {unit.place: unit for unit in belonging[its.transaction_id]}
        ours = {place: unit for place, unit in ours.items() if place not in used}
        joined = [cluster for cluster in clusters if cluster[1].keys() & ours.keys()]
        clusters = [cluster for cluster in clusters if cluster not in joined]
        theirs = [each for cluster in joined for each in cluster[0]] + [its]
        for cluster in joined:
            ours |= cluster[1]
        clusters.append((theirs, ours))
    return [(theirs, [ours[place] for place in sorted(ours)]) for theirs, ours in clusters]


def _compare(theirs: Sequence[BalanceTransaction], ours: Sequence[_Unit], found: _Found) -> None:
    """Match what belongs together, or say in what it differs."""
    first = theirs[0]
    if not ours and all(its.amount_minor == its.fee_minor == 0 for its in theirs):
        return _matched(theirs, ours, found)  # it moved nothing
    if not any(not unit.is_fee for unit in ours) and class_of(first) is not Class.FEE:
        return found.broken(BreakKind.MISSING_IN_LEDGER, theirs, ours)
    if any(unit.first.currency != its.currency for unit in ours for its in theirs):
        return found.broken(BreakKind.CURRENCY, theirs, ours)
    if class_of(first) is Class.FEE and not ours:
        found.fees.append(FeeDue(first.transaction_id, -first.net_minor, None))
        return _matched(theirs, ours, found)
    amount = sum(unit.amount_minor for unit in ours)
    fee = sum(unit.fee_minor for unit in ours)
    mended = any(entry.purpose in MENDING for unit in ours for entry in unit.entries)
    if amount - fee == sum(its.net_minor for its in theirs) and (
        mended or class_of(first) is Class.FEE or fee == sum(its.fee_minor for its in theirs)
    ):
        return _matched(theirs, ours, found)
    if amount != sum(its.amount_minor for its in theirs):
        return found.broken(BreakKind.AMOUNT, theirs, ours)
    if fee:
        return found.broken(BreakKind.FEE, theirs, ours)
    entry_id = next(unit.first.entry_id for unit in ours)
    found.fees += [
        FeeDue(its.transaction_id, its.fee_minor, entry_id) for its in theirs if its.fee_minor
    ]
    return _matched(theirs, ours, found)


def _matched(theirs: Sequence[BalanceTransaction], ours: Sequence[_Unit], found: _Found) -> None:
    entry_ids = tuple(entry_id for unit in ours for entry_id in unit.entry_ids)
    found.matches += [Match(its.transaction_id, entry_ids) for its in theirs]
