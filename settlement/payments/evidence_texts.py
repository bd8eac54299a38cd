"""The evidence of a dispute in Stripe's words: who agreed to what, and what was handed over. Pure.

Texts alone; the files of the evidence paper are for whoever sends them by hand. What is longer than
Stripe takes is cut at a line, the oldest kept: what was agreed comes first.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from settlement.papers.contents import EvidenceContent

# docs.stripe.com/api/disputes/evidence_object: of each text, and of all of them together.
MAX_TEXT: Final = 20_000
MAX_ALL: Final = 150_000


def evidence_texts(lots: Sequence[EvidenceContent], words: str = "") -> Mapping[str, str]:
    """What is sent to the payer's bank for these lots; ``words``: what staff say beside it."""
    if not lots:
        return {"uncategorized_text": _cut(words)} if words else {}
    first = lots[0]
    described = [f"{fact.title}: {fact.text}" for lot in lots for fact in lot.facts]
    texts = {
        "customer_name": first.buyer.name,
        "billing_address": "\n".join(first.buyer.lines),
        "customer_purchase_ip": _addresses(lots),
        "product_description": "\n".join(described),
        "refund_policy_disclosure": "\n".join(
            f"{fact.title}: {fact.text}" for fact in first.accepted_words
        ),
        "access_activity_log": "\n".join(_bids(lot) for lot in lots),
        "uncategorized_text": "\n\n".join(
            part for part in (words, _agreed(first), *map(_happened, lots)) if part
        ),
    }
    return {name: _cut(text) for name, text in texts.items() if text}


def _agreed(lot: EvidenceContent) -> str:
    lines = [
        f"{_at(one.at_us)} {one.person} accepted version {one.version} of the terms "
        f"(SHA-256 {one.sha256}) from {one.address}"
        for one in lot.acceptances
    ]
    return "\n".join(lines)


def _bids(lot: EvidenceContent) -> str:
    return "\n".join(
        f"{_at(bid.at_us)} paddle {bid.paddle} bid; the price was {bid.price_minor} "
        f"{lot.currency} minor units"
        for bid in lot.bids
    )


def _happened(lot: EvidenceContent) -> str:
    told = sorted((*lot.happened, *lot.messages), key=lambda one: one.at_us)
    lines = [f"{_at(one.at_us)} {one.actor}: {one.words}" for one in told]
    delivered = [f"{fact.title}: {fact.text}" for fact in lot.delivery]
    return "\n".join((*delivered, *lines))


def _addresses(lots: Sequence[EvidenceContent]) -> str:
    seen = [one.address for lot in lots for one in lot.acceptances]
    return seen[-1] if seen else ""


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    kept = text[:MAX_TEXT]
    return kept[: kept.rfind("\n")] if "\n" in kept else kept


def _at(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
