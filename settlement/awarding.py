"""From the hammer to the invoice: the operations "award" and "invoice".

"award" joins what the log, the catalogue and the buyer's quotes say of a lot that was sold, and
writes its award. "invoice" issues the invoices of a sale when it has closed, and of awards that are
made after that: one for each buyer and place, of what is not invoiced yet. A buyer of whom an award
is still being made gets none yet; the operation comes again. Done twice, neither does anything.

Whoever invoices a sale holds its row of ``settlement_sale`` first, then the awards.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from auction.catalog.tax_table import rate_at
from auction.catalog.taxes import BidderTax, Place, TaxRate
from auction.ids import BidderId, SaleId
from auction.ports import EventLog
from foundation.database import AnyConnection, Pool, acquire
from settlement.award_facts import (
    Freight,
    LotFacts,
    SaleFacts,
    freight_of,
    keep_sale,
    learn_sale,
    lot_facts,
    read_sale,
    winning_bid,
)
from settlement.buyers import wanted_customer
from settlement.confirming import ask_seller
from settlement.due import Calendar, payment_due_us
from settlement.first_collecting import BEGIN
from settlement.following import Closed, hammer_of
from settlement.ids import AwardId
from settlement.invoices import Award, Certificate, Invoice, invoices_of, tax_of
from settlement.lives import AwardState, PaymentState
from settlement.operations import HOUR_US, SECOND_US, Again, NeedsPerson, Operation
from settlement.policy import Policy
from settlement.policy_table import holidays_of, policy_at
from settlement.rows import AwardRow, award_row, hold_invoice
from settlement.steps import Step, Wanted, write
from settlement.story import Told, tell
from settlement.telling import Kind, mail_to

# Awards follow the hammer within seconds. What waits for a person is looked at seldom.
LOOK_AGAIN_US: Final = 2 * SECOND_US
LOOK_SELDOM_US: Final = 300 * SECOND_US
# A sale's lots close within hours. Who is invoiced so long after the hammer has its time from then.
SOON_US: Final = HOUR_US


class NewAward(Struct, frozen=True, kw_only=True):
    """An award that is to be written."""

    award: Award
    generation: int
    sale: SaleFacts
    lot: LotFacts
    freight: Freight | None


_ADD_AWARD: Final = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, consignor_id,
    currency, hammer_minor, body, goods, state, awarded_at_us, changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb, 'AWARDED', $12, $13)
on conflict (award_id) do nothing
"""

_ADD_FREIGHT: Final = """
insert into award_freight (award_id, quote_id, destination, amount_minor)
values ($1, $2, $3::jsonb, $4)
"""

_HOLD_SALE: Final = "select from settlement_sale where sale_id = $1 for update"

_TO_INVOICE: Final = """
select * from award where sale_id = $1 and state = 'AWARDED' and invoice_id is null
order by award_id for update
"""

# A sale's awards begin with its id and a tilde, after which only DEL would come.
_STILL_MADE: Final = """
select arguments ->> 'bidder_id' as bidder_id, bool_or(state = 'WAITING') as soon
from settlement_op
where operation = 'award' and subject > $1 || '~' and subject < $1 || chr(127)
and state in ('WAITING', 'HELD') group by 1
"""

_CERTIFICATES: Final = """
select region, expires_on from resale_certificate
where organisation_id = $1 and state = 'ACCEPTED'
"""

_INVOICED_BEFORE: Final = """
select count(*) from invoice where sale_id = $1 and buyer_id = $2 and currency = $3
and body -> 'ship_from' = $4::jsonb
"""

_ADD_INVOICE: Final = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, changed_at_us)
values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $11, $12, $13, $11)
"""

_PUT_ON: Final = "update award set invoice_id = $2 where award_id = any($1)"

# The country whose states a resale certificate's region names.
_CERTIFIED_COUNTRY: Final = "US"


class AwardHandler:
    """ "award": a lot was sold, and is written down as what its buyer owes and gets."""

    def __init__(self, pool: Pool, log: EventLog) -> None:
        self._pool, self._log = pool, log

    async def call(self, op: Operation) -> NewAward:
        """Read what is known of it. Raises `Unknown` while that is not all there yet."""
        hammer = hammer_of(op.arguments)
        async with acquire(self._pool) as connection:
            bid = await winning_bid(connection, self._log, hammer)
            sale = await learn_sale(connection, self._log, hammer.sale_id)
            lot = await lot_facts(connection, hammer.sale_id, hammer.lot_id)
            terms = lot.goods.freight_terms
            place = (hammer.sale_id, hammer.lot_id, hammer.bidder_id)
            freight = await freight_of(connection, *place, terms, bid)
        award = Award(
            award_id=AwardId(op.subject),
            lot_id=hammer.lot_id,
            buyer_id=hammer.bidder_id,
            ship_from=lot.ship_from,
            closed_at_us=hammer.at_us,
            hammer_minor=hammer.amount_minor,
            freight_minor=0 if freight is None else freight.amount_minor,
            ships_to=None if freight is None else freight.place,
        )
        return NewAward(
            award=award, generation=hammer.generation, sale=sale, lot=lot, freight=freight
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        assert isinstance(answer, NewAward), "nobody refuses to be read"
        await add_award(connection, answer, now_us)


async def add_award(connection: AnyConnection, new: NewAward, now_us: int) -> bool:
    """Write an award, in the caller's transaction; ``False``: it was written before."""
    award, sale = new.award, new.sale
    await keep_sale(connection, sale, now_us)
    status = await connection.execute(
        _ADD_AWARD,
        award.award_id,
        sale.sale_id,
        award.lot_id,
        new.generation,
        award.buyer_id,
        sale.liquidator_id,
        new.lot.consignor_id,
        sale.terms.currency,
        award.hammer_minor,
        msgspec.json.encode(award).decode(),
        msgspec.json.encode(new.lot.goods).decode(),
        award.closed_at_us,
        now_us,
    )
    if status == "INSERT 0 0":
        return False
    freight = new.freight
    if freight is not None:
        destination = msgspec.json.encode(freight.destination).decode()
        values = (freight.quote_id, destination, freight.amount_minor)
        await connection.execute(_ADD_FREIGHT, award.award_id, *values)
    facts = {
        "hammer_minor": award.hammer_minor,
        "currency": sale.terms.currency,
        "buyer_id": award.buyer_id,
        "generation": new.generation,
    }
    told = Told(kind="awarded", award_id=award.award_id, at_us=award.closed_at_us, facts=facts)
    await tell(connection, [told], now_us)
    return True


class InvoiceHandler:
    """ "invoice": what of a sale is awarded and not invoiced yet, is invoiced."""

    async def call(self, op: Operation) -> None:
        """See `Handler`: nobody is asked."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `Handler`. Raises `NeedsPerson` for a currency that has no policy."""
        closed = msgspec.convert(op.arguments, Closed)
        again_us = await invoice_sale(connection, closed.sale_id, closed.at_us, now_us)
        return None if again_us is None else Again(now_us + again_us)


async def invoice_sale(
    connection: AnyConnection, sale_id: SaleId, at_us: int, now_us: int
) -> int | None:
    """Issue what is due of a sale's invoices; in how long to look again, if awards are still made.

    By the policy of ``at_us``. Raises `NeedsPerson` if there was none then.
    """
    still_made = await connection.fetch(_STILL_MADE, sale_id)
    waiting = {BidderId(row["bidder_id"]) for row in still_made}
    await connection.execute(_HOLD_SALE, sale_id)
    rows = [award_row(row) for row in await connection.fetch(_TO_INVOICE, sale_id)]
    rows = [row for row in rows if row.buyer_id not in waiting]
    if rows:
        sale = await read_sale(connection, sale_id)
        assert sale is not None, "it was kept with its first award"
        policy = await policy_at(connection, sale.terms.currency, at_us)
        if policy is None:
            raise NeedsPerson(
                f"there is no policy for {sale.terms.currency}: add one that holds from the close"
                " of the sale on, then try again"
            )
        calendar = Calendar(sale.zone, await holidays_of(connection, sale.country))
        for invoice in await _made(connection, sale, rows, policy, calendar, now_us):
            await _issue(connection, sale, policy, invoice, now_us)
    if not still_made:
        return None
    return LOOK_AGAIN_US if any(row["soon"] for row in still_made) else LOOK_SELDOM_US


async def _made(
    connection: AnyConnection,
    sale: SaleFacts,
    rows: Sequence[AwardRow],
    policy: Policy,
    calendar: Calendar,
    now_us: int,
) -> list[Invoice]:
    """The invoices of these awards; a buyer's second at a place has the number 2."""
    by_place: dict[tuple[BidderId, str], list[tuple[Award, BidderTax]]] = defaultdict(list)
    certificates: dict[BidderId, Sequence[Certificate]] = {}
    for row in rows:
        award, buyer_id = row.award, row.buyer_id
        if buyer_id not in certificates:
            certificates[buyer_id] = await certificates_of(connection, buyer_id)
        rates = await _rates(connection, award)
        taxed = (award, tax_of(award, rates, certificates[buyer_id], calendar))
        place = msgspec.json.encode(award.ship_from).decode()
        by_place[buyer_id, place].append(taxed)
    made: list[Invoice] = []
    for (buyer_id, place), awards in by_place.items():
        identity = (sale.sale_id, buyer_id, sale.terms.currency, place)
        before = await connection.fetchval(_INVOICED_BEFORE, *identity)
        made += invoices_of(sale.sale_id, sale.terms, awards, policy, calendar, before + 1)
    return [_with_time_to_pay(invoice, policy, calendar, now_us) for invoice in made]


def _with_time_to_pay(
    invoice: Invoice, policy: Policy, calendar: Calendar, issued_at_us: int
) -> Invoice:
    """An invoice that comes long after the hammer is due as long after it was issued."""
    last_us = max(line.closed_at_us for line in invoice.lines)
    if issued_at_us - last_us <= SOON_US:
        return invoice
    return structs.replace(invoice, due_at_us=payment_due_us(policy, calendar, issued_at_us))


async def _issue(
    connection: AnyConnection, sale: SaleFacts, policy: Policy, invoice: Invoice, now_us: int
) -> None:
    """Write an invoice with what follows from it: it is to be paid, and its buyer is told."""
    await connection.execute(
        _ADD_INVOICE,
        invoice.invoice_id,
        invoice.sale_id,
        invoice.buyer_id,
        sale.liquidator_id,
        invoice.currency,
        msgspec.json.encode(invoice).decode(),
        invoice.total_minor,
        sale.zone,
        sale.country,
        policy.version,
        now_us,
        invoice.due_at_us,
        PaymentState.DUE,
    )
    award_ids = [line.award_id for line in invoice.lines]
    await connection.execute(_PUT_ON, award_ids, invoice.invoice_id)
    held = await hold_invoice(connection, invoice.invoice_id)
    await write(connection, held, issued(held.invoiced.number, sale, invoice), now_us)
    await ask_seller(connection, held, sale.terms.confirmation, policy, now_us)


def issued(number: int, sale: SaleFacts, invoice: Invoice) -> Step:
    """What follows from an invoice: its lots are invoiced, its money is asked for. Pure."""
    invoice_id = invoice.invoice_id
    facts: dict[str, Any] = {
        "number": number,
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
        "due_at_us": invoice.due_at_us,
    }
    more: dict[str, Any] = {"sale_title": sale.title, "zone": sale.zone, "lots": len(invoice.lines)}
    return Step(
        awards={line.award_id: AwardState.INVOICED for line in invoice.lines},
        operations=(
            wanted_customer(invoice.buyer_id),
            Wanted(operation=BEGIN, subject=invoice_id),
            Wanted(operation="overdue", subject=invoice_id, due_at_us=invoice.due_at_us),
            mail_to(Kind.INVOICED, invoice_id, invoice.buyer_id, **facts, **more),
        ),
        story=(Told(kind="invoiced", invoice_id=invoice_id, facts=facts),),
    )


async def certificates_of(connection: AnyConnection, buyer_id: BidderId) -> list[Certificate]:
    """The resale certificates of a buyer that staff accepted, also those that have run out."""
    return [
        Certificate(Place(_CERTIFIED_COUNTRY, row["region"]), row["expires_on"])
        for row in await connection.fetch(_CERTIFICATES, buyer_id)
    ]


async def _rates(connection: AnyConnection, award: Award) -> Mapping[Place, TaxRate]:
    """The tax rate that an award bears, as of its close."""
    rate = await rate_at(connection, award.taxed_at, award.closed_at_us)
    return {} if rate is None else {award.taxed_at: rate}
