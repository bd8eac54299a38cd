"""Random sales, paid in parts, cancelled, exempted late, claimed and released: the books follow.

Every step is decided by the rules and booked by the ledger's entries. After each, no account is
below zero that may not be; in the end each cent that came in is with its owner.
"""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from auction.catalog.goods import Condition, FreightTerms, ManifestLine
from settlement.cancellations import cancelled
from settlement.chart import STRIPE, parse_account, signed_minor
from settlement.claims import ClaimedLine, Reason, Threshold, credit_of, refusal_of
from settlement.entries import AwardMoney, Entry
from settlement.invoices import (
    Certificate,
    Invoice,
    Line,
    funding_of,
    invoices_of,
    late_certificate,
    left_of,
)
from settlement.lives import AWARD_LIFE, AwardState, PaymentState
from settlement.policy import Commission
from settlement.postings import (
    award_refunded,
    bank_funding,
    claim_credit,
    credit_applied,
    release,
    tax_credited,
)
from settlement.releases import keeps_from_release, release_of
from tests.books import NORTH, about, sides
from tests.settlement_rules import BUYER, CALENDAR, SALE, TEXAS, award, policy, premium_of, tax_at

GOODS = {
    1: ManifestLine(
        line=1, description="Fan", condition=Condition.NEW, quantity=30, unit_msrp_minor=40_00
    )
}
A = AwardState


class Books:
    """The balances that entries come to, as the database keeps them."""

    def __init__(self) -> None:
        self.net: Counter[str] = Counter()

    def book(self, entry: Entry) -> None:
        debits, credits_ = sides(entry)
        self.net.update(debits)
        self.net.subtract(credits_)
        assert sum(self.net.values()) == 0
        for name, net in self.net.items():
            account = parse_account(name)
            assert account.row.may_overdraw or signed_minor(account, net, 0) >= 0, name


class Settled:
    """One invoice and its awards, moved by the rules."""

    def __init__(self, invoice: Invoice) -> None:
        self.invoice, self.books = invoice, Books()
        self.states = {line.award_id: A.INVOICED for line in invoice.lines}
        self.credited: list[AwardMoney] = []
        self.waiting_minor = self.received_minor = self.refunded_minor = 0

    def move(self, line: Line, after: AwardState) -> None:
        self.states[line.award_id] = AWARD_LIFE.move(self.states[line.award_id], after)

    def pay(self, amount_minor: int) -> None:
        self.received_minor += amount_minor
        self.books.book(bank_funding(about("S1~buyer"), BUYER, amount_minor))
        self.waiting_minor += amount_minor
        unpaid = [x for x in self.invoice.lines if self.states[x.award_id] is A.INVOICED]
        paid = funding_of(unpaid, self.waiting_minor, credited=self.credited)
        lines = [line for line in unpaid if line.award_id in paid.funded]
        if lines:
            money = [left_of(line, self.credited) for line in lines]
            self.books.book(credit_applied(about("S1~buyer"), BUYER, money))
            self.waiting_minor -= sum(each.total_minor for each in money)
        for line in lines:
            self.move(line, A.FUNDED)

    def cancel(self, line: Line) -> None:
        state = self.states[line.award_id]
        if not AWARD_LIFE.allows(state, A.CANCELLED):
            return
        done = cancelled(policy(), line, state, by_seller=True, credited=self.credited)
        self.move(line, A.CANCELLED)
        self.credited.append(done.credit)
        if state is A.FUNDED:
            self.books.book(award_refunded(about(line.award_id), done.credit))
            self.refunded_minor += done.credit.total_minor

    def exempt(self) -> None:
        held = [Certificate(TEXAS, date(2026, 12, 31))]
        note = late_certificate(self.invoice, held, CALENDAR, self.credited)
        for back in note.lines if note else ():
            self.credited.append(back)
            if self.states[back.award_id] is not A.INVOICED:
                self.books.book(tax_credited(about(back.award_id), back, STRIPE))
                self.refunded_minor += back.total_minor

    def claim(self, line: Line, pieces: int) -> None:
        if self.states[line.award_id] is not A.FUNDED:
            return
        self.move(line, A.HANDED_OVER)
        claimed = [ClaimedLine(line=1, reason=Reason.MISSING, quantity=pieces)]
        assert refusal_of(GOODS, FreightTerms.BINDING, claimed) is None
        self.move(line, A.CLAIMED)
        back = credit_of(line, list(GOODS.values()), claimed, Threshold(500), self.credited)
        if back.total_minor:
            self.credited.append(back)
            self.books.book(claim_credit(about(line.award_id), back))
            self.refunded_minor += back.total_minor
        self.move(line, A.ACCEPTED)

    def finish(self, line: Line) -> None:
        """Silence accepts what was paid, and what is accepted is released."""
        if self.states[line.award_id] is A.FUNDED:
            self.move(line, A.ACCEPTED)
        if keeps_from_release(self.states[line.award_id], PaymentState.PAID) is not None:
            return
        left = left_of(line, self.credited)
        made = release_of(line, left, Commission(1_000))
        if left.hammer_minor or left.premium_minor:
            self.books.book(release(about(line.award_id), NORTH, left, made.commission_minor))
        self.move(line, A.RELEASED)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1, 3_000_00)),
        st.tuples(st.just("cancel"), st.integers(0, 3)),
        st.tuples(st.just("exempt"), st.just(0)),
        st.tuples(st.just("claim"), st.integers(0, 119)),
    ),
    max_size=14,
)


@given(
    st.lists(st.tuples(st.integers(1, 2_000_00), st.integers(0, 300_00)), min_size=4, max_size=4),
    STEPS,
)
def test_each_cent_that_came_in_is_with_its_owner(
    sold: list[tuple[int, int]], steps: list[tuple[str, int]]
) -> None:
    awards = [
        (award(str(number), hammer, freight_minor=freight), tax_at())
        for number, (hammer, freight) in enumerate(sold)
    ]
    [invoice] = invoices_of(SALE, premium_of(), awards, policy(), CALENDAR)
    settled = Settled(invoice)
    for what, number in steps:
        match what:
            case "pay":
                settled.pay(number)
            case "cancel":
                settled.cancel(invoice.lines[number])
            case "exempt":
                settled.exempt()
            case _:
                settled.claim(invoice.lines[number % 4], 1 + number // 4)
    for line in invoice.lines:
        settled.finish(line)
    net = settled.books.net
    assert net["stripe_balance"] == settled.received_minor - settled.refunded_minor
    assert -net["buyer_credit:buyer"] == settled.waiting_minor
    for line in invoice.lines:
        assert net[f"held:{line.award_id}"] == net[f"deferred_fees:{line.award_id}"] == 0
        left = left_of(line, settled.credited)
        stays = left.freight_minor if settled.states[line.award_id] is A.RELEASED else 0
        assert -net[f"freight_payable:{line.award_id}"] == stays
