"""The terms of a sale in plain words, made from the very terms that the engine judges by.

What the seller wrote besides is shown below these; where the two differ, these are what happens.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from auction.amounts import money
from auction.increments import IncrementTable
from auction.terms import (
    ClosingMode,
    Confirmation,
    ExtensionMode,
    Premium,
    PriceRule,
    Terms,
)

_MINUTE_US: Final = 60_000_000


class Clause(Struct, frozen=True):
    """One thing that is agreed: what it is about, and what is so."""

    title: str
    text: str


def clauses(terms: Terms) -> list[Clause]:
    """All that the rules of bidding say."""
    return list(_clauses(terms))


def _clauses(terms: Terms) -> Iterator[Clause]:
    currency = terms.currency
    yield Clause("How a bid works", _PRICE[terms.price_rule])
    yield Clause("Steps", _steps(terms.increments, currency))
    yield Clause("When a lot ends", _ending(terms))
    yield Clause(
        "Reserve",
        "A lot may have a secret reserve. You see only whether it is met. Until then the current "
        "bid goes at once as far as the highest max allows." + _if_bid(terms),
    )
    yield Clause(
        "A bid is binding", "It cannot be taken back. You can raise your max, not lower it."
    )
    if terms.confirmation is not Confirmation.NOT_ASKED:
        yield Clause("The seller confirms", _CONFIRMATION[terms.confirmation])
    yield Clause("Buyer's premium", premium_in_words(terms.premium, currency))
    yield Clause("Tax", _tax(terms))
    if terms.certificate_required or terms.deposit_minor:
        yield Clause("To bid in this sale", _entry(terms))
    yield Clause(
        "If our service is away",
        "No lot ends while it is. Afterwards all open lots of the sale end later, by at least as "
        "long as it was away when they would have ended soon.",
    )


_PRICE: Final = {
    PriceRule.INCREMENT_OVER: "You enter the most you would pay, and only you see it. We bid for "
    "you, one step above the next highest bid, and never above your max. Of two equal maxes the "
    "earlier leads.",
    PriceRule.MATCH_RIVAL: "You enter the most you would pay, and only you see it. We bid for you, "
    "as much as the next highest bid, and never above your max. Of two equal maxes the earlier "
    "leads.",
    PriceRule.AT_MAXIMUM: "You bid exactly what you enter, and pay that if nobody bids more.",
}


_CONFIRMED: Final = (
    "When the sale has closed the seller is asked to confirm each lot, and your card is not "
    "charged before it has answered. What it does not confirm is cancelled: you owe nothing for "
    "it. "
)
_CONFIRMATION: Final = {
    Confirmation.ELSE_SOLD: _CONFIRMED + "If it does not answer in its time, the lot is sold.",
    Confirmation.ELSE_CANCELLED: _CONFIRMED
    + "If it does not answer in its time, the lot is not sold.",
}


def _steps(table: IncrementTable, currency: str) -> str:
    steps = table.steps
    parts = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        amount = money(step.increment_minor, currency)
        if following is None:
            begins = f" from {money(step.from_minor, currency)} on" if step.from_minor else ""
            parts.append(f"{amount}{begins}")
        else:
            parts.append(f"{amount} below {money(following.from_minor, currency)}")
    steps_said = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    text = f"Each bid is at least one step above the current one. The step is {steps_said}."
    if table.unit_minor > 1:
        text += f" Bids are multiples of {money(table.unit_minor, currency)}."
    return text


def _ending(terms: Terms) -> str:
    soft = terms.soft_close
    if soft is None:
        return "Each lot ends at its time, whatever is bid last."
    window, extension = span(soft.window_us), span(soft.extension_us)
    if soft.mode is ExtensionMode.ADD:
        text = f"A bid in the last {window} moves the end of its lot by {extension}"
    else:
        text = f"A bid in the last {window} moves the end of its lot to {extension} after that bid"
    text += ", as often as that happens, unless the lot says when its end is final."
    if terms.closing is ClosingMode.GROUP:
        text += " Lots of the same group then move to the same end."
    elif terms.closing is ClosingMode.CASCADE:
        text += " All lots that end later then move by as much."
    return text + " The end is by our clock, which the page shows with its error."


def _if_bid(terms: Terms) -> str:
    if terms.if_bid_us is None:
        return " If the reserve is not met at the end, the lot is not sold."
    return (
        " If the reserve is not met at the end, the highest bid stands for "
        f"{span(terms.if_bid_us)}: until then the seller may accept it, decline it, or ask you "
        "for more."
    )


def premium_in_words(premium: Premium, currency: str) -> str:
    """What is paid on top of the winning bid."""
    least = f", at least {money(premium.minimum_minor, currency)} a lot"
    if not premium.tiers:
        if not premium.minimum_minor:
            return "There is none."
        return f"{money(premium.minimum_minor, currency)} a lot."
    first, *others = premium.tiers
    text = f"{percent(first.rate_bps)} of the winning bid"
    for tier in others:
        text += f", {percent(tier.rate_bps)} of the part above {money(tier.from_minor, currency)}"
    return text + (least if premium.minimum_minor else "") + "."


def _tax(terms: Terms) -> str:
    taxed = ["the winning bid"]
    if terms.premium.taxable:
        taxed.append("the premium")
    if terms.freight_taxable:
        taxed.append("freight")
    listed = taxed[0] if len(taxed) == 1 else ", ".join(taxed[:-1]) + " and " + taxed[-1]
    return (
        f"Sales tax is charged on {listed}, at the rate of the place where you get the goods, "
        "unless a resale certificate of yours is valid there when the lot ends."
    )


def _entry(terms: Terms) -> str:
    parts = []
    if terms.certificate_required:
        parts.append("You need a resale certificate on file.")
    if terms.deposit_minor:
        deposit = money(terms.deposit_minor, terms.currency)
        parts.append(
            f"You need a deposit of {deposit}; you can lead and owe up to "
            f"{terms.deposit_factor} times what you have deposited."
        )
    return " ".join(parts)


def percent(bps: int) -> str:
    """Basis points as ``10 %``, ``8.25 %``."""
    return f"{bps / 100:.2f}".rstrip("0").rstrip(".") + " %"


def span(us: int) -> str:
    """A span of time: ``5 minutes``, ``90 seconds``, ``24 hours``."""
    seconds = us / 1_000_000
    if seconds < 120 and seconds % 60:
        return _count(seconds, "second")
    if seconds < 7_200:
        return _count(round(seconds / 60, 1), "minute")
    return _count(round(seconds / 3_600, 1), "hour")


def _count(number: float, unit: str) -> str:
    text = f"{number:.1f}".removesuffix(".0")
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"
