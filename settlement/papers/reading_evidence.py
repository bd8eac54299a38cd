"""The evidence of a sale, read: what the buyer agreed to, what it bid, paid, got, and said.

It is sent to the buyer's own bank, and has what concerns this buyer and this lot: no other bidder,
no maximum, no reserve.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import structs

from auction.codec import decode_body
from auction.events import BidPlaced
from auction.ids import LotId, SaleId, shard_of
from auction.plain_terms import clauses
from auction.terms import Terms
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.ids import AwardId
from settlement.papers.contents import (
    MAX_BIDS,
    MAX_PHOTO_BYTES,
    MAX_PHOTOS,
    Acceptance,
    BidLine,
    EvidenceContent,
    LoadingContent,
    Photo,
    Said,
)
from settlement.papers.house import house_at
from settlement.papers.kinds import PaperKind, numbered
from settlement.papers.letterhead import Fact
from settlement.papers.numbering import number_of
from settlement.papers.parties import party_of, sale_facts
from settlement.papers.reading_dock import loading_content, loadings_of
from settlement.papers.reading_purchases import award_with_invoice, invoice_content
from settlement.papers.words import amount, clock
from settlement.rows import AwardRow, InvoiceRow
from settlement.story import Told, story_of

MAX_SAID: Final = 500

_ACCEPTANCES: Final = """
select a.terms_version, a.terms_sha256, a.at_us, a.address, coalesce(p.name, a.person_id) as person
from acceptance a left join person p using (person_id)
where a.organisation_id = $1 and a.sale_id = $2 order by a.acceptance_id limit 100
"""
_WORDS: Final = """
select rules, terms_in_words, payment_terms, pickup_terms from accepted_terms where sha256 = $1
"""
_BIDS: Final = """
select position, body from lot_event join log_event using (position)
where lot_event.sale_id = $1 and lot_event.lot_id = $2 and shard = $3 order by position
"""
_DELIVERY: Final = "select * from delivery where award_id = $1"
_CLAIMS: Final = "select claim_id from claim where award_id = $1 order by number"
_CLAIM_WORDS: Final = """
select m.at_us, m.actor, m.from_staff, m.words, c.number, p.name from claim_message m
join claim c using (claim_id) left join person p on p.person_id = m.actor
where c.award_id = $1 order by m.at_us, c.number, m.number limit $2
"""
_CLAIMS_FILED: Final = """
select c.filed_at_us, c.filed_by, c.words, c.number, p.name from claim c
left join person p on p.person_id = c.filed_by where c.award_id = $1 order by c.number limit $2
"""
_QUESTIONS: Final = """
select q.asked_at_us, q.question, a.answer, a.answered_at_us from lot_question q
left join lateral (
    select answer, answered_at_us from lot_answer l where l.question_id = q.question_id
    order by number desc limit 1
) a on true
where q.sale_id = $1 and q.lot_id = $2 and q.asker_id = $3 order by q.asked_at_us limit $4
"""
_SAID_IN_SALE: Final = """
select message, said_at_us from sale_message where sale_id = $1 order by number limit $2
"""
_PHOTOS: Final = """
select e.kind, e.number, e.alt, e.added_at_us, b.bytes from evidence_photo e
join evidence_photo_file f using (kind, subject, number) join picture b using (sha256)
where f.size = 'page' and f.media_type = 'image/jpeg' and octet_length(b.bytes) <= $4
and ((e.kind = 'PICKUP' and e.subject = any($1)) or (e.kind = 'DELIVERY' and e.subject = $2)
    or (e.kind = 'CLAIM' and e.subject = any($3)))
order by e.added_at_us, e.kind, e.subject, e.number limit $5
"""
_LOT_PHOTOS: Final = """
select p.number, p.alt, b.bytes from lot_photo p
join lot_photo_file f using (sale_id, lot_id, number) join picture b using (sha256)
where p.sale_id = $1 and p.lot_id = $2 and f.size = 'page' and f.media_type = 'image/jpeg'
and octet_length(b.bytes) <= $3 order by p.number limit $4
"""

_NAMES: Final = "select person_id, name from person where person_id = any($1::text[])"

# What a bank is told of the time line; the rest is the house's own, the seller's or another
# bidder's (such as an offer to the runner-up), and of a line no fact but these and amounts.
TOLD: Final = frozenset(
    {
        *("awarded", "invoiced", "overdue", "defaulted", "penalised", "void", "cancelled"),
        *("card_asked", "buyer_has_to_confirm", "card_promised", "card_declined", "promise_ended"),
        *("bank_details_ready", "waits_for_transfer", "money_came", "part_paid", "paid"),
        *("paid_by_bank", "wire_identified", "returned_by_bank", "charged", "charge_paid"),
        *("pickup_booked", "pickup_changed", "pickup_cancelled", "pickup_missed", "checked_in"),
        *("part_collected", "handed_over", "shipped", "delivered", "abandonment_notice"),
        *("accepted", "claim_filed", "claim_withdrawn", "claim_asked", "claim_refused"),
        *("claim_granted", "claim_credited", "tax_credited", "refund_asked", "refunded"),
        *("refund_came_back", "dispute_opened"),
    }
)
_FACTS: Final = frozenset(
    {
        *("carrier", "driver", "trailer", "seal", "signed_by", "door", "tracking", "way"),
        *("payment_id", "charge_id", "charge", "refund_id", "refund", "dispute", "reason"),
    }
)

_OF_PHOTO: Final = {
    "PICKUP": "At the dock",
    "DELIVERY": "On delivery",
    "CLAIM": "The buyer's claim",
}


async def evidence_content(connection: AnyConnection, award_id: AwardId) -> EvidenceContent:
    """All that there is of an award. Raises `Refused` NOT_FOUND, NOT_INVOICED."""
    award, row = await award_with_invoice(connection, award_id)
    invoice = await invoice_content(connection, row.invoice_id)
    accepted = await connection.fetch(_ACCEPTANCES, award.buyer_id, award.sale_id)
    trucks = await loadings_of(connection, award_id)
    told = await story_of(connection, row.invoice_id, [award_id])
    claims = [found["claim_id"] for found in await connection.fetch(_CLAIMS, award_id)]
    as_of_us = max([row.changed_at_us, award.changed_at_us, *(line.at_us or 0 for line in told)])
    return EvidenceContent(
        paper=paper_of(row.country),
        house=(await house_at(connection, as_of_us)).house,
        number="",
        currency=award.currency,
        zone=row.zone,
        as_of_us=as_of_us,
        buyer=await party_of(connection, award.buyer_id),
        facts=await _facts(connection, award, row),
        acceptances=tuple(_acceptance(found) for found in accepted),
        accepted_words=await _accepted_words(connection, accepted),
        bids=await _bids(connection, award),
        invoice=invoice,
        loading=tuple([await _loading(connection, truck) for truck in trucks]),
        delivery=await _delivery(connection, award_id, row.zone),
        happened=await _story(connection, told[-MAX_SAID:], award.currency),
        messages=await _messages(connection, award),
        photos=await _photos(connection, award, trucks, claims),
        manifest_sha256=award.goods.manifest_sha256,
    )


async def _loading(connection: AnyConnection, pickup_id: str) -> LoadingContent:
    """A bill of lading by its number, which `prepare` has given it; by the pickup's id, if the
    truck left at this very moment."""
    number = await number_of(connection, PaperKind.LOADING, pickup_id)
    content = await loading_content(connection, pickup_id)
    name = pickup_id if number is None else numbered(PaperKind.LOADING, number)
    return structs.replace(content, number=name)


async def _facts(connection: AnyConnection, award: AwardRow, row: InvoiceRow) -> tuple[Fact, ...]:
    sale = await sale_facts(connection, award.sale_id)
    times = (
        ("Sold", award.award.closed_at_us),
        ("Paid", award.funded_at_us),
        ("Handed over", award.handed_over_at_us),
        ("Accepted", award.accepted_at_us),
    )
    line = next(one for one in row.invoice.lines if one.award_id == award.award_id)
    return (
        Fact("Sale, lot", f"{sale.title}, lot {award.goods.number}"),
        Fact("Goods", award.goods.title),
        Fact("Hammer price", amount(line.hammer_minor, award.currency)),
        Fact("With premium, freight and tax", amount(line.total_minor, award.currency)),
        *(Fact(title, clock(at_us, row.zone)) for title, at_us in times if at_us is not None),
        Fact("Condition, as published", award.goods.condition.on_pages),
    )


def _acceptance(row: asyncpg.Record) -> Acceptance:
    return Acceptance(
        version=row["terms_version"],
        sha256=row["terms_sha256"].hex(),
        person=row["person"],
        at_us=row["at_us"],
        address=row["address"],
    )


async def _accepted_words(
    connection: AnyConnection, accepted: Sequence[asyncpg.Record]
) -> tuple[Fact, ...]:
    """The rules and words of the version that was accepted last."""
    if not accepted:
        return ()
    row = await connection.fetchrow(_WORDS, accepted[-1]["terms_sha256"])
    if row is None:
        return ()
    terms = msgspec.json.decode(row["rules"], type=Terms)
    written = (
        ("Terms of the seller", row["terms_in_words"]),
        ("Payment", row["payment_terms"]),
        ("Pickup", row["pickup_terms"]),
    )
    said = [Fact(clause.title, clause.text) for clause in clauses(terms)]
    return (*said, *(Fact(title, text) for title, text in written if text))


async def _bids(connection: AnyConnection, award: AwardRow) -> tuple[BidLine, ...]:
    """The buyer's bids that stand, the last ones where there are very many."""
    about = (award.sale_id, award.lot_id, shard_of(award.sale_id))
    found = []
    for row in await connection.fetch(_BIDS, *about):
        recorded = decode_body(row["position"], row["body"])
        event = recorded.event
        if isinstance(event, BidPlaced) and event.bidder_id == award.buyer_id:
            found.append(
                BidLine(
                    at_us=recorded.at_us,
                    paddle=event.paddle,
                    price_minor=event.price_minor,
                    leads=event.leader == event.paddle,
                    position=row["position"],
                )
            )
    return tuple(found[-MAX_BIDS:])


async def _delivery(connection: AnyConnection, award_id: AwardId, zone: str) -> tuple[Fact, ...]:
    row = await connection.fetchrow(_DELIVERY, award_id)
    if row is None:
        return ()
    facts = [
        Fact("Carrier", row["carrier"]),
        Fact("Tracking number", row["tracking"]),
        Fact("Shipped", clock(row["shipped_at_us"], zone)),
    ]
    if row["delivered_at_us"] is not None:
        facts += [
            Fact("Delivered", clock(row["delivered_at_us"], zone)),
            Fact("Signed by", row["signed_by"]),
            Fact("Note", row["note"]),
        ]
    return tuple(fact for fact in facts if fact.text)


async def _story(
    connection: AnyConnection, told: Sequence[Told], currency: str
) -> tuple[Said, ...]:
    """What of the time line is between the buyer and the house, its people by their names."""
    shown = [line for line in told if line.kind in TOLD]
    actors = sorted({line.actor for line in shown})
    names = {row["person_id"]: row["name"] for row in await connection.fetch(_NAMES, actors)}
    return tuple(_happened(line, names.get(line.actor, line.actor), currency) for line in shown)


def _happened(line: Told, actor: str, currency: str) -> Said:
    """A line of the time line: its kind, and what of its facts is an amount or a name."""
    said = [_fact(name, value, currency) for name, value in line.facts.items()]
    words = line.kind.replace("_", " ").capitalize()
    return Said(
        at_us=line.at_us or 0,
        actor=actor,
        words=": ".join(filter(None, (words, ", ".join(filter(None, said))))),
    )


def _fact(name: str, value: Any, currency: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        title = name.removesuffix("_minor").replace("_", " ")
        return f"{title} {amount(value, currency)}" if name.endswith("_minor") else ""
    shown = name in _FACTS and isinstance(value, str) and value
    return f"{name.removesuffix('_id').replace('_', ' ')} {value}" if shown else ""


async def _messages(connection: AnyConnection, award: AwardRow) -> tuple[Said, ...]:
    """What the buyer and the house wrote to each other, and what the seller said to everybody."""
    about: tuple[SaleId, LotId] = (award.sale_id, award.lot_id)
    said = [
        Said(
            at_us=row["filed_at_us"],
            actor=row["name"] or row["filed_by"],
            words=f"Claim {row['number']}: {row['words']}",
        )
        for row in await connection.fetch(_CLAIMS_FILED, award.award_id, MAX_SAID)
    ]
    said += [
        Said(
            at_us=row["at_us"],
            actor=f"{row['name'] or row['actor']}{' (staff)' if row['from_staff'] else ''}",
            words=f"On claim {row['number']}: {row['words']}",
        )
        for row in await connection.fetch(_CLAIM_WORDS, award.award_id, MAX_SAID)
    ]
    for row in await connection.fetch(_QUESTIONS, *about, award.buyer_id, MAX_SAID):
        said.append(Said(at_us=row["asked_at_us"], actor="The buyer", words=row["question"]))
        if row["answer"] is not None:
            said.append(Said(at_us=row["answered_at_us"], actor="The seller", words=row["answer"]))
    said += [
        Said(at_us=row["said_at_us"], actor="The seller, to all", words=row["message"])
        for row in await connection.fetch(_SAID_IN_SALE, award.sale_id, MAX_SAID)
    ]
    return tuple(sorted(said, key=lambda one: one.at_us)[:MAX_SAID])


async def _photos(
    connection: AnyConnection, award: AwardRow, trucks: Sequence[str], claims: Sequence[str]
) -> tuple[Photo, ...]:
    """Of the dock, the delivery and the claims; then those of the catalogue, as far as they go."""
    rows = await connection.fetch(
        _PHOTOS, list(trucks), award.award_id, list(claims), MAX_PHOTO_BYTES, MAX_PHOTOS
    )
    photos = [
        Photo(
            title=": ".join(filter(None, (_OF_PHOTO[row["kind"]], row["alt"]))),
            at_us=row["added_at_us"],
            data=row["bytes"],
        )
        for row in rows
    ]
    about = (award.sale_id, award.lot_id)
    left = MAX_PHOTOS - len(photos)
    rows = await connection.fetch(_LOT_PHOTOS, *about, MAX_PHOTO_BYTES, left)
    photos += [
        Photo(
            title=": ".join(filter(None, ("In the catalogue", row["alt"]))),
            at_us=None,
            data=row["bytes"],
        )
        for row in rows
    ]
    return tuple(photos)
