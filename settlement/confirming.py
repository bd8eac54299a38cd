"""The seller confirms what it sold, where the terms of its sale ask it, before money is taken.

It is asked with the invoice, and answers for each lot. Until it has answered for all of them a card
may promise the money and a transfer may come, but nothing is captured and no lot is the buyer's.
What it does not confirm is cancelled, without a fee for anybody; what came for it is the buyer's
credit. When its time is over, silence means what the terms say: sold, or cancelled.

A runner-up's lot is not asked about: its seller has consented to the offer. An answer stands.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import LiquidatorId, LotId, SaleId
from auction.terms import Confirmation
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.after_default.cancelling import without_fee
from settlement.after_default.words import AfterRefusal, Refused
from settlement.due import confirmed_until_us
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState
from settlement.operations import Deadline, Operation
from settlement.payments.decisions_card import confirmation_over
from settlement.payments.decisions_seller import all_answered
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.policy import Policy
from settlement.rows import AwardRow, Held, hold_award, hold_invoice
from settlement.steps import want
from settlement.story import HOUSE_ITSELF, Told, tell
from settlement.telling import Kind, mail_to

# What the buyer reads of a lot that was not confirmed.
NOT_CONFIRMED: Final = "The seller did not confirm the sale."
# Awards that a hammer made; those after it are of runner-ups.
BY_HAMMER: Final = 1

_ITSELF: Final = Actor(None, "settlement")

_ASK: Final = """
insert into seller_confirmation (invoice_id, asked_at_us, until_us, else_cancelled)
values ($1, $2, $3, $4) on conflict (invoice_id) do nothing returning true
"""
# The invoice is held by whoever asks this.
_OPEN: Final = """
select until_us, else_cancelled from seller_confirmation
where invoice_id = $1 and confirmed_at_us is null
"""
_ANSWERED: Final = "select award_id, confirms from seller_answer where invoice_id = $1"
_ANSWER: Final = """
insert into seller_answer (award_id, invoice_id, confirms, answered_at_us, answered_by)
values ($1, $2, $3, $4, $5)
"""
_ALL_ANSWERED: Final = """
update seller_confirmation set confirmed_at_us = $2, confirmed_by = $3 where invoice_id = $1
"""
_QUESTION: Final = """
select award_id, sale_id, lot_id, goods ->> 'title' as title, currency, hammer_minor, asked_at_us,
    until_us, else_cancelled, confirms, answered_at_us
from seller_confirmation c join award using (invoice_id) left join seller_answer using (award_id)
"""
_OF_SELLER: Final = f"""
{_QUESTION} where liquidator_id = $1 and (asked_at_us, award_id) < ($2::bigint, $3::text)
and ($4::boolean is null or (confirms is null and c.confirmed_at_us is null) = $4)
order by asked_at_us desc, award_id desc limit $5
"""
_ONE: Final = f"{_QUESTION} where award_id = $1 and liquidator_id = $2"


class Question(Struct, frozen=True, kw_only=True):
    """A lot that its seller is asked to confirm; ``confirms`` null: no answer. After ``until_us``
    silence means what ``else_cancelled`` says."""

    award_id: AwardId
    sale_id: SaleId
    lot_id: LotId
    title: str
    currency: str
    hammer_minor: int
    asked_at_us: int
    until_us: int
    else_cancelled: bool
    confirms: bool | None
    answered_at_us: int | None


class AskedKey(Struct, frozen=True):
    """The place of a question in a list: the latest first."""

    at_us: int
    award_id: str


_LAST: Final = AskedKey(2**62, "")


async def ask_seller(
    connection: AnyConnection, held: Held, rule: Confirmation, policy: Policy, now_us: int
) -> None:
    """Ask with the invoice's issue, in its transaction, if the terms ask."""
    row = held.invoiced
    asked = [each for each in held.awards.values() if each.generation == BY_HAMMER]
    if rule is Confirmation.NOT_ASKED or not asked:
        return
    until_us = confirmed_until_us(policy, now_us, row.invoice.due_at_us)
    else_cancelled = rule is Confirmation.ELSE_CANCELLED
    values = (row.invoice_id, now_us, until_us, else_cancelled)
    if not await connection.fetchval(_ASK, *values):
        return
    for each in held.awards.values():
        if each not in asked:  # it consented to the offer
            await _write_answer(connection, each, now_us, confirms=True, by=HOUSE_ITSELF)
    facts: dict[str, Any] = {"until_us": until_us, "else_cancelled": else_cancelled}
    mail = mail_to(
        Kind.CONFIRMATION_ASKED,
        row.invoice_id,
        row.liquidator_id,
        lots=[[each.lot_id, each.goods.title, each.award.hammer_minor] for each in asked],
        currency=row.invoice.currency,
        zone=row.zone,
        **facts,
    )
    over = confirmation_over(row.invoice_id, 1, until_us)
    await want(connection, [over, mail], now_us)
    told = Told(kind="seller_asked", invoice_id=row.invoice_id, facts=facts)
    await tell(connection, [told], now_us)


class Confirming:
    """What sellers are asked, and their answers. ``ring``: the worker has something to do."""

    def __init__(
        self, pool: Pool, payers: Payers, now_us: Callable[[], int], ring: Callable[[], None]
    ) -> None:
        self._pool, self._payers, self._now_us, self._ring = pool, payers, now_us, ring

    async def questions(
        self, seller: LiquidatorId, paging: Paging, waiting: bool | None = None
    ) -> Listing[Question]:
        """The latest first; ``waiting``: only those with or without an answer."""
        after = key_of_cursor(paging.cursor, AskedKey) or _LAST
        values = (seller, after.at_us, after.award_id, waiting, paging.limit + 1)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OF_SELLER, *values)
        return listing(
            list(rows),
            paging.limit,
            lambda row: Question(**row),
            lambda row: AskedKey(row["asked_at_us"], row["award_id"]),
        )

    async def answer(
        self, seller: LiquidatorId, award_id: AwardId, *, confirms: bool, actor: Actor
    ) -> Question:
        """The seller's answer for a lot; the same again changes nothing.

        Raises `Refused`: NOT_FOUND, ANSWERED_OTHERWISE, TOO_LATE, ENDED.
        """
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            asked = await _question(connection, award_id, seller)
            held = await hold_award(connection, award_id)
            asked = await _question(connection, award_id, seller)  # as it stands while it is held
            if asked.confirms is None:
                await _may_answer(connection, held, asked, now_us)
                await _answer(connection, held, award_id, now_us, confirms=confirms, actor=actor)
                await _go_on(connection, held.invoiced.invoice_id, self._payers, actor, now_us)
                asked = await _question(connection, award_id, seller)
            elif asked.confirms is not confirms:
                raise Refused(AfterRefusal.ANSWERED_OTHERWISE)
        self._ring()
        return asked


class ConfirmationOver(Deadline):
    """Operation ``confirmation_over``: the seller's time is over; silence is an answer now."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        invoice_id = InvoiceId(op.subject)
        held = await hold_invoice(connection, invoice_id)
        asked = await connection.fetchrow(_OPEN, invoice_id)
        if asked is None:
            return
        confirms = not asked["else_cancelled"]
        for award_id in await _unanswered(connection, held):
            held = await hold_invoice(connection, invoice_id)
            await _answer(connection, held, award_id, now_us, confirms=confirms, actor=_ITSELF)
        await _go_on(connection, invoice_id, self._payers, _ITSELF, now_us)


async def _may_answer(connection: AnyConnection, held: Held, asked: Question, now_us: int) -> None:
    if held.awards[asked.award_id].state is not AwardState.INVOICED:
        raise Refused(AfterRefusal.ENDED)
    is_open = await connection.fetchrow(_OPEN, held.invoiced.invoice_id) is not None
    if now_us >= asked.until_us or not is_open:
        raise Refused(AfterRefusal.TOO_LATE)


async def _answer(
    connection: AnyConnection,
    held: Held,
    award_id: AwardId,
    now_us: int,
    *,
    confirms: bool,
    actor: Actor,
) -> None:
    """Write an answer with what follows for its lot alone."""
    row, by = held.awards[award_id], actor.person_id or HOUSE_ITSELF
    await _write_answer(connection, row, now_us, confirms=confirms, by=by)
    kind = "seller_confirmed" if confirms else "seller_did_not_confirm"
    said = {"in_time": actor is not _ITSELF}
    await tell(connection, [Told(kind=kind, award_id=award_id, actor=by, facts=said)], now_us)
    await record(
        connection,
        Act.SALE_CONFIRMED,
        actor,
        now_us,
        organisation_id=OrganisationId(row.liquidator_id),
        object_id=award_id,
        confirms=confirms,
    )
    if not confirms:
        await without_fee(connection, held, row, NOT_CONFIRMED, actor, now_us)


async def _go_on(
    connection: AnyConnection, invoice_id: InvoiceId, payers: Payers, actor: Actor, now_us: int
) -> None:
    """Take the money, once all that can be answered is."""
    held = await hold_invoice(connection, invoice_id)
    if await _unanswered(connection, held):
        return
    by = actor.person_id or HOUSE_ITSELF
    await connection.execute(_ALL_ANSWERED, invoice_id, now_us, by)
    facts = await facts_of(connection, held, payers)
    await carry_out(connection, held, all_answered(held, facts, now_us), now_us)


async def _unanswered(connection: AnyConnection, held: Held) -> list[AwardId]:
    """Lots that are still to be paid and that the seller has said nothing of."""
    rows = await connection.fetch(_ANSWERED, held.invoiced.invoice_id)
    answered = {row["award_id"] for row in rows}
    return [
        award_id
        for award_id, row in held.awards.items()
        if row.state is AwardState.INVOICED and award_id not in answered
    ]


async def _write_answer(
    connection: AnyConnection, row: AwardRow, now_us: int, *, confirms: bool, by: str
) -> None:
    await connection.execute(_ANSWER, row.award_id, row.invoice_id, confirms, now_us, by)


async def _question(connection: AnyConnection, award_id: AwardId, seller: LiquidatorId) -> Question:
    row = await connection.fetchrow(_ONE, award_id, seller)
    if row is None:
        raise Refused(AfterRefusal.NOT_FOUND)
    return Question(**row)
