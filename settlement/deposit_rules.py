"""What follows for a deposit from what is asked, and from what the payment provider shows. Pure.

Each rule takes the deposit as it is held and returns it as it is to be, with what is to be done,
booked and counted. What comes twice or too late changes nothing. A payment that nobody waits for
any more is cancelled wherever it turns up, so that no second promise stays on the card.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from auction.ids import BidderId, SaleId
from settlement.deposit_life import (
    DEPOSIT_LIFE,
    STANDS,
    Deposit,
    DepositState,
    TakenFor,
    Wish,
    deposit_subject,
)
from settlement.entries import About, Entry
from settlement.ids import StripeId
from settlement.operations import NeedsPerson
from settlement.payment_objects import IntentStatus, Payment, Refund
from settlement.postings import bank_funding, processing_fee
from settlement.postings_house import credit_refunded, deposit_forfeited
from settlement.steps import Wanted

_D = DepositState
_I = IntentStatus


class Decided(Struct, frozen=True, kw_only=True):
    """A deposit as it is to be, and what goes with it. ``booked``: entries of the ledger."""

    deposit: Deposit
    operations: Sequence[Wanted] = ()
    booked: Sequence[Entry] = ()

    def __add__(self, other: "Decided") -> "Decided":
        return Decided(
            deposit=other.deposit,
            operations=(*self.operations, *other.operations),
            booked=(*self.booked, *other.booked),
        )


class AskFor(Struct, frozen=True, kw_only=True):
    """A deposit that a registration needs."""

    sale_id: SaleId
    buyer_id: BidderId
    amount_minor: int
    currency: str
    method_id: StripeId
    return_url: str


def asked(before: Deposit | None, wanted: AskFor, now_us: int) -> Decided | None:
    """A deposit is asked for; ``None``: one stands, or is on its way."""
    tries, moves = 1, 0
    if before is not None:
        if not DEPOSIT_LIFE.allows(before.state, _D.ASKED) or before.state is _D.RENEWING:
            return None
        tries, moves = before.tries + 1, before.moves
    deposit = Deposit(
        sale_id=wanted.sale_id,
        buyer_id=wanted.buyer_id,
        amount_minor=wanted.amount_minor,
        currency=wanted.currency,
        state=_D.ASKED,
        method_id=wanted.method_id,
        return_url=wanted.return_url,
        tries=tries,
        moves=moves,
        asked_at_us=now_us,
        changed_at_us=now_us,
    )
    watch = Wanted(operation="deposit_watch", subject=deposit.subject, generation=tries)
    return Decided(deposit=deposit, operations=(_create(deposit), watch))


def created(deposit: Deposit, number: int, payment: Payment) -> Decided:
    """The payment of a try exists."""
    known = deposit
    if number == deposit.tries and deposit.state in (_D.ASKED, _D.RENEWING, _D.RELEASING):
        known = structs.replace(deposit, payment_id=payment.payment_id)
    if number != deposit.tries or deposit.state not in (_D.ASKED, _D.RENEWING):
        return Decided(deposit=known, operations=(_cancel(known, number, payment.payment_id),))
    confirm = _op(
        known,
        "deposit_confirm",
        payment_id=payment.payment_id,
        method_id=known.method_id,
        # The buyer is there when it registers; a renewal finds nobody.
        return_url=None if known.state is _D.RENEWING else known.return_url,
    )
    return Decided(deposit=known, operations=(confirm,))


def not_created(deposit: Deposit, number: int, code: str) -> Decided:
    """The provider refused to make a payment at all."""
    if number == deposit.tries and deposit.state is _D.RELEASING and deposit.held_try is None:
        return _released(deposit)
    if number != deposit.tries or deposit.state not in (_D.ASKED, _D.RENEWING):
        return Decided(deposit=deposit)
    return _declined(deposit, code)


def shown(deposit: Deposit, payment: Payment, margin_us: int, now_us: int) -> Decided:
    """What one of its payments looks like now, with its charge, whoever asked: our own call, or an
    event."""
    if payment.payment_id == deposit.held_payment_id:
        return _held_shown(deposit, payment, now_us)
    if payment.payment_id == deposit.payment_id and deposit.state in (
        _D.ASKED, _D.ACTION_REQUIRED, _D.RENEWING,
    ):  # fmt: skip
        return _newest_shown(deposit, payment, margin_us, now_us)
    if payment.payment_id == deposit.payment_id and deposit.state is _D.RELEASING:
        ended = payment.status is _I.CANCELED and deposit.held_try is None
        return _released(deposit) if ended else Decided(deposit=deposit)
    return Decided(deposit=deposit)


def declined(deposit: Deposit, payment_id: StripeId, code: str) -> Decided:
    """The payer's bank said no to our own call."""
    waits = deposit.state in (_D.ASKED, _D.ACTION_REQUIRED, _D.RENEWING)
    if payment_id != deposit.payment_id or not waits:
        return Decided(deposit=deposit)
    return _declined(deposit, code)


def renewal_due(deposit: Deposit, number: int) -> Decided:
    """A promise ends soon."""
    if deposit.state is not _D.HELD or deposit.held_try != number:
        return Decided(deposit=deposit)
    again = _moved(deposit, _D.RENEWING, tries=deposit.tries + 1, payment_id=None)
    return Decided(deposit=again, operations=(_create(again),))


def charged_back(deposit: Deposit, charge_id: StripeId) -> Decided:
    """The buyer's bank took it back for good. What was kept of it, or is going back, stays so: a
    person says who bears it."""
    if deposit.state is not _D.TAKEN or deposit.charge_id != charge_id:
        return Decided(deposit=deposit)
    return Decided(deposit=_without_promise(deposit, _D.LOST, taken_minor=0, counted=None))


def released(deposit: Deposit) -> Decided:
    """Nobody needs it any more: it goes back to the buyer."""
    match deposit.state:
        case _D.ASKED | _D.ACTION_REQUIRED | _D.HELD | _D.RENEWING:
            freed = _moved(deposit, _D.RELEASING)
            return Decided(deposit=freed, operations=_cancel_all(deposit))
        case _D.TAKING:
            if TakenFor.FORFEIT is deposit.taking_for or Wish.FORFEIT is deposit.wish:
                return Decided(deposit=deposit)
            return Decided(deposit=structs.replace(deposit, wish=Wish.RELEASE))
        case _D.TAKEN:
            return _returning(deposit)
        case _:
            return Decided(deposit=deposit)


def forfeited(deposit: Deposit, amount_minor: int, now_us: int) -> Decided:
    """The buyer did not pay: up to this much of it is kept."""
    amount = min(amount_minor, deposit.amount_minor)
    match deposit.state:
        case _D.HELD | _D.RENEWING:
            newest = () if deposit.state is _D.HELD else _cancel_newest(deposit)
            taking = _taking(deposit, amount, TakenFor.FORFEIT)
            return Decided(deposit=taking.deposit, operations=(*newest, *taking.operations))
        case _D.TAKING if deposit.taking_for is TakenFor.CHARGE:
            wished = structs.replace(deposit, wish=Wish.FORFEIT, wished_minor=amount)
            return Decided(deposit=wished)
        case _D.TAKEN:
            return _kept_of_taken(deposit, amount, now_us)
        case _D.ASKED | _D.ACTION_REQUIRED:
            return released(deposit)
        case _:
            return Decided(deposit=deposit)


def gone_back(deposit: Deposit, refund: Refund, now_us: int) -> Decided:
    """What was taken is refunded, or the rest of it."""
    if deposit.state is not _D.RETURNING:
        return Decided(deposit=deposit)
    rest_minor = deposit.taken_minor - deposit.forfeited_minor
    if refund.amount_minor != rest_minor:
        raise NeedsPerson(f"{refund.refund_id} is of {refund.amount_minor}, not of {rest_minor}")
    end = _D.FORFEITED if deposit.forfeited_minor else _D.RELEASED
    done = _moved(deposit, end, counted=None, moves=deposit.moves + 1)
    about = _about(done, now_us, refund.refund_id, refund.transaction_id, refund.charge_id)
    entry = credit_refunded(about, BidderId(deposit.subject), refund.amount_minor)
    return Decided(deposit=done, booked=(entry,))


def _newest_shown(deposit: Deposit, payment: Payment, margin_us: int, now_us: int) -> Decided:
    match payment.status:
        case _I.REQUIRES_CAPTURE:
            return _promised(deposit, payment, margin_us, now_us)
        case _I.REQUIRES_ACTION if deposit.state is _D.ASKED:
            return Decided(deposit=_moved(deposit, _D.ACTION_REQUIRED))
        case _I.REQUIRES_PAYMENT_METHOD if payment.failure is not None:
            return _declined(deposit, payment.failure.decline_code or payment.failure.code)
        case _I.CANCELED:
            return _declined(deposit, payment.cancellation_reason or "canceled")
        case _I.SUCCEEDED:
            raise NeedsPerson(f"{payment.payment_id} was captured, which nobody asked for")
        case _:
            return Decided(deposit=deposit)


def _promised(deposit: Deposit, payment: Payment, margin_us: int, now_us: int) -> Decided:
    charge = payment.charge
    if (payment.capturable_minor, payment.currency) != (deposit.amount_minor, deposit.currency):
        raise NeedsPerson(
            f"{payment.payment_id} holds {payment.capturable_minor} {payment.currency}, "
            f"not {deposit.amount_minor} {deposit.currency}"
        )
    if charge is None or charge.capture_before_us is None:
        raise NeedsPerson(f"{payment.payment_id} does not say when its promise ends")
    old: tuple[Wanted, ...] = ()
    if deposit.held_try is not None and deposit.held_payment_id is not None:
        old = (_cancel(deposit, deposit.held_try, deposit.held_payment_id),)
    held = _moved(
        deposit,
        _D.HELD,
        held_try=deposit.tries,
        held_payment_id=payment.payment_id,
        charge_id=charge.charge_id,
        capture_before_us=charge.capture_before_us,
        counted=deposit.counted or deposit.tries,
        declined=None,
    )
    renew = _op(held, "deposit_renew", due_at_us=max(now_us, charge.capture_before_us - margin_us))
    return Decided(deposit=held, operations=(*old, renew))


def _declined(deposit: Deposit, code: str) -> Decided:
    """The newest try comes to nothing."""
    cancel = _cancel_newest(deposit)
    if deposit.state is not _D.RENEWING:
        return Decided(deposit=_moved(deposit, _D.DECLINED, declined=code), operations=cancel)
    noted = structs.replace(deposit, declined=code)
    taking = _taking(noted, deposit.amount_minor, TakenFor.CHARGE)
    return Decided(deposit=taking.deposit, operations=(*cancel, *taking.operations))


def _held_shown(deposit: Deposit, payment: Payment, now_us: int) -> Decided:
    match payment.status, deposit.state:
        case _I.CANCELED, _D.RELEASING:
            return _released(deposit)
        case _I.CANCELED, _D.HELD | _D.TAKING:
            return Decided(deposit=_without_promise(deposit, _D.LOST, counted=None))
        case _I.CANCELED, _D.RENEWING:
            return Decided(deposit=_without_promise(deposit, _D.ASKED, counted=None))
        case _I.SUCCEEDED, _D.TAKING:
            return _taken(deposit, payment, now_us)
        case _I.SUCCEEDED, state if state in STANDS - {_D.TAKEN} or state is _D.RELEASING:
            raise NeedsPerson(f"{payment.payment_id} was captured, which nobody asked for")
        case _:
            return Decided(deposit=deposit)


def _released(deposit: Deposit) -> Decided:
    return Decided(deposit=_without_promise(deposit, _D.RELEASED, counted=None))


def _without_promise(deposit: Deposit, state: DepositState, **changes: Any) -> Deposit:
    return _moved(
        deposit, state, held_try=None, held_payment_id=None, capture_before_us=None,
        taking_minor=0, taking_for=None, wish=None, wished_minor=0, **changes,
    )  # fmt: skip


def _taking(deposit: Deposit, amount_minor: int, why: TakenFor) -> Decided:
    taking = _moved(deposit, _D.TAKING, taking_minor=amount_minor, taking_for=why)
    assert deposit.held_try is not None, "a promise stands"
    take = _op(
        taking,
        "deposit_take",
        generation=deposit.held_try,
        payment_id=deposit.held_payment_id,
        amount_minor=amount_minor,
    )
    return Decided(deposit=taking, operations=(take,))


def _taken(deposit: Deposit, payment: Payment, now_us: int) -> Decided:
    amount, charge = payment.received_minor, payment.charge
    if amount != deposit.taking_minor or charge is None or charge.transaction is None:
        raise NeedsPerson(f"{payment.payment_id} brought {amount}, not {deposit.taking_minor}")
    row = charge.transaction
    moves = deposit.moves + 1
    about = _about(
        structs.replace(deposit, moves=moves), now_us, row.transaction_id, charge.charge_id,
        payment.payment_id,
    )  # fmt: skip
    fee = (processing_fee(about, row.fee_minor),) if row.fee_minor else ()
    if deposit.taking_for is TakenFor.FORFEIT:
        done = _moved(
            deposit, _D.FORFEITED, taken_minor=amount, forfeited_minor=amount, moves=moves,
            counted=None,
        )  # fmt: skip
        return Decided(deposit=done, booked=(deposit_forfeited(about, amount), *fee))
    credit = bank_funding(about, BidderId(deposit.subject), amount)
    taken = _moved(
        deposit, _D.TAKEN, taken_minor=amount, moves=moves, taking_minor=0, taking_for=None,
        wish=None, wished_minor=0,
    )  # fmt: skip
    step = Decided(deposit=taken, booked=(credit, *fee))
    if deposit.wish is Wish.RELEASE:
        return step + _returning(taken)
    if deposit.wish is Wish.FORFEIT:
        return step + _kept_of_taken(taken, deposit.wished_minor, now_us)
    return step


def _kept_of_taken(deposit: Deposit, amount_minor: int, now_us: int) -> Decided:
    """The rest goes back."""
    amount, moves = min(amount_minor, deposit.taken_minor), deposit.moves + 1
    noted = structs.replace(deposit, forfeited_minor=amount, moves=moves, counted=None)
    entry = deposit_forfeited(_about(noted, now_us), amount, source=deposit.purse)
    kept = Decided(deposit=noted, booked=(entry,))
    if amount < deposit.taken_minor:
        return kept + _returning(noted)
    return kept + Decided(deposit=_moved(noted, _D.FORFEITED))


def _returning(deposit: Deposit) -> Decided:
    going = _moved(deposit, _D.RETURNING)
    back = _op(
        going,
        "deposit_return",
        generation=deposit.moves,
        charge_id=deposit.charge_id,
        amount_minor=deposit.taken_minor - deposit.forfeited_minor,
        currency=deposit.currency,
    )
    return Decided(deposit=going, operations=(back,))


def _cancel_all(deposit: Deposit) -> tuple[Wanted, ...]:
    newest = _cancel_newest(deposit) if deposit.payment_id != deposit.held_payment_id else ()
    if deposit.held_try is None or deposit.held_payment_id is None:
        return newest
    return (*newest, _cancel(deposit, deposit.held_try, deposit.held_payment_id))


def _cancel_newest(deposit: Deposit) -> tuple[Wanted, ...]:
    """One that is not known yet is cancelled when it is."""
    if deposit.payment_id is None:
        return ()
    return (_cancel(deposit, deposit.tries, deposit.payment_id),)


def _create(deposit: Deposit) -> Wanted:
    return _op(
        deposit, "deposit_create", amount_minor=deposit.amount_minor, currency=deposit.currency
    )


def _cancel(deposit: Deposit, number: int, payment_id: StripeId) -> Wanted:
    return _op(deposit, "deposit_cancel", generation=number, payment_id=payment_id)


def _op(
    deposit: Deposit,
    operation: str,
    *,
    generation: int | None = None,
    due_at_us: int | None = None,
    **arguments: Any,
) -> Wanted:
    return Wanted(
        operation=operation,
        subject=deposit.subject,
        generation=deposit.tries if generation is None else generation,
        due_at_us=due_at_us,
        arguments=arguments,
    )


def _moved(deposit: Deposit, state: DepositState, **changes: Any) -> Deposit:
    DEPOSIT_LIFE.move(deposit.state, state)
    return structs.replace(deposit, state=state, **changes)


def _about(deposit: Deposit, now_us: int, *stripe_ids: StripeId | None) -> About:
    return About(
        subject=deposit_subject(deposit.sale_id, deposit.buyer_id),
        generation=deposit.moves,
        at_us=now_us,
        currency=deposit.currency,
        sale_id=deposit.sale_id,
        buyer_id=deposit.buyer_id,
        stripe_ids=tuple(one for one in stripe_ids if one),
    )
