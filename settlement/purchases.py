"""What a buyer has won, as it sees it: its invoices, how each is paid, and what comes next.

Nothing here tells of the ledger, of operations or of other buyers. What is decided, the parts of
settlement decide; here the buyer's wish is put on their list.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.client_requests import Asked, note_made
from settlement.due import Calendar, claims_until_us, pickup_deadline_us
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.lives import PAYMENT_LIFE, AwardState, PaymentState
from settlement.names import NamedSale, organisation_names, sale_names
from settlement.payment_objects import BankAddress
from settlement.payments.asking import choose_way, collect_now, name_lots
from settlement.payments.decisions import SOFT
from settlement.payments.moves import again
from settlement.payments.payers import TablePayers
from settlement.payments.tables import carry_out, try_of
from settlement.payments.words import ENDED, Decided, Try, TryState, Way
from settlement.policy import Policy
from settlement.ports import PaymentProvider
from settlement.rows import (
    AwardRow,
    Held,
    InvoiceRow,
    calendar_of,
    hold_invoice,
    policy_of,
    read_invoice,
)
from settlement.saved_methods import Saved, saved_of
from settlement.steps import Step

_PAYERS: Final = TablePayers()
# A bank's answer is there at once, or after the buyer has done something: seconds.
LOOK_AGAIN_US: Final = 10_000_000
MAX_LOOKS: Final = 20
# Of the tries of one invoice those that a page tells of.
TRIES_SHOWN: Final = 20

_TRIES: Final = """
select * from payment_try where invoice_id = $1 order by number desc limit $2
"""
_DETAILS: Final = """
select addresses from bank_details where buyer_id = $1 and currency = $2
"""
_KEPT: Final = "select amount_minor from payment_earmark where invoice_id = $1"
_ASKED: Final = """
select until_us from seller_confirmation where invoice_id = $1 and confirmed_at_us is null
"""
_STATE: Final = "select version, payment, buyer_id from invoice where invoice_id = $1"
_AWARD_VERSIONS: Final = "select coalesce(sum(version), 0) from award where invoice_id = $1"
_LOOKED: Final = """
select count(*) >= $4 or coalesce(bool_or(state = 'WAITING' or made_at_us > $3), false)
from settlement_op
where operation = 'read_payment' and subject = $1 and arguments->>'try' = $2
"""
_OPEN: Final = """
select invoice_id from invoice
where buyer_id = $1 and payment not in ('PAID', 'DEFAULTED', 'REFUNDED') limit 200
"""


class Purchase(Struct, frozen=True, kw_only=True):
    """An invoice as its buyer sees it."""

    invoice: InvoiceRow
    awards: Sequence[AwardRow]
    sale: NamedSale | None
    seller: str
    buyer: str
    policy: Policy
    takes_card: bool
    saved: Sequence[Saved]
    tries: Sequence[Try]
    addresses: Sequence[BankAddress]
    kept_minor: int
    # The seller is asked to confirm what it sold, and may answer until then.
    asked_until_us: int | None
    stamp: str

    @property
    def is_over(self) -> bool:
        return PAYMENT_LIFE.is_over(self.invoice.payment)

    @property
    def card(self) -> Saved | None:
        """The card that is asked."""
        cards = [one for one in self.saved if one.kind == "card"]
        return cards[0] if cards else None

    @property
    def last_refusal(self) -> Try | None:
        """The last try, if the bank said no to it."""
        last = self.tries[0] if self.tries else None
        return last if last is not None and last.failure_code is not None else None

    @property
    def same_card_again(self) -> bool:
        """Whether the card that was declined is asked another time by itself."""
        last = self.last_refusal
        if last is None:
            return False
        return (last.decline_code or last.failure_code) in SOFT

    @property
    def action(self) -> Try | None:
        """The try that the buyer has to confirm."""
        return next((one for one in self.tries if one.state is TryState.ACTION), None)

    @property
    def arrived_minor(self) -> int:
        """What came in, in lots or kept for the rest."""
        return self.invoice.paid_minor


class Deadlines(Struct, frozen=True, kw_only=True):
    """Until when things of an award are to be done; ``None``: not yet known, or not any more."""

    fetch_by_us: int | None = None
    claim_by_us: int | None = None


class Purchases:
    """Reads for buyers, and has their invoices collected."""

    def __init__(
        self,
        pool: Pool,
        provider: PaymentProvider,
        now_us: Callable[[], int],
        ring: Callable[[], None],
    ) -> None:
        self._pool, self._provider, self._now_us, self._ring = pool, provider, now_us, ring

    async def read(self, invoice_id: InvoiceId) -> Purchase:
        """An invoice with all that its page shows. Raises `rows.NotFound`."""
        async with acquire(self._pool) as connection:
            held = await read_invoice(connection, invoice_id)
            return await self._read(connection, held)

    async def stamp(self, invoice_id: InvoiceId) -> str | None:
        """What changes when the page would; ``None``: there is no such invoice."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_STATE, invoice_id)
            if row is None:
                return None
            return await _stamp(connection, invoice_id, row["version"])

    async def buyer_of(self, invoice_id: InvoiceId) -> str | None:
        """Whose the invoice is."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_STATE, invoice_id)
        return None if row is None else row["buyer_id"]

    async def deadlines(self, purchase: Purchase) -> Mapping[AwardId, Deadlines]:
        """Until when each of its awards is to be fetched, and may be claimed."""
        async with acquire(self._pool) as connection:
            calendar = await calendar_of(connection, purchase.invoice)
        return {
            award.award_id: _deadlines(purchase.policy, calendar, award)
            for award in purchase.awards
        }

    async def pay(
        self,
        invoice_id: InvoiceId,
        way: Way,
        method_id: StripeId | None = None,
        *,
        request: Asked | None = None,
    ) -> None:
        """The buyer pays this way, now. Raises `asking.PayRefused`."""
        async with transaction(self._pool) as connection:
            now_us = self._now_us()
            await choose_way(connection, invoice_id, way, _PAYERS, now_us, method_id=method_id)
            await note_made(connection, request, invoice_id, now_us)
        self._ring()

    async def name_lots(self, invoice_id: InvoiceId, award_ids: Sequence[AwardId], by: str) -> None:
        """What comes next is for these lots. Raises `asking.PayRefused`."""
        async with transaction(self._pool) as connection:
            await name_lots(connection, invoice_id, award_ids, by, self._now_us())

    async def collect_all(self, buyer_id: BidderId) -> None:
        """Ask for all that a buyer has open: it saved a card."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OPEN, buyer_id)
        for row in rows:
            async with transaction(self._pool) as connection:
                await collect_now(connection, row["invoice_id"], _PAYERS, self._now_us())
        self._ring()

    async def looked_at(self, invoice_id: InvoiceId) -> None:
        """The buyer is back from its bank: what came of the payment is read now.

        However often the page is asked for, it is read once in a while, and so often in all: the
        provider tells of it by itself too.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            held = await hold_invoice(connection, invoice_id)
            row = await connection.fetchrow(_TRIES, invoice_id, 1)
            if row is None or row["payment_id"] is None or row["state"] in ENDED:
                return
            looks = (invoice_id, str(row["number"]), now_us - LOOK_AGAIN_US, MAX_LOOKS)
            if await connection.fetchval(_LOOKED, *looks):
                return
            about = {"payment_id": row["payment_id"], "invoice_id": invoice_id}
            wanted = again(held, "read_payment", **about, **{"try": row["number"]})
            await carry_out(connection, held, Decided(steps=[Step(operations=[wanted])]), now_us)
        self._ring()

    async def action_url(self, purchase: Purchase) -> str | None:
        """Where the buyer confirms; ``None``: there is nothing to confirm any more."""
        tried = purchase.action
        if tried is None or tried.payment_id is None:
            return None
        payment = await self._provider.payment(StripeId(tried.payment_id))
        return None if payment.action is None else payment.action.url

    async def _read(self, connection: AnyConnection, held: Held) -> Purchase:
        row = held.invoiced
        invoice = row.invoice
        policy = await policy_of(connection, row)
        sales = await sale_names(connection, [invoice.sale_id])
        names = await organisation_names(connection, [row.liquidator_id, invoice.buyer_id])
        sale = sales.get(invoice.sale_id)
        tries = await connection.fetch(_TRIES, row.invoice_id, TRIES_SHOWN)
        details = await connection.fetchval(_DETAILS, invoice.buyer_id, invoice.currency)
        return Purchase(
            invoice=row,
            awards=list(held.awards.values()),
            sale=sale,
            seller=sale.seller if sale else names.get(row.liquidator_id, row.liquidator_id),
            buyer=names.get(invoice.buyer_id, invoice.buyer_id),
            policy=policy,
            takes_card=policy.takes_card(max(1, row.open_minor)),
            saved=await saved_of(connection, invoice.buyer_id),
            tries=[try_of(one) for one in tries],
            addresses=_addresses(details),
            kept_minor=await connection.fetchval(_KEPT, row.invoice_id) or 0,
            asked_until_us=await connection.fetchval(_ASKED, row.invoice_id),
            stamp=await _stamp(connection, row.invoice_id, row.version),
        )


def _deadlines(policy: Policy, calendar: Calendar, award: AwardRow) -> Deadlines:
    if award.state is AwardState.HANDED_OVER and award.handed_over_at_us is not None:
        return Deadlines(claim_by_us=claims_until_us(policy, calendar, award.handed_over_at_us))
    fetches = award.state is AwardState.FUNDED and award.award.ships_to is None
    if fetches and award.funded_at_us is not None:
        return Deadlines(fetch_by_us=pickup_deadline_us(policy, calendar, award.funded_at_us))
    return Deadlines()


async def _stamp(connection: AnyConnection, invoice_id: InvoiceId, version: int) -> str:
    awards = await connection.fetchval(_AWARD_VERSIONS, invoice_id)
    return f"{version}.{awards}"


def _addresses(details: Any) -> Sequence[BankAddress]:
    return () if details is None else msgspec.json.decode(details, type=tuple[BankAddress, ...])


def way_words(way: Way) -> str:
    """How somebody paid, in words."""
    return {Way.CARD: "card", Way.DEBIT: "bank debit", Way.TRANSFER: "bank transfer"}[way]


def is_waiting(payment: PaymentState) -> bool:
    """Whether something goes on by itself, so that the page is to look again soon."""
    return payment in {
        PaymentState.AUTHORISING,
        PaymentState.AUTHORISED,
        PaymentState.CAPTURING,
        PaymentState.ACTION_REQUIRED,
        PaymentState.DUE,
        PaymentState.AWAITING_FUNDS,
        PaymentState.PARTLY_FUNDED,
    }
