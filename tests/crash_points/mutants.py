"""Bugs planted on purpose: each is a way in which settlements have lost money before.

A checker that does not find them is no checker. Each is a block in which the product is wrong in
one place, and is undone at its end; with it go the scenes that have to find it.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    suppress,
)
from contextvars import ContextVar
from typing import Any, Final
from unittest.mock import patch

from msgspec import Struct, structs

import settlement.accepting
import settlement.claiming.figures
import settlement.payments.decisions_card
import settlement.payments.decisions_dispute
import settlement.payments.decisions_end
import settlement.payments.decisions_refund
import settlement.payments.funding
import settlement.payments.handlers_bank
import settlement.payments.handlers_dispute
import settlement.payments.handlers_refund
import settlement.payments.sweep
import settlement.payouts.closing
import settlement.payouts.deciding
import settlement.payouts.platform
import settlement.releasing
import settlement.steps
import settlement.stripe_gateway.connection
import settlement.worker
from foundation.database import transaction
from settlement.claims import credit_of
from settlement.due import accepted_us
from settlement.entries import Entry
from settlement.ids import StripeId
from settlement.invoices import Funding
from settlement.ledger import LedgerRefused, post
from settlement.lives import AwardState, PaymentState
from settlement.operations import Operation, Refused, Unknown, end
from settlement.payment_objects import CashMovement, MethodKind
from settlement.payments.arrivals import taken_note_of
from settlement.payments.decisions_refund import Part, entry_of, gone
from settlement.payments.handlers_card import Capture
from settlement.payments.moves import moved, void_wanted
from settlement.payments.readers import CashReader
from settlement.payments.words import Decided
from settlement.payouts.transfers import TransferOut
from settlement.policy import Commission
from settlement.postings import bank_funding
from settlement.postings_house import payout
from settlement.releases import HeldBack, keeps_from_release, keeps_from_sending
from settlement.steps import Step, Wanted
from settlement.stripe_gateway import StripeGateway
from settlement.webhook_inbox import MissedEvents, WebhookHandler
from settlement.worker import Worker
from tests.crash_points.course import Paid
from tests.crash_points.drawn import TURNS
from tests.crash_points.life import EVERY, play
from tests.crash_points.mutants_back import (
    a_lost_dispute_leaves_its_lots_paid,
    a_lost_refund_is_made_anew,
    a_lost_reversal_is_made_anew,
    a_seller_bears_what_nobody_said,
    what_came_back_stays_sent,
)
from tests.crash_points.tables import Tables
from tests.crash_points.world import Mortal, Restless, house, world

Mutated = AbstractContextManager[object]
Mutant = Callable[[], Mutated]

_A, _P = AwardState, PaymentState
_cards = settlement.payments.decisions_card
_refunds = settlement.payments.decisions_refund
_disputes = settlement.payments.decisions_dispute
_ends = settlement.payments.decisions_end
_funding = settlement.payments.funding


# --- One effect, whatever is lost ---------------------------------------------------------------


def a_lost_capture_is_made_anew() -> AbstractContextManager[object]:
    """A capture whose answer was lost is followed by a payment of its own: two for one invoice."""
    call = Capture.call

    async def anew(self: Capture, op: Operation) -> object:
        if op.claims == 1:
            return await call(self, op)
        first = await self._provider.payment(StripeId(op.arguments["payment_id"]))
        assert first.customer_id is not None and first.method_id is not None
        key, minor = f"{op.idempotency_key}:anew", op.arguments["amount_minor"]
        made = await self._provider.create_payment(
            f"{key}:1",
            amount_minor=minor,
            currency=first.currency,
            customer_id=first.customer_id,
            kind=MethodKind.CARD,
        )
        await self._provider.confirm_payment(f"{key}:2", made.payment_id, method_id=first.method_id)
        await self._provider.capture_payment(f"{key}:3", made.payment_id, amount_minor=minor)
        return await call(self, op)

    return patch.object(Capture, "call", anew)


def the_key_is_made_from_the_amount() -> AbstractContextManager[object]:
    """Transfers of the same amount have the same idempotency key."""
    transfer = StripeGateway.transfer

    async def by_amount(self: StripeGateway, key: str, **asked: Any) -> Any:
        return await transfer(self, f"transfer:{asked['amount_minor']}", **asked)

    return patch.object(StripeGateway, "transfer", by_amount)


@contextmanager
def every_attempt_has_a_key_of_its_own() -> Iterator[None]:
    """The idempotency key is made up when the call is made, and lost with its answer."""
    with ExitStack() as patches:
        for name in ("transfer", "refund", "create_payment"):
            patches.enter_context(patch.object(StripeGateway, name, _newly_keyed(name)))
        yield


def _newly_keyed(name: str) -> Callable[..., Any]:
    call = getattr(StripeGateway, name)

    async def keyed(self: StripeGateway, key: str, **asked: Any) -> Any:
        return await call(self, f"{key}:{uuid.uuid4()}", **asked)

    return keyed


def a_transfer_is_sent_again_after_a_day() -> AbstractContextManager[object]:
    """Nobody looks for a transfer whose key Stripe has forgotten."""
    call = TransferOut.call

    async def blindly(self: TransferOut, op: Operation) -> Any:
        return await call(self, structs.replace(op, attempts=1, first_sent_at_us=self._now_us()))

    return patch.object(TransferOut, "call", blindly)


def what_is_lost_counts_as_refused() -> AbstractContextManager[object]:
    """A call without an answer is taken for one that took no effect."""
    return _translated(Unknown, lambda error: Refused("no_answer", str(error)))


def what_is_refused_counts_as_lost() -> AbstractContextManager[object]:
    """A definite no is asked for again and again, under the same key."""
    return _translated(Refused, lambda error: Unknown(str(error)))


def _translated(kind: type[Exception], to: Callable[[Exception], Exception]) -> Mutated:
    connection = settlement.stripe_gateway.connection
    translated = connection.translated

    def wrongly(error: Any) -> Exception:
        found = translated(error)
        return to(found) if type(found) is kind else found

    return patch.object(connection, "translated", wrongly)


# --- One transaction ----------------------------------------------------------------------------


def the_end_is_written_before_the_state() -> AbstractContextManager[object]:
    """An operation is done in a transaction of its own, and what follows is written in the next."""

    async def do(self: Worker, op: Operation) -> None:
        handler = self._handlers[op.operation]
        try:
            try:
                answer = await handler.call(op)
            except Refused as refused:
                answer = refused
            async with transaction(self._pool) as connection:
                await end(connection, op, None, self._now_us())
            async with transaction(self._pool) as connection:
                again = await handler.settle(connection, op, answer, self._now_us())
                if again is not None:
                    await connection.execute(
                        "update settlement_op set state = 'WAITING' where op_id = $1", op.op_id
                    )
                    await end(connection, op, again, self._now_us())
        except settlement.worker._PASSING as error:
            await self._note(op, error, held=False)
        except Exception as error:  # noqa: BLE001 - as the worker does
            await self._note(op, error, held=True)

    return patch.object(Worker, "_do", do)


_later: ContextVar[list[Entry] | None] = ContextVar("_later", default=None)


@contextmanager
def the_books_are_written_after_the_step() -> Iterator[None]:
    """Entries are booked in a transaction of their own, once the state is there."""
    do = Worker._do

    async def booked_later(connection: Any, entries: Any) -> Any:
        waiting = _later.get()
        if waiting is None:
            return await post(connection, entries)
        waiting += entries
        return []

    async def then_books(self: Worker, op: Operation) -> None:
        waiting: list[Entry] = []
        _later.set(waiting)
        await do(self, op)
        if waiting:
            with suppress(LedgerRefused):  # whoever does so hears of nothing
                async with transaction(self._pool) as connection:
                    await post(connection, waiting)

    with (
        patch.object(settlement.steps, "post", booked_later),
        patch.object(Worker, "_do", then_books),
    ):
        yield


def a_lease_is_not_checked() -> AbstractContextManager[object]:
    """Who slept beyond its lease writes what it had in mind."""

    async def always(connection: Any, op: Operation) -> bool:
        return True

    return patch.object(settlement.worker, "still_ours", always)


# --- What Stripe tells --------------------------------------------------------------------------


def a_webhook_that_comes_too_early_is_dropped() -> AbstractContextManager[object]:
    """What is told of an object before our own row exists is forgotten."""
    settle = WebhookHandler.settle

    async def once(self: WebhookHandler, *arguments: Any) -> None:
        await settle(self, *arguments)

    return patch.object(WebhookHandler, "settle", once)


@contextmanager
def a_webhook_that_comes_twice_is_booked_twice() -> Iterator[None]:
    """Each event of a dispute books what it took, under the event's own name."""
    seen, about = _disputes.dispute_seen, _disputes._about
    numbers = itertools.count(1)

    def as_new(held: Any, facts: Any, given: Any, now_us: int) -> Any:
        return seen(held, facts, structs.replace(given, before=None), now_us)

    def named(row: Any, dispute: Any, subject: str, *more: Any) -> Any:
        return about(row, dispute, f"{subject}:{next(numbers)}", *more)

    with (
        patch.object(settlement.payments.handlers_dispute, "dispute_seen", as_new),
        patch.object(_disputes, "_about", named),
    ):
        yield


def an_event_is_trusted() -> AbstractContextManager[object]:
    """What is in a cash balance when an event comes is taken for what has just arrived."""

    async def trusting(
        self: CashReader, connection: Any, event: Any, found: Any, now_us: int
    ) -> bool:
        buyer_id = await self._payers.buyer_of(connection, found.customer_id)
        minor = found.available_minor.get("USD", 0)
        if buyer_id is None or not minor:
            return buyer_id is not None
        movement = CashMovement(
            movement_id=event.event_id,
            customer_id=found.customer_id,
            kind="funded",
            net_minor=minor,
            ending_minor=minor,
            currency="USD",
            payment_id=None,
            reference=None,
            sender=None,
            made_at_us=event.made_at_us,
        )
        await taken_note_of(connection, [movement], buyer_id, now_us)
        return True

    return patch.object(CashReader, "settle", trusting)


@contextmanager
def what_was_not_heard_is_never_looked_for() -> Iterator[None]:
    """No sweep finds what was told to nobody."""

    async def nothing(*_: Any) -> list[Wanted]:
        return []

    async def no_event(self: MissedEvents, since_us: int, before_us: int) -> list[Any]:
        return []

    with (
        patch.object(settlement.payments.sweep, "found", nothing),
        patch.object(MissedEvents, "_listed", no_event),
    ):
        yield


# --- Money that comes ---------------------------------------------------------------------------


def a_fee_is_not_booked() -> AbstractContextManager[object]:
    """What Stripe keeps of a payment is in no books."""
    taken_in = _funding._taken_in

    def free(row: Any, taken: Any, *more: Any) -> Any:
        return taken_in(row, structs.replace(taken, fee_minor=0), *more)

    return patch.object(_funding, "_taken_in", free)


def a_part_pays_for_all() -> AbstractContextManager[object]:
    """Whatever comes funds every lot."""

    def every(lines: Any, available_minor: int, *, already: Any, **_: Any) -> Funding:
        names = tuple(line.award_id for line in lines if line.award_id not in set(already))
        return Funding(funded=names, towards=None, towards_minor=0, over_minor=0)

    return patch.object(_funding, "funding_of", every)


def what_is_over_is_lost() -> AbstractContextManager[object]:
    """Of a transfer no more is booked than the lots cost."""

    def exactly(about: Any, buyer_id: Any, received_minor: int, awards: Any) -> Any:
        minor = sum(money.total_minor for money in awards) or received_minor
        return bank_funding(about, buyer_id, minor, awards)

    return patch.object(_funding, "bank_funding", exactly)


def late_money_is_dropped() -> AbstractContextManager[object]:
    """A transfer for which nothing is open any more is in no books."""

    async def nothing(*_: Any) -> None:
        pass

    return patch.object(settlement.payments.handlers_bank, "_for_nothing", nothing)


@contextmanager
def lots_are_void_while_a_payment_is_open() -> Iterator[None]:
    """The time is over, and nobody ends at Stripe what the buyer may still confirm."""
    void = _ends.void

    def expired(held: Any, facts: Any, tried: Any, now_us: int) -> Decided:
        return moved(held, _P.OVERDUE, Step(operations=[void_wanted(held, facts)]))

    def without_tries(held: Any, facts: Any, *more: Any) -> Decided:
        return void(held, structs.replace(facts, tries=()), *more)

    with (
        patch.object(_cards, "action_expired", expired),
        patch.object(_ends, "void", without_tries),
    ):
        yield


def a_promise_that_ended_counts_as_money() -> AbstractContextManager[object]:
    """An authorisation that expired is taken for a capture."""

    def paid(held: Any, facts: Any, tried: Any, now_us: int) -> Decided:
        names = list(held.awards)
        told = [Wanted(operation="fund", subject=name) for name in names]
        return moved(held, _P.PAID, Step(awards=dict.fromkeys(names, _A.FUNDED), operations=told))

    return patch.object(_cards, "_asked_again", paid)


def the_engine_is_not_told() -> AbstractContextManager[object]:
    """A paid lot goes on weighing on its buyer's limit."""
    paid = _funding._paid

    def silent(*arguments: Any) -> Any:
        found = paid(*arguments)
        return structs.replace(found, step=structs.replace(found.step, operations=()))

    return patch.object(_funding, "_paid", silent)


# --- Money that goes back -----------------------------------------------------------------------


@contextmanager
def more_goes_back_than_is_left() -> Iterator[None]:
    """A refund is compared with the whole line, whatever was given back before."""

    def whole(line: Any, credited: Any) -> Any:
        return line.money

    with (
        patch.object(_refunds, "left_of", whole),
        patch.object(_refunds, "_is_there", lambda *_: None),
    ):
        yield


@contextmanager
def a_refund_is_booked_before_the_answer() -> Iterator[None]:
    """What is asked of Stripe is in the books as if Stripe had done it."""
    handlers = settlement.payments.handlers_refund
    asked_of_charges, sent = handlers._asked, handlers._sent

    def at_once(
        held: Any, facts: Any, asked: Any, parts: list[Part], key: str, now_us: int
    ) -> Decided:
        decided = asked_of_charges(held, facts, asked, parts, key, now_us)
        more = [
            gone(
                held, facts, part,
                entry_of(
                    held.invoiced, asked.reason, part, after_release=False, subject=key,
                    at_us=now_us,
                ),
            )
            for part in parts
            if part.charge is not None
        ]  # fmt: skip
        return decided + Decided(steps=more)

    async def without_entry(*arguments: Any) -> None:
        with patch.object(handlers, "gone", lambda *_: Step()):
            await sent(*arguments)

    with (
        patch.object(handlers, "_asked", at_once),
        patch.object(handlers, "_sent", without_entry),
    ):
        yield


def a_claim_keeps_the_tax() -> AbstractContextManager[object]:
    """Of a claim the price and the premium go back, the tax on them does not."""

    def untaxed(*arguments: Any) -> Any:
        return structs.replace(credit_of(*arguments), tax_minor=0)

    return patch.object(settlement.claiming.figures, "credit_of", untaxed)


def a_dispute_costs_nothing() -> AbstractContextManager[object]:
    """The fee of a dispute is in no books."""
    return patch.object(_disputes, "fee_of", lambda dispute: 0)


# --- Money that is held, and goes out -----------------------------------------------------------


@contextmanager
def a_dispute_keeps_nothing_back() -> Iterator[None]:
    """What the buyer's bank has taken back is released and sent."""
    releasing, closing = settlement.releasing, settlement.payouts.closing

    def in_peace(payment: PaymentState) -> PaymentState:
        return _P.PAID if payment is _P.DISPUTED else payment

    def to_release(award: AwardState, payment: PaymentState) -> HeldBack | None:
        return keeps_from_release(award, in_peace(payment))

    def to_send(policy: Any, award: Any, payment: PaymentState, *more: Any) -> HeldBack | None:
        return keeps_from_sending(policy, award, in_peace(payment), *more)

    with (
        patch.object(releasing, "keeps_from_release", to_release),
        patch.object(closing, "keeps_from_sending", to_send),
    ):
        yield


def money_is_released_at_the_dock() -> AbstractContextManager[object]:
    """Goods count as accepted when they are handed over."""

    def at_once(*arguments: Any, handed_over_at_us: int | None, **more: Any) -> int | None:
        if handed_over_at_us is not None:
            return handed_over_at_us
        return accepted_us(*arguments, handed_over_at_us=None, **more)

    return patch.object(settlement.accepting, "accepted_us", at_once)


def what_a_seller_owes_is_forgotten() -> AbstractContextManager[object]:
    """A transfer is of all that is owed, whatever the seller owes itself."""

    async def nothing(*_: Any) -> int:
        return 0

    return patch.object(settlement.payouts.deciding, "receivable_minor", nothing)


def a_changed_account_is_paid_at_once() -> AbstractContextManager[object]:
    """Who took over a seller's account gets its money before anybody notices."""
    closing = settlement.payouts.closing

    def unfrozen(policy: Any, award: Any, payment: Any, changed_us: Any, now_us: int) -> Any:
        changed_us = changed_us and 0
        return keeps_from_sending(policy, award, payment, changed_us, now_us)

    return patch.object(closing, "keeps_from_sending", unfrozen)


def the_house_takes_what_is_held() -> AbstractContextManager[object]:
    """A payout to the house is not compared with what is owed."""

    async def book(connection: Any, about: Any, amount_minor: int, covers_minor: int = 0) -> bool:
        return bool(await post(connection, [payout(about, amount_minor)]))

    return patch.object(settlement.payouts.platform, "book_payout", book)


def a_lot_is_closed_without_its_payout() -> AbstractContextManager[object]:
    """Released, and nobody is paid."""
    released = settlement.releasing.released

    def unpaid(*arguments: Any) -> Any:
        found = released(*arguments)
        step = structs.replace(found.step, operations=())
        return structs.replace(found, step=step, payables=())

    return patch.object(settlement.releasing, "released", unpaid)


def the_commission_is_of_the_premium_too() -> AbstractContextManager[object]:
    """The house takes its ten per cent of more than the hammer price."""
    of_minor = Commission.of_minor
    more = lambda self, hammer: of_minor(self, hammer + hammer * 15 // 100)  # noqa: E731
    return patch.object(Commission, "of_minor", more)


# --- Finding them -------------------------------------------------------------------------------


class Scene(Struct, frozen=True):
    """A life in which a bug shows, in one of a few seeds. ``keeps``: see `world.house`."""

    way: Paid = Paid.CARD
    turn: str = "Turn"
    seeds: int = 3
    keeps: bool = False


class Planted(Struct, frozen=True):
    """A bug, and the scenes that have to find it."""

    plant: Mutant
    scenes: tuple[Scene, ...] = (Scene(),)


# Of deaths at a certain await, or of one lost answer among many, there are few in a life.
_RARE: Final = (Scene(seeds=12), Scene(Paid.BANK_IN_PARTS, seeds=12))

_PLANTED: Final = (
    Planted(a_lost_capture_is_made_anew, (Scene(seeds=20),)),
    Planted(the_key_is_made_from_the_amount, (Scene(turn="SameHammers"),)),
    Planted(every_attempt_has_a_key_of_its_own, (Scene(seeds=20),)),
    Planted(a_transfer_is_sent_again_after_a_day, (Scene(turn="LongNight"),)),
    Planted(what_is_lost_counts_as_refused, (Scene(seeds=12),)),
    Planted(what_is_refused_counts_as_lost, (Scene(turn="NoTransfersYet"),)),
    Planted(the_end_is_written_before_the_state, _RARE),
    Planted(the_books_are_written_after_the_step, _RARE),
    Planted(a_lease_is_not_checked, (Scene(turn="SlowWorker"),)),
    Planted(a_webhook_that_comes_too_early_is_dropped, (Scene(turn="DisputeAtOnce", seeds=6),)),
    Planted(a_webhook_that_comes_twice_is_booked_twice, (Scene(turn="DisputeWon"),)),
    Planted(an_event_is_trusted, (Scene(Paid.BANK_IN_PARTS, seeds=6),)),
    Planted(what_was_not_heard_is_never_looked_for, (Scene(Paid.BANK_IN_PARTS, "Deaf"),)),
    Planted(a_fee_is_not_booked),
    Planted(a_part_pays_for_all, (Scene(Paid.BANK_IN_PARTS),)),
    Planted(what_is_over_is_lost, (Scene(Paid.BANK_TOO_MUCH),)),
    Planted(late_money_is_dropped, (Scene(Paid.BANK_TOO_LATE),)),
    Planted(lots_are_void_while_a_payment_is_open, (Scene(Paid.NEVER_CONFIRMED),)),
    Planted(a_promise_that_ended_counts_as_money, (Scene(turn="SellerAsked"),)),
    Planted(the_engine_is_not_told),
    Planted(more_goes_back_than_is_left, (Scene(turn="RefundedTwice"),)),
    Planted(a_refund_is_booked_before_the_answer, (Scene(turn="RefundedTwice", seeds=6),)),
    Planted(a_claim_keeps_the_tax, (Scene(turn="Claimed"),)),
    Planted(a_dispute_costs_nothing, (Scene(turn="DisputeWon"),)),
    Planted(a_dispute_keeps_nothing_back, (Scene(turn="DisputeWon"),)),
    Planted(a_lost_refund_is_made_anew, (Scene(turn="RefundLost"),)),
    Planted(a_lost_reversal_is_made_anew, (Scene(turn="ReversalLost", keeps=True),)),
    Planted(a_seller_bears_what_nobody_said, (Scene(turn="DisputeLostLater"),)),
    Planted(a_lost_dispute_leaves_its_lots_paid, (Scene(turn="DisputeLost"),)),
    Planted(what_came_back_stays_sent, (Scene(turn="PaidByFile"),)),
    Planted(money_is_released_at_the_dock),
    Planted(what_a_seller_owes_is_forgotten, (Scene(turn="Owes"),)),
    Planted(a_changed_account_is_paid_at_once, (Scene(turn="Moved"),)),
    Planted(the_house_takes_what_is_held, (Scene(turn="Greedy"),)),
    Planted(a_lot_is_closed_without_its_payout),
    Planted(the_commission_is_of_the_premium_too),
)
MUTANTS: Final[dict[str, Planted]] = {
    getattr(planted.plant, "__name__", ""): planted for planted in _PLANTED
}


class Discovery(Struct, frozen=True):
    """The first life that a bug spoils, and the sentences that say so."""

    scene: Scene
    seed: int
    sentences: tuple[str, ...]


async def find(name: str, tables: Tables) -> Discovery | None:
    """Plant a bug by its name, and play its scenes until one finds it."""
    planted = MUTANTS[name]
    for scene in planted.scenes:
        for seed in range(1, scene.seeds + 1):
            async with tables() as dsn:
                with planted.plant():
                    wrong = await spoiled(dsn, scene, seed)
            if wrong:
                return Discovery(scene, seed, tuple(wrong))
    return None


async def spoiled(dsn: str, scene: Scene, seed: int) -> list[str]:
    """What is wrong with one life on tables that are new; its process dies as in all others."""
    mortal = Mortal(seed * 37 + 1, EVERY)
    async with world(dsn) as home:
        await house(home, keeps=scene.keeps)
        try:
            life = await play(home, seed, mortal, way=scene.way, turn=TURNS[scene.turn]())
        except Restless as restless:
            return [str(restless)]
        return life.wrong
