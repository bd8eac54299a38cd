"""Notices in words. What they say is in their `Facts`; nothing is looked up here.

Each kind has a title and a sentence or two. Times are said in the reader's zone; on a page, which
shows them by itself, ``zone`` is ``None`` and they are left out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec import Struct

from auction.amounts import money
from auction.events import PassReason
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.rules import Facts

_NOT_SOLD = {
    PassReason.NO_BIDS: "No bid stands, so it was not sold.",
    PassReason.RESERVE_NOT_MET: "The reserve was not met, so it was not sold.",
    PassReason.IF_BID_DECLINED: "The seller declined the top bid, so it was not sold.",
    PassReason.IF_BID_EXPIRED: "The seller did not take the top bid in time, so it was not sold.",
}

_APPROVALS = {
    "APPROVED": ("You are approved", "You can register for sales and bid."),
    "NEEDS_MORE": ("Your application needs more", "See what is missing, and send it."),
    "DECLINED": ("Your application was declined", "The reasons are with your application."),
    "SUSPENDED": ("Your account is suspended", "You cannot bid now. The reasons are with it."),
}


class Words(Struct, frozen=True):
    """A notice as it is read."""

    title: str
    text: str


def words_of(  # noqa: C901 - dispatch
    kind: Kind, facts: Facts, sale_id: str | None, zone: str | None = None
) -> Words:
    """One notice."""
    lot, sale = facts.title or "a lot", sale_id or ""
    price = _amount(facts.price_minor, facts.currency)
    following = _amount(facts.next_minimum_minor, facts.currency)
    ends = _at(" It ends {}.", facts.closes_at_us, zone)
    match kind:
        case Kind.OUTBID:
            text = f"The current bid is {price}; the next can be {following} or more.{ends}"
            return Words(f"Outbid on {lot}", text)
        case Kind.LEADING_AGAIN:
            text = f"Another bid was voided. You lead at {price}.{ends}"
            return Words(f"You lead again on {lot}", text)
        case Kind.BIDS_VOIDED:
            text = f"Our staff voided your bids on this lot: {facts.reason}"
            return Words(f"Your bids on {lot} were voided", text)
        case Kind.LOT_REOPENED:
            text = f"A bid was voided, and with it all others fell. Bid {following} or more.{ends}"
            return Words(f"Bidding starts again on {lot}", text)
        case Kind.LOT_WON:
            accepted = " The seller accepted your bid." if facts.if_bid else ""
            return Words(f"You won {lot}", f"The winning bid is {price}.{accepted}")
        case Kind.LOT_LOST:
            return Words(f"You did not win {lot}", _why_lost(facts, price))
        case Kind.IF_BID_OPENED:
            until = _at(" They can accept it until {}.", facts.until_us, zone)
            text = f"Your bid of {price} is below the reserve, and the seller considers it.{until}"
            return Words(f"The seller considers your bid on {lot}", text)
        case Kind.IF_BID_COUNTERED:
            asked = _amount(facts.amount_minor, facts.currency)
            until = _at(" Answer before {}.", facts.until_us, zone)
            text = f"Your bid is {price}; the seller asks for {asked}.{until}"
            return Words(f"The seller asks for {asked} for {lot}", text)
        case Kind.LOT_WITHDRAWN:
            return Words(f"{_capital(lot)} was withdrawn", "Bids on it bind nobody any more.")
        case Kind.CLOSING_SOON:
            now = f"The current bid is {price}." if price else f"Nobody has bid: {following}."
            return Words(f"{_capital(lot)} ends soon", f"{now}{ends}")
        case Kind.SALE_PAUSED | Kind.SALE_RESUMED | Kind.ENDS_MOVED | Kind.LOTS_RESCHEDULED:
            return _of_sale(kind, facts, sale, zone)
        case Kind.SEARCH_MATCHED:
            where = f" in sale {sale}" if sale else ""
            text = f"{_count(facts.lots, 'new lot')}{where}."
            return Words(f"New lots match “{facts.search}”", text)
        case Kind.QUESTION_ASKED:
            return Words(
                f"A question about {lot}", f"“{facts.reason}”. Everybody reads the answer."
            )
        case Kind.QUESTION_ANSWERED:
            again = "was answered anew" if facts.state == "CORRECTED" else "is answered"
            return Words(f"Your question about {lot} {again}", f"The seller says “{facts.reason}”.")
        case Kind.QUESTION_HIDDEN:
            text = f"{facts.reason}. Nobody else sees it."
            return Words(f"Your question about {lot} is not shown", text)
        case Kind.REGISTERED:
            text = f"You bid as bidder number {facts.paddle} in this sale."
            return Words(f"Registered for sale {sale}", text)
        case Kind.APPROVAL_DECIDED:
            return Words(*_APPROVALS[facts.state])
        case _:
            assert_never(kind)


def words_of_several(
    kind: Kind, facts: Sequence[Facts], sale_id: str | None, zone: str | None = None
) -> Words:
    """Several of a kind that go out as one; they are about the same sale where one is given."""
    if len(facts) == 1:
        return words_of(kind, facts[0], sale_id, zone)
    count = len(facts)
    names = [one.title for one in facts if one.title]
    text = "; ".join(names[:3]) + (f" and {count - 3} more" if len(names) > 3 else "")
    match kind:
        case Kind.OUTBID:
            return Words(f"Outbid on {count} lots", text)
        case Kind.LOT_WON:
            return Words(f"You won {count} lots", text)
        case Kind.LOT_LOST:
            return Words(f"You did not win {count} lots", text)
        case Kind.CLOSING_SOON:
            return Words(f"{count} lots end soon", text)
        case Kind.LOT_WITHDRAWN:
            return Words(f"{count} lots were withdrawn", text)
        case Kind.SEARCH_MATCHED:
            searches = "; ".join(f"“{one.search}”" for one in facts[:3])
            return Words("New lots match your searches", searches)
        case _:
            first = words_of(kind, facts[-1], sale_id, zone)
            return Words(f"{first.title}, and {_count(count - 1, 'more notice')}", first.text)


def moment(at_us: int, zone: str) -> str:
    """A moment in a zone: ``Mar 2, 16:05 CST``."""
    local = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%b} {local.day}, {local:%H:%M} {local.tzname()}"


def _of_sale(kind: Kind, facts: Facts, sale: str, zone: str | None) -> Words:
    lots = facts.title if facts.lots == 1 and facts.title else f"{facts.lots} of your lots"
    ends = _at(", the first {}" if facts.lots > 1 else " {}", facts.closes_at_us, zone)
    if kind is Kind.SALE_PAUSED:
        text = f"{facts.reason or 'The seller has paused it'}. No lot ends and no bid is taken."
        return Words(f"Sale {sale} is paused", text)
    if kind is Kind.SALE_RESUMED:
        later = f" {_capital(lots)} will end later{ends}." if facts.closes_at_us else ""
        return Words(f"Sale {sale} goes on", f"Bids are taken again.{later}")
    if kind is Kind.LOTS_RESCHEDULED:
        which = "The first ends {}." if facts.lots > 1 else "It ends {}."
        ends = _at(f" {which}", facts.closes_at_us, zone)
        return Words(f"Other times in sale {sale}", f"The seller moved the times of {lots}.{ends}")
    away = _duration(facts.dark_us)
    text = f"The service was away{away}. {_capital(lots)} will end later{ends}."
    return Words(f"Later ends in sale {sale}", text)


def _why_lost(facts: Facts, price: str) -> str:
    if facts.reason:
        return _NOT_SOLD[PassReason(facts.reason)]
    return f"It was sold for {price}."


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else money(minor, currency)


def _at(text: str, at_us: int | None, zone: str | None) -> str:
    return "" if at_us is None or zone is None else text.format(moment(at_us, zone))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _duration(span_us: int | None) -> str:
    if span_us is None:
        return ""
    seconds = span_us // 1_000_000
    if seconds < 120:
        return f" for {_count(max(1, seconds), 'second')}"
    minutes = seconds // 60
    return f" for {_count(minutes, 'minute')}" if minutes < 120 else f" for {minutes // 60} hours"
