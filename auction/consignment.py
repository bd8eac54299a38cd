"""What a consignor and its liquidator have agreed, and who gets what of a hammer price. Pure.

Settlement pays by these very functions, and the desk explains by them: there is no second
computation. The parts sum to the whole to the minor unit, since only what the liquidator takes is
rounded, each line of it half up, and the consignor gets the rest.

Hammer 10,000.00, 12 %, four pallets at 18.00: commission 1,200.00, fees 72.00, and 8,728.00 to the
consignor.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.amounts import money
from auction.costs import premium_minor
from auction.money import EXPONENTS, BasisPoints, Minor
from auction.plain_terms import Clause, premium_in_words
from auction.terms import Premium, PremiumTier

# A year: nobody waits longer for its money.
MAX_NET_DAYS: Final = 365
MAX_TIERS: Final = 20


class Bearer(StrEnum):
    """Who bears a cost of a lot."""

    SHARED = "SHARED"  # each by what they get of the hammer price
    CONSIGNOR = "CONSIGNOR"
    LIQUIDATOR = "LIQUIDATOR"


class Per(StrEnum):
    """What a guarantee is counted by."""

    LOT = "LOT"
    PALLET = "PALLET"


class CommissionTier(Struct, frozen=True, forbid_unknown_fields=True):
    """The rate for the part of the hammer price above ``from_minor``."""

    from_minor: Minor
    rate_bps: BasisPoints


class AgreementTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is agreed, in minor units of ``currency`` and hundredths of a per cent.

    ``commission``: marginal tiers, the first from 0. ``claims``: who bears credits that buyers get;
    SHARED: commission is charged on what remains of the hammer price. ``payment_fees``: what taking
    the buyer's money costs. ``freight``: of lots that are carried free. ``net_days``: after the
    goods are accepted.
    """

    currency: Annotated[str, Meta(min_length=3, max_length=3)] = "USD"
    commission: Annotated[tuple[CommissionTier, ...], Meta(min_length=1, max_length=MAX_TIERS)]
    minimum_commission_minor: Minor = 0
    fee_per_lot_minor: Minor = 0
    fee_per_pallet_minor: Minor = 0
    fees_when_unsold: bool = False
    guarantee_minor: Minor = 0
    guarantee_per: Per = Per.LOT
    net_days: Annotated[int, Meta(ge=0, le=MAX_NET_DAYS)] = 30
    claims: Bearer = Bearer.SHARED
    payment_fees: Bearer = Bearer.LIQUIDATOR
    freight: Bearer = Bearer.CONSIGNOR


class Share(Struct, frozen=True, kw_only=True):
    """Who gets what of a lot: ``consignor_minor`` + ``liquidator_minor`` = hammer - credit.

    ``top_up_minor``: what the liquidator adds to reach the guarantee. A part may be negative: a fee
    can be more than a lot brought, and a guarantee more than was earned.
    """

    hammer_minor: int
    credit_minor: int
    commission_minor: int
    fees_minor: int
    top_up_minor: int
    consignor_minor: int
    liquidator_minor: int


def terms_fault(terms: AgreementTerms) -> str | None:
    """What makes these terms unusable, beginning with its place; ``None``: nothing does."""
    if terms.currency not in EXPONENTS:
        return f"currency: {terms.currency!r} is not a currency that sales are held in"
    bounds = [tier.from_minor for tier in terms.commission]
    if bounds[0] != 0 or bounds != sorted(set(bounds)):
        return "commission: the first tier begins at 0, and each begins above the one before"
    return None


def share_of(
    terms: AgreementTerms, hammer_minor: int, pallets: int, credit_minor: int = 0
) -> Share:
    """Who gets what of a lot that was sold; ``credit_minor``: what the buyer got back of it."""
    assert 0 <= credit_minor <= hammer_minor and pallets >= 0
    base_minor = hammer_minor - credit_minor if terms.claims is Bearer.SHARED else hammer_minor
    commission_minor = premium_minor(_rates(terms), base_minor)
    fees_minor = _fees_minor(terms, pallets)
    kept_minor = base_minor - commission_minor - fees_minor
    least_minor = guarantee_minor(terms, pallets)
    # No guarantee is not one of nothing: fees can be more than a lot brought.
    top_up_minor = max(0, least_minor - kept_minor) if least_minor else 0
    of_consignor = credit_minor if terms.claims is Bearer.CONSIGNOR else 0
    of_liquidator = credit_minor if terms.claims is Bearer.LIQUIDATOR else 0
    return Share(
        hammer_minor=hammer_minor,
        credit_minor=credit_minor,
        commission_minor=commission_minor,
        fees_minor=fees_minor,
        top_up_minor=top_up_minor,
        consignor_minor=kept_minor + top_up_minor - of_consignor,
        liquidator_minor=commission_minor + fees_minor - top_up_minor - of_liquidator,
    )


def unsold_share(terms: AgreementTerms, pallets: int) -> Share:
    """What is owed for a lot that was offered and not sold: its fees, if they are due then too."""
    fees_minor = _fees_minor(terms, pallets) if terms.fees_when_unsold else 0
    return Share(
        hammer_minor=0,
        credit_minor=0,
        commission_minor=0,
        fees_minor=fees_minor,
        top_up_minor=0,
        consignor_minor=-fees_minor,
        liquidator_minor=fees_minor,
    )


def cost_split(bearer: Bearer, cost_minor: int, share: Share) -> tuple[int, int]:
    """What consignor and liquidator each bear of a cost; the two sum to it.

    Shared by what each gets, the consignor's part rounded half up. Who gets nothing bears nothing,
    and where nobody does, the liquidator bears it.
    """
    assert cost_minor >= 0
    match bearer:
        case Bearer.CONSIGNOR:
            return cost_minor, 0
        case Bearer.LIQUIDATOR:
            return 0, cost_minor
        case Bearer.SHARED:
            mine, theirs = max(share.consignor_minor, 0), max(share.liquidator_minor, 0)
            whole = mine + theirs
            borne = (2 * cost_minor * mine + whole) // (2 * whole) if whole else 0
            return borne, cost_minor - borne


def guarantee_minor(terms: AgreementTerms, pallets: int) -> int:
    """What the consignor gets at least of a lot that is sold; 0: there is no guarantee."""
    times = pallets if terms.guarantee_per is Per.PALLET else 1
    return terms.guarantee_minor * times


def in_words(terms: AgreementTerms, consignor: str) -> list[Clause]:
    """The agreement as the liquidator's and the consignor's people read it."""
    return list(_clauses(terms, consignor))


def example(terms: AgreementTerms, consignor: str, hammer_minor: int, pallets: int) -> str:
    """One lot, in words and in figures, by the computation that pays."""
    share, currency = share_of(terms, hammer_minor, pallets), terms.currency
    taken = [f"commission {money(share.commission_minor, currency)}"]
    if share.fees_minor:
        taken.append(f"fees {money(share.fees_minor, currency)}")
    added = ""
    if share.top_up_minor:
        topped = money(share.top_up_minor, currency)
        added = f", and {topped} added to reach the guarantee"
    on_pallets = f" for a lot on {pallets} pallet{'' if pallets == 1 else 's'}" if pallets else ""
    return (
        f"Of a hammer price of {money(hammer_minor, currency)}{on_pallets}, {consignor} gets "
        f"{money(share.consignor_minor, currency)} and the liquidator keeps "
        f"{money(share.liquidator_minor, currency)}: {', '.join(taken)}{added}."
    )


def _clauses(terms: AgreementTerms, consignor: str) -> Iterator[Clause]:
    said = premium_in_words(_rates(terms), terms.currency)
    yield Clause("Commission", said.replace("winning bid", "hammer price"))
    yield Clause("Fees", _fees(terms))
    if terms.guarantee_minor:
        each = "pallet of a lot" if terms.guarantee_per is Per.PALLET else "lot"
        yield Clause(
            "Guarantee",
            f"{consignor} gets at least {money(terms.guarantee_minor, terms.currency)} for each "
            f"{each} that is sold, after commission and fees; the liquidator adds what is missing.",
        )
    days = f"{terms.net_days} day{'' if terms.net_days == 1 else 's'} after"
    yield Clause("Paid", f"{days if terms.net_days else 'When'} the buyer has accepted the goods.")
    yield Clause("Credits to buyers", _CLAIMS[terms.claims].format(consignor))
    yield Clause("Cost of payment", _BORNE[terms.payment_fees].format(consignor))
    yield Clause("Free freight", _BORNE[terms.freight].format(consignor))


def _fees(terms: AgreementTerms) -> str:
    parts = [
        f"{money(amount, terms.currency)} a {each}"
        for amount, each in (
            (terms.fee_per_lot_minor, "lot"),
            (terms.fee_per_pallet_minor, "pallet"),
        )
        if amount
    ]
    if not parts:
        return "There are none."
    unsold = "Also" if terms.fees_when_unsold else "Not"
    return f"{' and '.join(parts)}. {unsold} for lots that are not sold."


_CLAIMS: Final = {
    Bearer.SHARED: "They lower the hammer price, and the commission is charged on what remains.",
    Bearer.CONSIGNOR: "{} bears them.",
    Bearer.LIQUIDATOR: "The liquidator bears them.",
}
_BORNE: Final = {
    Bearer.SHARED: "Each bears a part, by what they get of the hammer price.",
    Bearer.CONSIGNOR: "{} bears it.",
    Bearer.LIQUIDATOR: "The liquidator bears it.",
}


def _rates(terms: AgreementTerms) -> Premium:
    """As the buyer's premium is computed: marginal tiers, rounded once, at least the minimum."""
    tiers = tuple(PremiumTier(tier.from_minor, tier.rate_bps) for tier in terms.commission)
    return Premium(tiers, terms.minimum_commission_minor)


def _fees_minor(terms: AgreementTerms, pallets: int) -> int:
    return terms.fee_per_lot_minor + terms.fee_per_pallet_minor * pallets
