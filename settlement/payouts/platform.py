"""Our own payouts: the house's money from Stripe to its bank, and what a bank file is paid from.

A payout is booked when it is asked for (`book_payout`): from then on nobody spends that money a
second time, and it never is what is held, payable, deferred or tax. Once Stripe has made it, it is
booked anew under Stripe's names and the first booking is taken back in the same breath, so that
Stripe's books and ours are matched by name. What Stripe refuses is taken back; what the bank sends
back later is booked as that.

Stripe must not pay out by itself: its schedule is read before each payout.
"""

from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from accounts.audit import Act, Actor, record
from auction.money import EXPONENTS, format_minor
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.client_requests import Asked, note_made
from settlement.entries import About, Entry, reversal
from settlement.ids import StripeId
from settlement.ledger import LedgerRefusal, LedgerRefused, post
from settlement.ledger_reading import keys_of_stripe, read_position
from settlement.operations import HOUR_US, Again, NeedsPerson, Operation, Refused
from settlement.payment_objects import MAX_AMOUNT_MINOR, Event, Payout
from settlement.payouts.batch_rows import read_batch
from settlement.payouts.platform_rows import PayoutKey, PlatformPayout, Proposal
from settlement.payouts.words import BatchState, PayoutRefusal, PayoutRefused, PayoutState
from settlement.platform_payouts import book_payout
from settlement.ports import PaymentProvider
from settlement.postings_house import payout, payout_returned
from settlement.statements import free_to_pay_out_minor
from settlement.steps import Wanted, want

PAY_BANK: Final = "pay_bank"
READ_PAYOUT: Final = "read_payout"
SET_MANUAL: Final = "set_manual"
MANUAL: Final = "manual"
MAX_SHOWN: Final = 200
# A payout arrives on a day, not at an hour: from then on it is looked at so often.
LOOK_US: Final = 12 * HOUR_US
# By what our clock and Stripe's may differ at most: what was made since is looked through.
CLOCKS_US: Final = 24 * HOUR_US
# A bank sends a payout back within some days of its arrival.
MAY_FAIL_US: Final = 10 * 24 * HOUR_US

_ADD: Final = """
insert into platform_payout (currency, amount_minor, covers_minor, batch_id, state, asked_at_us,
    asked_by, changed_at_us)
values ($1, $2, $3, $4, 'ASKED', $5, $6, $5) returning payout_no
"""
_HOLD: Final = "select * from platform_payout where payout_no = $1 for update"
_READ: Final = "select * from platform_payout where payout_no = $1"
_BY_PAYOUT: Final = "select payout_no from platform_payout where payout_id = $1"
_LIST: Final = """
select * from platform_payout where payout_no < $1 order by payout_no desc limit $2
"""
_SENT: Final = """
update platform_payout set state = 'SENT', payout_id = $2, transaction_id = $3, arrives_at_us = $4,
    changed_at_us = $5
where payout_no = $1
"""
_STATE: Final = """
update platform_payout set state = $2, note = $3, changed_at_us = $4,
    returned_transaction_id = coalesce($5, returned_transaction_id)
where payout_no = $1
"""


class PlatformPayouts:
    """What staff do about the house's own money. ``ring`` wakes the worker."""

    def __init__(
        self,
        pool: Pool,
        provider: PaymentProvider,
        now_us: Callable[[], int],
        ring: Callable[[], None],
    ) -> None:
        self._pool, self._provider = pool, provider
        self._now_us, self._ring = now_us, ring

    async def propose(self, currency: str, batch_id: int | None = None) -> Proposal:
        """How much could go to the bank now, with what a bank file needs. Reads Stripe.

        Raises `PayoutRefused` NOT_FOUND, NOT_NOW, and what the provider raises.
        """
        if currency not in EXPONENTS:
            raise PayoutRefused(PayoutRefusal.NOT_FOUND)
        interval = await self._provider.payout_interval()
        balance = await self._provider.balance()
        async with acquire(self._pool) as connection:
            covers_minor = await _covers(connection, currency, batch_id)
            position = await read_position(connection, currency)
        free_minor = free_to_pay_out_minor(position)
        available_minor = balance.available_minor.get(currency, 0)
        whole_minor = free_to_pay_out_minor(position, covers_minor)
        return Proposal(
            currency=currency,
            stripe_minor=position.stripe_minor,
            owed_minor=position.all_owed_minor,
            free_minor=free_minor,
            covers_minor=covers_minor,
            available_minor=available_minor,
            proposed_minor=max(0, min(whole_minor, available_minor, MAX_AMOUNT_MINOR)),
            interval=interval,
        )

    async def all(self) -> Sequence[PlatformPayout]:
        """The latest first."""
        async with acquire(self._pool) as connection:
            return [_row(row) for row in await connection.fetch(_LIST, 2**62, MAX_SHOWN)]

    async def page(self, paging: Paging) -> Listing[PlatformPayout]:
        """The same, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, PayoutKey) or PayoutKey(2**62)
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LIST, key.payout_no, paging.limit + 1)
            found = [_row(row) for row in rows]
        return listing(found, paging.limit, lambda one: one, lambda one: PayoutKey(one.payout_no))

    async def set_manual(self) -> str:
        """From now on Stripe pays nothing out by itself; returns how it does."""
        # Said twice it is the same: a key of its own each time, or an older answer is no effect.
        return await self._provider.pay_out_by_hand(f"{SET_MANUAL}:{self._now_us()}:1")

    async def read(self, payout_no: int) -> PlatformPayout:
        """One of them. Raises `PayoutRefused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_READ, payout_no)
        if row is None:
            raise PayoutRefused(PayoutRefusal.NOT_FOUND)
        return _row(row)

    async def ask(
        self,
        staff: Actor,
        currency: str,
        amount_minor: int,
        batch_id: int | None = None,
        *,
        request: Asked | None = None,
    ) -> PlatformPayout:
        """Pay out so much; for a bank file too, if one is named.

        Raises `PayoutRefused`: NOT_FOUND, NOT_NOW, NOT_MANUAL, TOO_MUCH, ASKED_ALREADY,
        OWED_TO_OTHERS with what is free; and what the provider raises.
        """
        if currency not in EXPONENTS:
            raise PayoutRefused(PayoutRefusal.NOT_FOUND)
        if not 1 <= amount_minor <= MAX_AMOUNT_MINOR:
            most = format_minor(MAX_AMOUNT_MINOR, currency)
            detail = f"From {format_minor(1, currency)} to {most} {currency} at once."
            raise PayoutRefused(PayoutRefusal.TOO_MUCH, field="amount_minor", detail=detail)
        if await self._provider.payout_interval() != MANUAL:
            raise PayoutRefused(PayoutRefusal.NOT_MANUAL)
        now_us = self._now_us()
        try:
            async with transaction(self._pool) as connection:
                asked = await _ask(connection, staff, currency, amount_minor, batch_id, now_us)
                await note_made(connection, request, asked.payout_no, now_us)
        except LedgerRefused as refused:
            if refused.refusal is LedgerRefusal.OWED_TO_OTHERS:
                said = PayoutRefusal.OWED_TO_OTHERS
                raise PayoutRefused(said, field="amount_minor", detail=refused.message) from refused
            raise
        except asyncpg.UniqueViolationError as error:
            raise PayoutRefused(PayoutRefusal.ASKED_ALREADY) from error
        self._ring()
        return asked


class PayBank:
    """A payout is made."""

    def __init__(self, provider: PaymentProvider, now_us: Callable[[], int]) -> None:
        self._provider, self._now_us = provider, now_us

    async def call(self, op: Operation) -> Payout:
        """See `operations.Handler`."""
        if op.attempts > 1:
            found = await self._provider.find_payout(
                op.idempotency_key, since_us=op.made_at_us - CLOCKS_US
            )
            if found is not None:
                return found
        if not op.may_send(self._now_us()):
            raise Refused("never_sent", "no answer came in a day, and there is no payout")
        interval = await self._provider.payout_interval()
        if interval != MANUAL:
            raise NeedsPerson(f"Stripe pays out by itself ({interval}); set it to manual first")
        return await self._provider.pay_out(
            op.idempotency_key,
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            about={"payout": op.subject},
        )

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        its = await _hold(connection, op.arguments["payout_no"])
        if its.state is not PayoutState.ASKED:
            return None
        first = _booked(its)
        if isinstance(answer, Refused):
            note = str(answer)[:500]
            await connection.execute(_STATE, its.payout_no, PayoutState.REFUSED, note, now_us, None)
            await post(connection, [reversal(first, now_us, note)])
            return None
        assert isinstance(answer, Payout)
        if (answer.amount_minor, answer.currency) != (its.amount_minor, its.currency):
            raise NeedsPerson(f"{answer.payout_id} is not of the amount that was asked for")
        await connection.execute(
            _SENT,
            its.payout_no,
            answer.payout_id,
            answer.transaction_id,
            answer.arrives_at_us,
            now_us,
        )
        await want(connection, [_look(its, answer)], now_us)
        again = _about(its, 2, answer.made_at_us, _names(answer.transaction_id, answer.payout_id))
        # The second first: what the bank has may be spent, and never is less for a moment.
        undone = reversal(first, now_us, "booked again under Stripe's names")
        await post(connection, [payout(again, its.amount_minor), undone])
        return None


class ReadPayout:
    """Has it arrived? Looked at until nothing comes back any more."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider

    async def call(self, op: Operation) -> Payout:
        """See `operations.Handler`."""
        return await self._provider.payout(StripeId(op.arguments["payout_id"]))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if not isinstance(answer, Payout):
            raise NeedsPerson(f"{op.arguments['payout_id']} cannot be read: {answer}")
        its = await _hold(connection, op.arguments["payout_no"])
        its = await keep_payout(connection, its, answer, now_us)
        over = its.state is PayoutState.PAID and now_us >= answer.arrives_at_us + MAY_FAIL_US
        return None if over or its.state is PayoutState.RETURNED else Again(now_us + LOOK_US)


class PayoutReader:
    """Reads a payout of ours again when Stripe says that something became of it."""

    async def settle(
        self, connection: AnyConnection, event: Event, found: object, now_us: int
    ) -> bool:
        """See `webhook_inbox.Reader`. Connected accounts' own payouts are none of ours."""
        if event.account_id is not None or not isinstance(found, Payout):
            return True
        number = await connection.fetchval(_BY_PAYOUT, found.payout_id)
        if number is None:
            if found.automatic:
                if await _is_booked(connection, found):
                    return True
                raise NeedsPerson(
                    f"Stripe has paid out {found.amount_minor} {found.currency} by itself "
                    f"({found.payout_id}): set its schedule to manual and book it"
                )
            return False
        await keep_payout(connection, await _hold(connection, number), found, now_us)
        return True


async def keep_payout(
    connection: AnyConnection, its: PlatformPayout, found: Payout, now_us: int
) -> PlatformPayout:
    """Write what became of a payout that is held; one that came back is booked back."""
    if its.state not in (PayoutState.SENT, PayoutState.PAID):
        return its
    if found.status in ("failed", "canceled"):
        note = found.failure_code or found.status
        back_id = found.failed_transaction_id
        await connection.execute(_STATE, its.payout_no, PayoutState.RETURNED, note, now_us, back_id)
        about = _about(its, 1, now_us, _names(back_id, found.payout_id))
        await post(connection, [payout_returned(about, its.amount_minor)])
    elif found.status == "paid" and its.state is PayoutState.SENT:
        await connection.execute(_STATE, its.payout_no, PayoutState.PAID, "", now_us, None)
    return await _hold(connection, its.payout_no)


async def _is_booked(connection: AnyConnection, found: Payout) -> bool:
    """Whether people have booked it, under Stripe's names."""
    names = (found.payout_id, found.transaction_id)
    return any([await keys_of_stripe(connection, name) for name in names if name is not None])


async def _covers(connection: AnyConnection, currency: str, batch_id: int | None) -> int:
    """What a bank file that waits for its release needs."""
    if batch_id is None:
        return 0
    batch = (await read_batch(connection, batch_id)).batch
    if batch.currency != currency or batch.state is not BatchState.MADE:
        raise PayoutRefused(PayoutRefusal.NOT_NOW)
    return batch.total_minor


async def _ask(
    connection: AnyConnection,
    staff: Actor,
    currency: str,
    amount_minor: int,
    batch_id: int | None,
    now_us: int,
) -> PlatformPayout:
    covers_minor = min(amount_minor, await _covers(connection, currency, batch_id))
    asked_by = staff.person_id
    number: int = await connection.fetchval(
        _ADD, currency, amount_minor, covers_minor, batch_id, now_us, asked_by
    )
    its = await _hold(connection, number)
    arguments = {"payout_no": number, "amount_minor": amount_minor, "currency": currency}
    wanted = Wanted(operation=PAY_BANK, subject=_subject(its), arguments=arguments)
    await want(connection, [wanted], now_us)
    await record(
        connection,
        Act.PLATFORM_PAYOUT_ASKED,
        staff,
        now_us,
        object_id=str(number),
        amount_minor=amount_minor,
        currency=currency,
    )
    await book_payout(connection, _about(its, 1, now_us), amount_minor, covers_minor)
    return its


def _look(its: PlatformPayout, made: Payout) -> Wanted:
    return Wanted(
        operation=READ_PAYOUT,
        subject=_subject(its),
        due_at_us=made.arrives_at_us,
        arguments={"payout_no": its.payout_no, "payout_id": made.payout_id},
    )


def _booked(its: PlatformPayout) -> Entry:
    """The entry that was booked when it was asked for."""
    return payout(_about(its, 1, its.asked_at_us), its.amount_minor)


def _about(
    its: PlatformPayout, generation: int, at_us: int, stripe_ids: tuple[StripeId, ...] = ()
) -> About:
    return About(
        subject=_subject(its),
        generation=generation,
        at_us=at_us,
        currency=its.currency,
        stripe_ids=stripe_ids,
    )


def _subject(its: PlatformPayout) -> str:
    return f"P{its.payout_no}"


def _names(*stripe_ids: StripeId | None) -> tuple[StripeId, ...]:
    return tuple(each for each in stripe_ids if each is not None)


async def _hold(connection: AnyConnection, number: int) -> PlatformPayout:
    row = await connection.fetchrow(_HOLD, number)
    assert row is not None, "a payout is written before it is sent"
    return _row(row)


def _row(row: asyncpg.Record) -> PlatformPayout:
    fields = {name: row[name] for name in PlatformPayout.__struct_fields__}
    return PlatformPayout(**(fields | {"state": PayoutState(row["state"])}))
