"""What follows when a buyer does not pay. Pure.

An award is void only when nothing of its payment can happen any more at the payment provider:
what is open there is cancelled first, and money that came after all is booked and not refused. Then
the deposit is forfeited, a fee for offering the lot again is due, and the bidder is suspended.

The lot may be offered to the runner-up, with the seller's consent, to one bidder at a time: at the
price as if the defaulter had not bid, by the engine's own pricing, or at the runner-up's maximum.
Who declines or lets the time pass is passed over; when nobody is left, the lot is relisted.

A 3,000, B 4,000, W 5,000 and an opening bid of 1,000; W does not pay: B at 3,050, or at 4,000.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from auction.ids import BidderId
from auction.money import share_minor
from auction.pricing import ReserveStatus, price_minor, reserve_status
from auction.sale import Lot
from auction.terms import Terms
from settlement.due import Calendar, suspended_until_us
from settlement.lives import PaymentState
from settlement.policy import Policy, RunnerUpPrice


class AtProvider(StrEnum):
    """What a payment may still become, as the payment provider says it."""

    NOTHING = "NOTHING"  # no money was taken, and none can be
    OPEN = "OPEN"  # it may still succeed
    MONEY = "MONEY"  # it has succeeded


# Of Stripe's PaymentIntent: the states that it never leaves.
_CANCELLED: Final = "canceled"
_SUCCEEDED: Final = "succeeded"


def at_provider(statuses: Iterable[str]) -> AtProvider:
    """What the tries to pay an invoice come to, without those whose money is in the books already.

    A status that is not known counts as open.
    """
    seen = set(statuses)
    if _SUCCEEDED in seen:
        return AtProvider.MONEY
    return AtProvider.OPEN if seen - {_CANCELLED} else AtProvider.NOTHING


class NotVoid(StrEnum):
    """Why what an invoice lacks cannot be given up yet, and what is to be done first."""

    NOT_OVERDUE = "NOT_OVERDUE"
    STILL_OPEN = "STILL_OPEN"  # cancel it at the provider, and read it again
    MONEY_CAME = "MONEY_CAME"  # book it


def keeps_from_void(payment: PaymentState, provider: AtProvider) -> NotVoid | None:
    """Why the unpaid lots of an invoice are not void yet; ``None``: they may be made so."""
    if payment is not PaymentState.OVERDUE:
        return NotVoid.NOT_OVERDUE
    match provider:
        case AtProvider.OPEN:
            return NotVoid.STILL_OPEN
        case AtProvider.MONEY:
            return NotVoid.MONEY_CAME
        case AtProvider.NOTHING:
            return None


def payment_after_void(*, lots_paid: bool) -> PaymentState:
    """What an overdue invoice becomes: where some of its lots are paid, nothing else is left."""
    return PaymentState.PAID if lots_paid else PaymentState.DEFAULTED


class Penalty(Struct, frozen=True, kw_only=True):
    """What a buyer loses that did not pay: the deposit once, a fee for each lot, and its access."""

    deposit_minor: int
    relist_fees_minor: tuple[int, ...]
    suspended_until_us: int

    @property
    def total_minor(self) -> int:
        return self.deposit_minor + sum(self.relist_fees_minor)


def penalty_of(
    policy: Policy,
    calendar: Calendar,
    hammers_minor: Sequence[int],
    deposit_minor: int,
    defaulted_at_us: int,
) -> Penalty:
    """The penalty for lots of these hammer prices; each fee is rounded half up for itself."""
    fees = tuple(share_minor(hammer, policy.relist_fee_bps) for hammer in hammers_minor)
    return Penalty(
        deposit_minor=deposit_minor,
        relist_fees_minor=fees,
        suspended_until_us=suspended_until_us(policy, calendar, defaulted_at_us),
    )


class RunnerUp(Struct, frozen=True):
    """Who is next, at what price. ``reserve`` NOT_MET: the seller would go below its reserve."""

    bidder_id: BidderId
    price_minor: int
    reserve: ReserveStatus


def runner_up_of(
    lot: Lot, terms: Terms, without: Collection[BidderId], rule: RunnerUpPrice
) -> RunnerUp | None:
    """The best of the bids that stand without these bidders'; of equal ones the earlier."""
    others = [(bidder, bid) for bidder, bid in lot.standings.items() if bidder not in without]
    ranked = sorted(others, key=lambda pair: (-pair[1].maximum_minor, pair[1].order))
    if not ranked:
        return None
    bidder_id, top = ranked[0]
    price = top.maximum_minor
    if rule is RunnerUpPrice.RECOMPUTED:
        price = price_minor(
            terms.price_rule,
            terms.increments,
            lot.opening_minor,
            lot.reserve_minor,
            top.maximum_minor,
            ranked[1][1].maximum_minor if len(ranked) > 1 else None,
        )
    return RunnerUp(bidder_id, price, reserve_status(lot.reserve_minor, top.maximum_minor))


class Offer(Struct, frozen=True, kw_only=True):
    """A lot offered to a runner-up until just before ``until_us``; ``accepted`` None: no answer."""

    bidder_id: BidderId
    price_minor: int
    until_us: int
    accepted: bool | None = None

    def is_open(self, now_us: int) -> bool:
        """Whether it can still be answered."""
        return self.accepted is None and now_us < self.until_us

    def answered(self, accepted: bool, now_us: int) -> "Offer | None":
        """The offer with its answer; ``None``: it had one, or came too late. An answer stands."""
        if not self.is_open(now_us):
            return None
        return structs.replace(self, accepted=accepted)


class AskSeller(Struct, frozen=True):
    """The seller is asked whether the lot may go to this bidder at this price."""

    runner_up: RunnerUp


class MakeOffer(Struct, frozen=True):
    """The runner-up is offered the lot."""

    offer: Offer


class Wait(Struct, frozen=True):
    """An offer is open: nobody else is asked until then."""

    until_us: int


class AwardTo(Struct, frozen=True):
    """The runner-up has taken the lot: a new award begins."""

    bidder_id: BidderId
    price_minor: int


class Relist(Struct, frozen=True):
    """Nobody takes it, or the seller does not want anybody to: it is offered again."""


Next = AskSeller | MakeOffer | Wait | AwardTo | Relist


def next_step(
    lot: Lot,
    terms: Terms,
    policy: Policy,
    *,
    now_us: int,
    without: Collection[BidderId],
    offers: Sequence[Offer] = (),
    consents: Mapping[BidderId, bool] | None = None,
) -> Next:
    """What becomes of a lot whose award is void.

    ``without``: the defaulter, and who may not buy it. ``offers``: those made since, in order.
    ``consents``: what the seller said of each runner-up; a no ends it, as the next price is lower.
    """
    if offers and offers[-1].accepted:
        return AwardTo(offers[-1].bidder_id, offers[-1].price_minor)
    if offers and offers[-1].is_open(now_us):
        return Wait(offers[-1].until_us)
    passed_over = {*without, *(offer.bidder_id for offer in offers)}
    found = runner_up_of(lot, terms, passed_over, policy.runner_up_price)
    if found is None:
        return Relist()
    consent = (consents or {}).get(found.bidder_id)
    if consent is None:
        return AskSeller(found)
    if not consent:
        return Relist()
    return MakeOffer(
        Offer(
            bidder_id=found.bidder_id,
            price_minor=found.price_minor,
            until_us=now_us + policy.offer_us,
        )
    )
