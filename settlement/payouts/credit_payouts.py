"""A buyer's credit is paid back: asked for by one of staff, agreed to by another.

It goes back to where it came from as far as that goes: to the buyer's charges, the latest first;
what no charge takes, the house's bank sends, and staff write down the bank's reference. Once agreed
to, its money lies in an account of its own, so that no invoice and no other payout spends it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId
from auction.money import EXPONENTS, format_minor
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.chart import BANK
from settlement.entries import MAX_NOTE, About
from settlement.ledger import post
from settlement.names import organisation_names
from settlement.operations import HOUR_US
from settlement.payment_objects import returned_minor
from settlement.payments.tables import free_credit_minor, hold_credit
from settlement.payouts.credit_refunds import CREDIT_REFUND
from settlement.payouts.credit_tables import (
    CreditPayout,
    add_part,
    add_payout,
    decide_payout,
    latest_payouts,
    move_part,
    read_payout,
    sources_of,
)
from settlement.payouts.words import PayoutRefusal, PayoutRefused
from settlement.pickups.telling import actor_of
from settlement.postings_house import credit_refunded, credit_set_aside
from settlement.queue import QueueItem, Waiting
from settlement.queue import Source as QueueSource
from settlement.steps import Wanted, want

MAX_SHOWN: Final = 200
DECIDED_WITHIN_US: Final = 48 * HOUR_US

# Whose money it is: no deposits and payouts, that lie apart, and no wires of nobody.
_HOLDERS: Final = """
select substr(a.name, 14) as buyer_id, a.currency,
    b.credits_minor - b.debits_minor as credit_minor, o.name
from ledger_account a join ledger_balance b using (account_id)
join organisation o on o.organisation_id = substr(a.name, 14)
where a.kind = 'buyer_credit' and b.credits_minor > b.debits_minor
order by credit_minor desc, a.name limit $1
"""


class CreditHolder(Struct, frozen=True, kw_only=True):
    """A buyer with credit. ``free_minor``: what is kept for no invoice, and can be paid back."""

    buyer_id: BidderId
    name: str
    currency: str
    credit_minor: int
    free_minor: int


class CreditPayouts:
    """What staff do about buyers' credit."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def holders(self) -> list[CreditHolder]:
        """Who has credit, the most first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_HOLDERS, MAX_SHOWN)
            return [
                CreditHolder(
                    **dict(row),
                    free_minor=await free_credit_minor(
                        connection, row["buyer_id"], row["currency"]
                    ),
                )
                for row in rows
            ]

    async def payouts(self) -> list[CreditPayout]:
        """Those that are not over first, then the latest."""
        async with acquire(self._pool) as connection:
            found = await latest_payouts(connection, MAX_SHOWN)
            names = await organisation_names(connection, [one.buyer_id for one in found])
        return [_named(one, names.get(one.buyer_id, one.buyer_id)) for one in found]

    async def ask(
        self, staff: Actor, buyer_id: BidderId, currency: str, amount_minor: int, why: str
    ) -> CreditPayout:
        """Ask for a second person. Raises `PayoutRefused`: NOT_FOUND, TOO_MUCH, BAD_DETAILS."""
        said, now_us = why.strip(), self._now_us()
        if not said or len(said) > MAX_NOTE or "\0" in said:
            detail = f"Say why, in up to {MAX_NOTE} characters."
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="why", detail=detail)
        if currency not in EXPONENTS:
            raise PayoutRefused(PayoutRefusal.NOT_FOUND)
        async with transaction(self._pool) as connection:
            await _refuse_more(connection, buyer_id, currency, amount_minor)
            values = (buyer_id, currency, amount_minor, said)
            number = await add_payout(connection, *values, actor_of(staff), now_us)
            made = await _found(connection, number)
            await _record(connection, Act.CREDIT_PAYOUT_ASKED, staff, made, now_us)
        return made

    async def decide(self, staff: Actor, number: int, *, agrees: bool) -> CreditPayout:
        """Another person agrees, and it is sent; or somebody says no.

        Raises `PayoutRefused`: NOT_FOUND, NOT_WAITING, SAME_PERSON, TOO_MUCH.
        """
        now_us, by = self._now_us(), actor_of(staff)
        async with transaction(self._pool) as connection:
            asked = await _found(connection, number)
            if asked.state != "ASKED":
                raise PayoutRefused(PayoutRefusal.NOT_WAITING)
            if agrees and asked.asked_by == by:
                raise PayoutRefused(PayoutRefusal.SAME_PERSON)
            state = "SENDING" if agrees else "REFUSED"
            if agrees:
                whose = (asked.buyer_id, asked.currency)
                await _refuse_more(connection, *whose, asked.amount_minor)
            await decide_payout(connection, asked, state, by, now_us)
            await _record(
                connection, Act.CREDIT_PAYOUT_DECIDED, staff, asked, now_us, agrees=agrees
            )
            if agrees:
                await _send(connection, asked, now_us)
                about = _about(asked, now_us)
                amount = asked.amount_minor
                aside = credit_set_aside(about, asked.buyer_id, asked.purse.subject, amount)
                await post(connection, [aside])
            decided = await _found(connection, number)
        self._ring()
        return decided

    async def sent_by_bank(self, staff: Actor, number: int, reference: str) -> CreditPayout:
        """The house's bank has sent the part that no charge took.

        Raises `PayoutRefused`: NOT_FOUND, NOT_WAITING, BAD_DETAILS.
        """
        said, now_us = reference.strip(), self._now_us()
        if not 3 <= len(said) <= MAX_NOTE or "\0" in said:
            detail = "Type the reference that the bank's statement has."
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="reference", detail=detail)
        async with transaction(self._pool) as connection:
            payout = await _found(connection, number)
            part = payout.by_bank
            if payout.state != "SENDING" or part is None:
                raise PayoutRefused(PayoutRefusal.NOT_WAITING)
            await move_part(connection, part, "SENT", now_us, note=said)
            await _record(connection, Act.CREDIT_PAYOUT_SENT, staff, payout, now_us, part=part.part)
            about = _about(payout, now_us, generation=part.part, note=said)
            whose = BidderId(payout.subject)
            await post(connection, [credit_refunded(about, whose, part.amount_minor, BANK)])
            return await _found(connection, number)


async def _send(connection: AnyConnection, payout: CreditPayout, now_us: int) -> None:
    """Divide it among the buyer's charges and the bank, and want what the provider is to do."""
    left_minor, part, wanted = payout.amount_minor, 0, list[Wanted]()
    for source in await sources_of(connection, payout.buyer_id, payout.currency):
        amount_minor = returned_minor(min(source.left_minor, left_minor), payout.currency)
        if not amount_minor:
            continue
        part, left_minor = part + 1, left_minor - amount_minor
        await add_part(connection, payout.number, part, source.charge_id, amount_minor, now_us)
        arguments = {
            "number": payout.number,
            "charge_id": source.charge_id,
            "customer_id": source.customer_id,
            "way": source.way,
            "amount_minor": amount_minor,
            "currency": payout.currency,
        }
        wanted.append(
            Wanted(
                operation=CREDIT_REFUND,
                subject=payout.subject,
                generation=part,
                arguments=arguments,
            )
        )
    if left_minor:
        await add_part(connection, payout.number, part + 1, None, left_minor, now_us)
    await want(connection, wanted, now_us)


async def _found(connection: AnyConnection, number: int) -> CreditPayout:
    payout = await read_payout(connection, number, hold=True)
    if payout is None:
        raise PayoutRefused(PayoutRefusal.NOT_FOUND)
    return payout


async def _refuse_more(
    connection: AnyConnection, buyer_id: BidderId, currency: str, amount_minor: int
) -> None:
    """Holds the buyer's credit until the caller's transaction ends."""
    await hold_credit(connection, buyer_id, currency)
    free_minor = await free_credit_minor(connection, buyer_id, currency)
    if not 1 <= amount_minor <= free_minor:
        detail = f"The buyer's free credit is {format_minor(free_minor, currency)} {currency}."
        raise PayoutRefused(PayoutRefusal.TOO_MUCH, field="amount_minor", detail=detail)


def _about(payout: CreditPayout, now_us: int, generation: int = 1, note: str = "") -> About:
    return About(
        subject=payout.subject,
        generation=generation,
        at_us=now_us,
        currency=payout.currency,
        buyer_id=payout.buyer_id,
        note=note or payout.why,
    )


async def _record(
    connection: AnyConnection,
    act: Act,
    staff: Actor,
    payout: CreditPayout,
    now_us: int,
    **more: object,
) -> None:
    await record(
        connection,
        act,
        staff,
        now_us,
        organisation_id=OrganisationId(payout.buyer_id),
        object_id=str(payout.number),
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        **more,
    )


def _named(payout: CreditPayout, buyer: str) -> CreditPayout:
    fields = {name: getattr(payout, name) for name in CreditPayout.__struct_fields__}
    return CreditPayout(**(fields | {"buyer": buyer}))


_QUEUED: Final = """
from credit_payout p where $1::bigint is not null and (state = 'ASKED' or state = 'SENDING' and
    exists (select from credit_payout_part t where t.number = p.number and t.charge_id is null
        and t.state = 'ASKED'))
"""


def _item(row: object) -> QueueItem:
    read = dict(row)  # type: ignore[call-overload]
    asked = read["state"] == "ASKED"
    words = "A second person has to agree." if asked else "The rest is to be sent by the bank."
    return QueueItem(
        kind=Waiting.CREDIT,
        subject=f"credit-payout~{read['number']}",
        title="A buyer's credit is paid back",
        words=words,
        deadline_at_us=read["asked_at_us"] + DECIDED_WITHIN_US,
        party=read["buyer_id"],
        amount_minor=read["amount_minor"],
        currency=read["currency"],
        href="/settlement/credit",
    )


CREDITS: Final[Sequence[QueueSource]] = (
    QueueSource(
        kind=Waiting.CREDIT,
        items=f"select * {_QUEUED} order by asked_at_us limit $2",
        count=f"select count(*) {_QUEUED}",
        item_of=_item,
    ),
)
