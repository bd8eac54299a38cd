"""What is looked at before a sale is published: each check with its reason and the way out. Pure.

An ERROR keeps the sale from being published. A WARNING does not: it is what an experienced seller
would ask about.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.catalog.goods import Condition, FreightTerms
from auction.desk.agreements import AgreementBook
from auction.desk.lot_drafts import DraftedLot, LotDraft
from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import MAX_LOTS, NoSuchTime, Times, times_of
from auction.money import EXPONENTS
from auction.terms import SaleAudience, Terms, terms_fault

# A bidder has to see the lots, arrange freight and money: a day at least, three are usual.
SHORT_NOTICE_US: Final = 24 * 3_600_000_000
# Above the MSRP, a reserve is a slip of a digit.
MOST_OF_MSRP: Final = 1.0


class Level(StrEnum):
    """Whether it keeps the sale from being published."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class Finding(Struct, frozen=True, kw_only=True):
    """Something that a check found. ``lot``: the number of the lot that it is about."""

    level: Level
    code: str
    message: str
    field: str = ""
    draft_id: str = ""
    lot: str = ""


def findings(
    draft: SaleDraft,
    lots: Sequence[DraftedLot],
    photos: Mapping[str, int],
    agreed: AgreementBook,
    admitted: int,
    now_us: int,
) -> list[Finding]:
    """All that the checks find, errors first.

    ``photos``: how many each draft of a lot has; ``agreed``: with whose goods they are;
    ``admitted``: how many resellers a sale that is not for everybody would be seen by.
    """
    found = [*_of_sale(draft, lots, admitted, now_us)]
    for lot in lots:
        found += _of_lot(draft.terms, lot, photos.get(lot.draft_id, 0))
        found += _of_agreement(draft.terms, lot, agreed)
    return sorted(found, key=lambda finding: finding.level is Level.WARNING)


def _of_sale(
    draft: SaleDraft, lots: Sequence[DraftedLot], admitted: int, now_us: int
) -> Iterator[Finding]:
    for field, words in _SALE_NEEDS.items():
        if not getattr(draft, field):
            yield _error("SALE_INCOMPLETE", f"The sale has no {words}.", field)
    if draft.audience is SaleAudience.GROUP and not draft.groups:
        yield _error("NOBODY_ADMITTED", "Say which groups of buyers may enter the sale.", "groups")
    if draft.audience is SaleAudience.GROUP and draft.groups and not admitted:
        message = "Nobody is in these groups: no buyer would see the sale. Put some in."
        yield _warning("EMPTY_GROUPS", message, "groups")
    if draft.audience is SaleAudience.INVITE and not draft.invited:
        yield _error("NOBODY_ADMITTED", "Say who is invited to the sale.", "invited")
    if not lots:
        yield _error("NO_LOTS", "The sale has no lots. Put some in from your stock.", "lots")
    if len(lots) > MAX_LOTS:
        yield _error("TOO_MANY_LOTS", f"A sale has at most {MAX_LOTS:,} lots.", "lots")
    fault = terms_fault(draft.terms)
    if fault is not None:
        yield _error("BAD_TERMS", f"A sale cannot be held under these terms: {fault}.", "terms")
    if draft.schedule is not None:
        yield from _of_times(draft, min(len(lots), MAX_LOTS), now_us)


def _of_times(draft: SaleDraft, lots: int, now_us: int) -> Iterator[Finding]:
    assert draft.schedule is not None
    try:
        times = times_of(draft.schedule, max(1, lots))
    except NoSuchTime as fault:
        yield _error("BAD_TIME", f"{fault}.", "schedule")
        return
    first: Times = times[0]
    if first.opens_at_us <= now_us:
        yield _error("OPENS_IN_THE_PAST", "The sale would have opened already.", "schedule")
    elif first.closes_at_us < now_us + SHORT_NOTICE_US:
        yield _warning(
            "SHORT_NOTICE",
            "The first lot ends within a day: few bidders will have seen it.",
            "schedule",
        )


def _of_lot(terms: Terms, lot: DraftedLot, photos: int) -> Iterator[Finding]:
    draft = lot.draft
    for field, words in _LOT_NEEDS.items():
        if getattr(draft, field) in (None, ""):
            yield _error("LOT_INCOMPLETE", f"Lot {lot.number} has no {words}.", field, lot)
    if lot.lines == 0:
        yield _error("NO_MANIFEST", f"Lot {lot.number} has no manifest.", "lines", lot)
    if draft.currency != terms.currency:
        message = (
            f"Lot {lot.number} is valued in {draft.currency}, the sale is in {terms.currency}."
        )
        yield _error("OTHER_CURRENCY", message, "currency", lot)
    if (draft.freight_terms is FreightTerms.FIXED) != (draft.freight_fixed_minor is not None):
        message = f"Lot {lot.number}: a fixed freight has a price, and no other has one."
        yield _error("BAD_FREIGHT", message, "freight_fixed_minor", lot)
    yield from _of_prices(draft, lot)
    if photos == 0:
        message = (
            f"Lot {lot.number} has no photo: lots with photos bring more. Add some on its page."
        )
        yield _warning("NO_PHOTO", message, "photos", lot)
    if lot.conditions.get(Condition.UNINSPECTED) and len(lot.conditions) > 1:
        message = f"Lot {lot.number}: some lines are uninspected, so the whole lot is labelled so."
        yield _warning("PARTLY_UNINSPECTED", message, "lines", lot)


def _of_agreement(terms: Terms, lot: DraftedLot, agreed: AgreementBook) -> Iterator[Finding]:
    """What a consignor is paid has to be settled before anything of its is sold."""
    draft, number = lot.draft, lot.number
    if draft.consignor_id is None:
        return
    if draft.consignor_id not in agreed.consignors:
        message = f"Lot {number}: you have no such consignor. Choose one of yours on its page."
        yield _error("UNKNOWN_CONSIGNOR", message, "consignor_id", lot)
        return
    name, bound = agreed.consignors[draft.consignor_id], agreed.version(draft)
    usual = agreed.usual(draft.consignor_id, terms.currency)
    if bound is None:
        message = (
            f"Lot {number}: take the agreement with {name} that is in force over on its page."
            if usual
            else f"Lot {number}: no agreement with {name} is in force. Write it on the page of"
            f" {name}, among your consignors."
        )
        yield _error("NO_AGREEMENT", message, "consignor_id", lot)
        return
    if bound.terms.currency != terms.currency:
        message = (
            f"Lot {number}: the agreement with {name} is in {bound.terms.currency}, the sale is in"
            f" {terms.currency}. Agree on {terms.currency}, or take the lot out."
        )
        yield _error("OTHER_CURRENCY", message, "consignor_id", lot)
    if any(
        one.agreement_id == bound.agreement_id and one.version > bound.version
        for one in agreed.current(draft.consignor_id)
    ):
        message = (
            f"Lot {number}: it is under version {bound.version} of the agreement with {name};"
            " a newer one is in force. Its page takes that over."
        )
        yield _warning("OLD_AGREEMENT", message, "consignor_id", lot)


def _of_prices(draft: LotDraft, lot: DraftedLot) -> Iterator[Finding]:
    opening, reserve = draft.opening_minor, draft.reserve_minor
    if opening is not None and reserve is not None and reserve < opening:
        message = f"Lot {lot.number}: the reserve is below the opening bid, so it does nothing."
        yield _error("RESERVE_BELOW_OPENING", message, "reserve_minor", lot)
    if draft.currency in EXPONENTS and lot.retail_minor:
        most = lot.retail_minor * MOST_OF_MSRP
        if (reserve or opening or 0) > most:
            message = f"Lot {lot.number}: it would have to bring more than its MSRP."
            yield _warning(
                "ABOVE_MSRP", message, "reserve_minor" if reserve else "opening_minor", lot
            )


def _error(code: str, message: str, field: str, lot: DraftedLot | None = None) -> Finding:
    return _finding(Level.ERROR, code, message, field, lot)


def _warning(code: str, message: str, field: str, lot: DraftedLot | None = None) -> Finding:
    return _finding(Level.WARNING, code, message, field, lot)


def _finding(level: Level, code: str, message: str, field: str, lot: DraftedLot | None) -> Finding:
    return Finding(
        level=level,
        code=code,
        message=message,
        field=field,
        draft_id="" if lot is None else lot.draft_id,
        lot="" if lot is None else str(lot.number),
    )


# Fields without which nothing is published, as pages call them.
_SALE_NEEDS: Final = {
    "title": "title",
    "liquidator_name": "seller's name",
    "city": "town",
    "region": "state",
    "pickup_terms": "terms of pickup",
    "payment_terms": "terms of payment",
    "schedule": "times",
}
_LOT_NEEDS: Final = {
    "title": "title",
    "kind": "kind (case, pallet, pallets, truckload)",
    "category": "category",
    "source": "source",
    "company": "company at the pickup address",
    "street": "street of the pickup address",
    "city": "town of the pickup address",
    "region": "state of the pickup address",
    "postal_code": "ZIP code of the pickup address",
    "pallets": "number of pallets",
    "length_mm": "length",
    "width_mm": "width",
    "height_mm": "height",
    "weight_g": "weight",
    "freight_class": "freight class",
    "opening_minor": "opening bid",
}
