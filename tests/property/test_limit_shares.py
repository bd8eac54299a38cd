"""However parts are moved, and whatever is led, the sales never take more than the whole."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from auction.ids import SaleId
from bidder_gateway.limit_shares import Part, grant_minor, targets, unnamed_minor

SALES = [SaleId(name) for name in ("A", "B", "C")]
AMOUNTS = st.integers(0, 1_000)


def part(sale_id: str, share_minor: int | None, held_minor: int = 0, closed: bool = False) -> Part:
    return Part(
        sale_id=SaleId(sale_id), share_minor=share_minor, held_minor=held_minor, closed=closed
    )


def test_who_named_no_part_gets_what_is_left() -> None:
    assert targets(1_000, [part("A", None), part("B", 300)]) == {"A": 700, "B": 300}
    assert targets(1_000, [part("A", None), part("B", None)]) == {"A": 1_000, "B": 0}


def test_a_lowered_whole_cuts_the_last_parts() -> None:
    assert targets(500, [part("A", 400), part("B", 300)]) == {"A": 400, "B": 100}


def test_a_part_that_grows_waits_for_one_that_shrinks() -> None:
    moved = [part("A", 200, held_minor=800), part("B", 800, held_minor=200)]
    assert grant_minor(1_000, moved, SaleId("B")) == 200
    lowered = [part("A", 200, held_minor=200), part("B", 800, held_minor=200)]
    assert grant_minor(1_000, lowered, SaleId("B")) == 800


def test_what_is_owed_in_a_closed_sale_is_not_shared_out() -> None:
    owed = [part("A", 1_000, held_minor=600, closed=True), part("B", None)]
    assert grant_minor(1_000, owed, SaleId("B")) == 400
    assert unnamed_minor(1_000, owed) == 400


class Moving(RuleBasedStateMachine):
    """Parts and the whole change, sales are told one by one, bids are made up to what was told."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = 1_000
        self.shares: dict[SaleId, int | None] = dict.fromkeys(SALES)
        self.held = dict.fromkeys(SALES, 0)
        self.told = dict.fromkeys(SALES, 0)
        self.led = dict.fromkeys(SALES, 0)
        self.lowered = False  # by staff: what is led by then may be more than the whole

    def parts(self) -> list[Part]:
        return [part(sale, self.shares[sale], self.held[sale]) for sale in SALES]

    @rule(sale=st.sampled_from(SALES), share=st.none() | AMOUNTS)
    def divide(self, sale: SaleId, share: int | None) -> None:
        self.shares[sale] = share

    @rule(sale=st.sampled_from(SALES))
    def tell(self, sale: SaleId) -> None:
        granted = grant_minor(self.whole, self.parts(), sale)
        self.held[sale] = max(self.held[sale], granted)
        self.told[sale] = granted
        self.held[sale] = max(granted, self.led[sale])

    @rule(sale=st.sampled_from(SALES))
    def tell_and_crash(self, sale: SaleId) -> None:
        """The engine was told, and what came of it is not known here."""
        granted = grant_minor(self.whole, self.parts(), sale)
        self.held[sale] = max(self.held[sale], granted)
        self.told[sale] = granted

    @rule(sale=st.sampled_from(SALES), amount=AMOUNTS)
    def lead(self, sale: SaleId, amount: int) -> None:
        if self.led[sale] + amount <= self.told[sale]:
            self.led[sale] += amount

    @rule(sale=st.sampled_from(SALES))
    def outbid(self, sale: SaleId) -> None:
        self.led[sale] = 0

    @rule(whole=AMOUNTS)
    def set_whole(self, whole: int) -> None:
        self.lowered = self.lowered or whole < self.whole
        self.whole = whole

    @invariant()
    def the_sum_is_within_the_whole(self) -> None:
        could_come_to = sum(max(self.led[sale], self.told[sale]) for sale in SALES)
        assert could_come_to <= sum(self.held.values())
        if not self.lowered:
            assert sum(self.held.values()) <= self.whole


Moving.TestCase.settings = settings(max_examples=200, deadline=None)
TestMoving = Moving.TestCase


@given(whole=AMOUNTS, shares=st.lists(st.none() | AMOUNTS, max_size=3))
def test_the_targets_come_to_no_more_than_the_whole(whole: int, shares: list[int | None]) -> None:
    parts = [part(sale, share) for sale, share in zip(SALES, shares, strict=False)]
    assert sum(targets(whole, parts).values()) <= whole
