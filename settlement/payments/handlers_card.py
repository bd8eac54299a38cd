"""Operations of tries to pay: made, confirmed, captured, cancelled and read, each one call.

A crash at any await leaves the operation, and with it the same question: the payment is read, and
what it shows is decided as any event would be (`decisions_card.try_seen`).
"""

from collections.abc import Callable
from typing import Any

from msgspec import structs

from foundation.database import AnyConnection
from settlement.ids import InvoiceId, StripeId
from settlement.operations import SECOND_US, Again, Deadline, NeedsPerson, Operation, Refused
from settlement.payment_objects import Failure, IntentStatus, MethodKind, Payment
from settlement.payments import decisions, decisions_card
from settlement.payments.looking import asked, earlier_keys, key_of, looked
from settlement.payments.tables import Payers, carry_out, facts_of
from settlement.payments.words import Decided, Facts, Seen, Try, Way
from settlement.ports import PaymentProvider
from settlement.rows import Held, hold_invoice

_I = IntentStatus
_KINDS = {Way.CARD: MethodKind.CARD, Way.DEBIT: MethodKind.BANK_DEBIT}
# What a payment can still be confirmed, captured or cancelled in.
_UNASKED = frozenset({_I.REQUIRES_PAYMENT_METHOD, _I.REQUIRES_CONFIRMATION})
_ENDED = frozenset({_I.CANCELED, _I.SUCCEEDED})
# A cancelled payment that is on its way to or from a bank is looked at this often.
UNDER_WAY_US = 3_600 * SECOND_US


class Collect(Deadline):
    """Operation ``collect``: what is to be done that the invoice is paid."""

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        held = await hold_invoice(connection, InvoiceId(op.subject))
        facts = await facts_of(connection, held, self._payers)
        await carry_out(connection, held, decisions.collect(held, facts, now_us), now_us)


class OfTry:
    """A base for operations of a try: ``subject`` is its invoice, ``generation`` its number."""

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def _settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        held = await hold_invoice(connection, InvoiceId(op.subject))
        facts = await facts_of(connection, held, self._payers)
        tried = facts.try_of(op.generation)
        assert tried is not None, "it was written with the operation"
        decided = self.decide(held, facts, tried, answer, now_us)
        await carry_out(connection, held, decided, now_us)
        return None if decided.again_at_us is None else Again(decided.again_at_us)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        return await self._settle(connection, op, answer, now_us)

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """By what the payment shows."""
        if isinstance(answer, Refused):
            raise NeedsPerson(f"try {tried.number} cannot be read: {answer}")
        return decisions_card.try_seen(held, facts, tried, answer, now_us)


class CreatePayment(OfTry):
    """Operation ``create_payment``: makes a try's payment, of which no bank is asked yet."""

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`. One that was made before, and whose answer was lost, is found
        by the key that made it: the keys of this attempt's forerunners are few."""
        arguments = op.arguments
        customer_id = StripeId(arguments["customer_id"])
        for key in earlier_keys(op):
            payment = await self._provider.find_payment(key, customer_id)
            if payment is not None:
                return Seen(payment=payment)
        payment = await self._provider.create_payment(
            key_of(op),
            amount_minor=arguments["amount_minor"],
            currency=arguments["currency"],
            customer_id=customer_id,
            kind=_KINDS[Way(arguments["way"])],
            group=op.subject,
            about={"invoice_id": op.subject, "try": str(op.generation)},
        )
        return Seen(payment=payment)

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """A refusal ends the try; a person looks at why."""
        if isinstance(answer, Refused):
            failure = Failure(answer.code, answer.decline_code, answer.message)
            return decisions_card.not_made(held, facts, tried, failure, now_us)
        return super().decide(held, facts, tried, answer, now_us)


class ConfirmPayment(OfTry):
    """Operation ``confirm_payment``: asks the payer's bank, the buyer not being there; or, as
    ``ask_buyer``, with the buyer, who confirms on the page ``return_url``."""

    def __init__(
        self,
        provider: PaymentProvider,
        payers: Payers,
        return_url: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(provider, payers)
        self._return_url = return_url

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])
        url = self._return_url(op.subject) if self._return_url else None

        async def confirm(key: str) -> Payment:
            return await self._provider.confirm_payment(
                key,
                payment_id,
                method_id=StripeId(op.arguments["method_id"]),
                off_session=url is None,
                return_url=url,
            )

        def done(payment: Payment) -> bool:
            # A no that came off the session is no answer of the buyer's.
            failed = payment.failure is not None and url is None
            return failed or payment.status not in _UNASKED

        return await asked(self._provider, op, payment_id, confirm, done)

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """Off the session the bank's wish for the buyer is no refusal. It may have been heard of
        before, and the buyer be asked by now."""
        refused = answer.refused if isinstance(answer, Seen) else None
        asks = refused and decisions_card.ASKS_BUYER in (refused.code, refused.decline_code)
        if asks and self._return_url is None:
            answer = structs.replace(answer, refused=None)
        return super().decide(held, facts, tried, answer, now_us)


class BeginCapture(OfTry):
    """Operation ``begin_capture``: the time has come to take what was promised."""

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return None

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """Whether to take it, and how much."""
        return decisions_card.capture_begins(held, facts, tried, now_us)


class Capture(OfTry):
    """Operation ``capture``: takes the money."""

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])

        async def capture(key: str) -> Payment:
            amount_minor: int = op.arguments["amount_minor"]
            return await self._provider.capture_payment(key, payment_id, amount_minor=amount_minor)

        return await asked(self._provider, op, payment_id, capture, _cannot_capture)

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """A promise that ended is asked for again; anything else that is refused is not known."""
        if isinstance(answer, Seen) and answer.refused and not _cannot_capture(answer.payment):
            raise NeedsPerson(f"try {tried.number} cannot be captured: {answer.refused}")
        return super().decide(held, facts, tried, answer, now_us)


class CancelPayment(OfTry):
    """Operation ``cancel_payment``: ends a try; one that a bank is at is looked at again."""

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        payment_id = StripeId(op.arguments["payment_id"])

        async def cancel(key: str) -> Payment:
            return await self._provider.cancel_payment(key, payment_id)

        return await asked(self._provider, op, payment_id, cancel, _is_over)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        again = await self._settle(connection, op, answer, now_us)
        if again is None and isinstance(answer, Seen) and not _is_over(answer.payment):
            return Again(now_us + UNDER_WAY_US)
        return again


class ActionExpires(OfTry):
    """Operation ``action_expires``: the buyer had its time to confirm."""

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return None

    def decide(self, held: Held, facts: Facts, tried: Try, answer: Any, now_us: int) -> Decided:
        """It is cancelled, if it is still waited for."""
        return decisions_card.action_expired(held, facts, tried, now_us)


class ReadPayment:
    """Operation ``read_payment``: a hint came that something happened to a try's payment.

    ``arguments``: payment_id, invoice_id, try. ``subject``: of the hint.
    """

    def __init__(self, provider: PaymentProvider, payers: Payers) -> None:
        self._provider, self._payers = provider, payers

    async def call(self, op: Operation) -> object:
        """See `operations.Handler`."""
        return await looked(self._provider, StripeId(op.arguments["payment_id"]))

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        if not isinstance(answer, Seen):
            raise NeedsPerson(f"payment {op.arguments['payment_id']} cannot be read: {answer}")
        held = await hold_invoice(connection, InvoiceId(op.arguments["invoice_id"]))
        facts = await facts_of(connection, held, self._payers)
        tried = facts.try_of(op.arguments["try"])
        if tried is None:
            raise NeedsPerson(f"payment {op.arguments['payment_id']} names a try that is none")
        if tried.payment_id not in (None, answer.payment.payment_id):
            # Made by an attempt whose answer was lost, beside the one that is used: it asked
            # nobody for money, and is left to its end.
            return None
        decided = decisions_card.try_seen(held, facts, tried, answer, now_us)
        await carry_out(connection, held, decided, now_us)
        return None if decided.again_at_us is None else Again(decided.again_at_us)


class Look(Deadline):
    """Operation ``look``: a person looks at what could not be decided; ``words`` say at what."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        if op.attempts == 1 and op.claims == 1:
            raise NeedsPerson(op.arguments["words"])


def _is_over(payment: Payment) -> bool:
    return payment.status in _ENDED


def _cannot_capture(payment: Payment) -> bool:
    return payment.status is not _I.REQUIRES_CAPTURE
