"""A deposit by a model: whatever is asked and shown, in any order, no promise is left behind.

The provider is a few dictionaries that obey the rules of a card; operations are done in any order,
answers repeat, and promises end when they like.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from auction.ids import BidderId, SaleId
from settlement.deposit_life import Deposit, DepositState
from settlement.deposit_rules import (
    AskFor,
    Decided,
    asked,
    created,
    declined,
    forfeited,
    gone_back,
    not_created,
    released,
    renewal_due,
    shown,
)
from settlement.ids import StripeId
from settlement.payment_objects import (
    BalanceTransaction,
    Charge,
    IntentStatus,
    Payment,
    Refund,
    Secret,
)
from settlement.steps import Wanted

NOW_US, AMOUNT = 1_790_000_000_000_000, 50_000
_D, _I = DepositState, IntentStatus
ASK = AskFor(
    sale_id=SaleId("S1"), buyer_id=BidderId("acme"), amount_minor=AMOUNT, currency="USD",
    method_id=StripeId("pm_1"), return_url="https://x.test",
)  # fmt: skip


def payment(number: int, status: IntentStatus = _I.REQUIRES_PAYMENT_METHOD) -> Payment:
    return Payment(
        payment_id=StripeId(f"pi_{number}"), status=status, amount_minor=AMOUNT,
        capturable_minor=0, received_minor=0, currency="USD", customer_id=StripeId("cus_1"),
        method_id=None, charge_id=None, client_secret=Secret(""), action=None, failure=None,
        cancellation_reason=None, made_at_us=NOW_US, metadata={},
    )  # fmt: skip


def charge(number: int, *, moved_minor: int | None = None) -> Charge:
    row = None
    if moved_minor is not None:
        row = BalanceTransaction(
            transaction_id=StripeId(f"txn_{number}"), kind="charge", category="charge",
            amount_minor=moved_minor, fee_minor=7, net_minor=moved_minor - 7, currency="USD",
            source_id=StripeId(f"ch_{number}"), description="", made_at_us=NOW_US,
            available_at_us=NOW_US,
        )  # fmt: skip
    return Charge(
        charge_id=StripeId(f"ch_{number}"), payment_id=StripeId(f"pi_{number}"), customer_id=None,
        status="succeeded", amount_minor=AMOUNT, captured_minor=moved_minor or 0,
        refunded_minor=0, currency="USD", captured=row is not None, disputed=False,
        method_kind="card", capture_before_us=NOW_US + 1, transaction=row, failure=None,
        made_at_us=NOW_US, metadata={},
    )  # fmt: skip


@dataclass
class World:
    """The deposit, the provider, and what is still to be done."""

    deposit: Deposit | None = None
    payments: dict[str, Payment] = field(default_factory=dict)
    todo: dict[str, Wanted] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    captures: int = 0
    unwanted: bool = False  # it was asked to end since it was asked for

    def write(self, decided: Decided | None) -> None:
        if decided is None:
            return
        self.deposit = decided.deposit
        for wanted in decided.operations:
            if wanted.idempotency_key not in self.keys:
                self.keys.add(wanted.idempotency_key)
                self.todo[wanted.idempotency_key] = wanted
        for entry in decided.booked:
            for posting in entry.postings:
                for name, sign in ((posting.debit.name, 1), (posting.credit.name, -1)):
                    self.ledger[name] = self.ledger.get(name, 0) + sign * posting.amount_minor

    @property
    def credit_minor(self) -> int:
        return -self.ledger.get("buyer_credit:deposit~S1~acme", 0)

    def now(self) -> Deposit:
        assert self.deposit is not None
        return self.deposit

    def do(self, wanted: Wanted, *, yes: bool, again: bool) -> None:
        """One operation; ``yes``: the bank promises; ``again``: the answer is lost, and repeats."""
        if not again:
            del self.todo[wanted.idempotency_key]
        if wanted.operation != "deposit_watch":
            getattr(self, wanted.operation)(wanted, yes)

    def deposit_create(self, wanted: Wanted, yes: bool) -> None:
        if not yes and f"pi_{wanted.generation}" not in self.payments:
            self.todo.pop(wanted.idempotency_key, None)
            self.write(not_created(self.now(), wanted.generation, "amount_too_small"))
            return
        made = self.payments.setdefault(f"pi_{wanted.generation}", payment(wanted.generation))
        self.write(created(self.now(), wanted.generation, made))

    def deposit_confirm(self, wanted: Wanted, yes: bool) -> None:
        name = wanted.arguments["payment_id"]
        seen = self.payments[name]
        if seen.status is _I.REQUIRES_PAYMENT_METHOD:
            if not yes:
                self.write(declined(self.now(), seen.payment_id, "generic_decline"))
                return
            seen = structs.replace(
                seen, status=_I.REQUIRES_CAPTURE, capturable_minor=AMOUNT,
                charge=charge(wanted.generation),
            )  # fmt: skip
            self.payments[name] = seen
        self.write(shown(self.now(), seen, 0, NOW_US))

    def deposit_cancel(self, wanted: Wanted, _: bool) -> None:
        self.ends(wanted.arguments["payment_id"])
        self.write(shown(self.now(), self.payments[wanted.arguments["payment_id"]], 0, NOW_US))

    def deposit_take(self, wanted: Wanted, _: bool) -> None:
        name, amount = wanted.arguments["payment_id"], wanted.arguments["amount_minor"]
        seen = self.payments[name]
        if seen.status is _I.REQUIRES_CAPTURE:
            self.captures += 1
            seen = structs.replace(
                seen, status=_I.SUCCEEDED, capturable_minor=0, received_minor=amount,
                charge=charge(wanted.generation, moved_minor=amount),
            )  # fmt: skip
            self.payments[name] = seen
        self.write(shown(self.now(), seen, 0, NOW_US))

    def deposit_return(self, wanted: Wanted, _: bool) -> None:
        refund = Refund(
            refund_id=StripeId("re_1"), status="succeeded",
            amount_minor=wanted.arguments["amount_minor"], currency="USD",
            charge_id=wanted.arguments["charge_id"], payment_id=None,
            transaction_id=StripeId("txn_re"), failed_transaction_id=None, failure_reason=None,
            made_at_us=NOW_US, metadata={},
        )  # fmt: skip
        self.write(gone_back(self.now(), refund, NOW_US))

    def deposit_renew(self, wanted: Wanted, _: bool) -> None:
        self.write(renewal_due(self.now(), wanted.generation))

    def ends(self, name: str) -> None:
        """A promise ends: it was cancelled, or its time was over."""
        if self.payments[name].status is not _I.SUCCEEDED:
            self.payments[name] = structs.replace(
                self.payments[name], status=_I.CANCELED, capturable_minor=0
            )

    def hears(self, name: str) -> None:
        """An event of a payment, which is read as it is now."""
        if self.deposit is not None:
            self.write(shown(self.now(), self.payments[name], 0, NOW_US))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("do"), st.integers(0, 9), st.booleans(), st.booleans()),
        st.tuples(st.sampled_from(["ask", "release", "forfeit"])),
        st.tuples(st.sampled_from(["ends", "hears"]), st.integers(0, 9)),
    ),
    max_size=60,
)


# How far its life is when chance begins.
HELD = (("deposit_create", True), ("deposit_confirm", True))
RENEWING = (*HELD, ("deposit_renew", True), ("deposit_create", True))
TAKING = (*RENEWING, ("deposit_confirm", False))
TAKEN = (*TAKING, ("deposit_take", True))
BEGINNINGS = st.sampled_from([(), HELD, RENEWING, TAKING, TAKEN])


def begun(beginning: tuple[tuple[str, bool], ...]) -> World:
    """A deposit that was asked for, and so far."""
    world = World()
    world.write(asked(None, ASK, NOW_US))
    for operation, yes in beginning:
        (wanted,) = [one for one in world.todo.values() if one.operation == operation]
        world.do(wanted, yes=yes, again=False)
    return world


def play(world: World, step: tuple[Any, ...]) -> None:
    names = sorted(world.payments)
    match step:
        case ("ask",):
            decided = asked(world.deposit, ASK, NOW_US)
            world.unwanted = world.unwanted and decided is None
            world.write(decided)
        case ("release",):
            world.unwanted = True
            world.write(released(world.now()))
        case ("forfeit",):
            world.unwanted = True
            world.write(forfeited(world.now(), 30_000, NOW_US))
        case ("ends", place) if names:
            # A card's promise ends; what nobody promised yet does not.
            name = names[place % len(names)]
            if world.payments[name].status is _I.REQUIRES_CAPTURE:
                world.ends(name)
        case ("hears", place) if names:
            world.hears(names[place % len(names)])
        case ("do", place, yes, again) if world.todo:
            keys = sorted(world.todo)
            world.do(world.todo[keys[place % len(keys)]], yes=yes, again=again)
        case _:
            pass


def rest(world: World) -> None:
    """Everything that is left is done, promises are renewed no more, and all is heard of."""
    for _ in range(200):
        left = [key for key, one in world.todo.items() if one.operation != "deposit_renew"]
        if not left:
            break
        world.do(world.todo[left[0]], yes=True, again=False)
    for name in world.payments:
        world.hears(name)
    assert not [one for one in world.todo.values() if one.operation != "deposit_renew"]


@settings(max_examples=400)
@given(BEGINNINGS, STEPS)
def test_no_promise_is_left_that_nobody_knows_and_nothing_is_taken_twice(
    beginning: tuple[tuple[str, bool], ...], steps: list[tuple[Any, ...]]
) -> None:
    world = begun(beginning)
    for step in steps:
        play(world, step)
    rest(world)
    deposit = world.now()
    promised = {name for name, one in world.payments.items() if one.status is _I.REQUIRES_CAPTURE}
    known = {deposit.held_payment_id} if deposit.state is _D.HELD else set()
    assert promised == known
    unasked = [one for one in world.payments.values() if one.status is _I.REQUIRES_PAYMENT_METHOD]
    assert unasked == []
    assert (deposit.counted is not None) == (deposit.state in (_D.HELD, _D.TAKEN))
    if world.unwanted:
        assert deposit.state not in (_D.HELD, _D.TAKEN)
    taken = [one for one in world.payments.values() if one.status is _I.SUCCEEDED]
    assert world.captures == len(taken)
    received = sum(one.received_minor for one in taken)
    forfeits, credit = -world.ledger.get("forfeits", 0), world.credit_minor
    returned = received - forfeits - credit
    assert min(returned, credit) >= 0
    assert credit == (deposit.taken_minor if deposit.state is _D.TAKEN else 0)
    assert world.ledger.get("stripe_balance", 0) == received - returned - 7 * len(taken)
    assert sum(world.ledger.values()) == 0


@given(BEGINNINGS, STEPS, st.sampled_from(["release", "forfeit"]))
def test_whatever_happened_before_it_can_be_ended(
    beginning: tuple[tuple[str, bool], ...], steps: list[tuple[Any, ...]], end: str
) -> None:
    world = begun(beginning)
    for step in steps:
        play(world, step)
    for _ in range(3):
        rest(world)
        play(world, (end,))
    rest(world)
    deposit = world.now()
    assert deposit.state in (_D.RELEASED, _D.FORFEITED, _D.DECLINED, _D.LOST)
    assert deposit.counted is None


def test_the_time_of_a_promise_that_is_gone_renews_no_other() -> None:
    world = begun(HELD)
    play(world, ("release",))
    rest(world)
    play(world, ("ask",))
    for operation in ("deposit_create", "deposit_confirm"):
        (wanted,) = [one for one in world.todo.values() if one.operation == operation]
        world.do(wanted, yes=True, again=False)
    world.do(world.todo["deposit_renew:deposit~S1~acme:1"], yes=True, again=False)
    assert world.now().state is _D.HELD
    world.do(world.todo["deposit_renew:deposit~S1~acme:2"], yes=True, again=False)
    assert world.now().state is _D.RENEWING
