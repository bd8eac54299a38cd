"""Random sales through the engine and through the naive model, compared after every command.

A failure prints the scenario shrunk to its least, and a blob that repeats it.
"""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auction.budgets import PersonCeiling
from auction.chain import acceptance_of, apply, body_of, seal
from auction.codec import Recorded, decode_body
from auction.commands import AdmitBidders, Command, MoveEndsAfterOutage, PlaceBid, shape_fault
from auction.decide import decide
from auction.events import (
    AnyEvent,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BidPlaced,
    BidsVoided,
    BudgetsSet,
    EndExtended,
    EndsMoved,
    IfBidOpened,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MaximumRaised,
    ReserveStatusChanged,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import BidderId
from auction.rejections import Rejected
from auction.sale import AcceptedBid, Sale
from auction.snapshot import ShardImage, decode_image, encode_accepted, encode_image
from auction.terms import ClosingMode, PriceRule, SaleAudience, SoftClose, VoidRule
from auction.views import LIQUIDATOR, PUBLIC, Viewer, view
from tests.builders import SALE, SECRET, STAFF_MEMBER, at
from tests.model import Model
from tests.property.scenarios import (
    BIDDERS,
    COMBINATIONS,
    OUTAGES_US,
    START_US,
    Concrete,
    Step,
    all_terms,
    listings,
    registrations,
    schedule,
    steps,
)
from tests.thorough import THOROUGH, thorough

Answer = tuple[str, int | None, bytes | None]  # code, sequence, receipt


class Twins:
    """The engine and the model, given the same commands."""

    def __init__(self, command: Any) -> None:
        self.model = Model(command)
        self.now_us = at("09:00")
        self.sale: Sale | None = None
        self.recorded: list[Recorded] = []
        self.decisions: list[list[AnyEvent]] = []
        self.answers: dict[tuple[str, str], Answer] = {}
        assert self._engine(command)[0] == "ACCEPTED"
        self.agree()

    def submit(self, command: Command) -> None:
        """Both judge the command; they must come to the same, and to the same state."""
        assert shape_fault(command) is None
        before = repr(self.sale)
        answer = self._engine(command)
        expected = self.model.submit(command, self.now_us)
        note(f"{command} -> {answer[0]}")
        assert answer[0] == expected
        if expected not in ("LEADING", "OUTBID", "ACCEPTED"):
            assert repr(self.sale) == before, "a refusal left a trace"
        if isinstance(command, PlaceBid) and expected in ("LEADING", "OUTBID"):  # I3
            key = (command.bidder_id, command.bid_id)
            if key not in self.answers:
                self._within_its_limit(command.bidder_id)
                self._within_its_budgets(command)
            assert answer == self.answers.setdefault(key, answer), "another answer to the same bid"
        self.agree()

    def _within_its_limit(self, bidder_id: BidderId) -> None:  # I20
        assert self.sale is not None
        registration = self.sale.registrations[bidder_id]
        limit = registration.limit_minor
        assert limit is None or registration.exposure_minor <= limit

    def _within_its_budgets(self, bid: PlaceBid) -> None:
        """But for those that were passed before, and that the bid does not touch."""
        assert self.sale is not None
        tally = self.sale.registrations[bid.bidder_id].tally
        for budget, line in zip(tally.budgets, tally.lines, strict=True) if tally else ():
            touched = line.lots is None or bid.lot_id in line.lots
            if isinstance(budget, PersonCeiling):
                touched = budget.person_id == bid.person_id
            assert not touched or line.used <= line.at_most

    def _engine(self, command: Command) -> Answer:
        before = repr(self.sale)
        decision = decide(self.sale, command, self.now_us)
        assert repr(self.sale) == before, "deciding touched the state"
        if isinstance(decision, Rejected):
            return decision.rejection.value, None, None
        if isinstance(decision, AcceptedBid):
            return decision.code, decision.sequence, decision.receipt
        self.sale = self.sale or Sale(SALE)
        self.decisions.append(decision)
        for event in decision:
            recorded = seal(self.sale, event, len(self.recorded) + 1, self.now_us)
            apply(self.sale, recorded)
            self.recorded.append(recorded)
        if not decision:
            return "ACCEPTED", None, None
        first = self.recorded[-len(decision)]
        return acceptance_of(first.event).value, first.sequence, first.receipt

    def agree(self) -> None:
        """Compare all that the model knows with the engine's state."""
        sale, model = self.sale, self.model
        assert sale is not None
        assert sale.closed == model.closed
        assert sale.paused_from_us == model.paused_at
        assert (sale.cancelled is not None) == model.cancelled
        known = {bidder for bidder, _ in model.choices if model.knows(bidder)}
        assert sale.admitted == (set() if model.is_for_all else known)
        assert list(sale.lots) == list(model.lots)
        for engine_lot, model_lot in zip(sale.lots.values(), model.lots.values(), strict=True):
            standing = model.standing(model_lot)
            price = standing.price if model_lot.hammer is None else model_lot.hammer
            assert engine_lot.status == model_lot.status
            assert (engine_lot.price_minor, engine_lot.leader) == (price, standing.leader)
            assert engine_lot.reserve_minor == standing.reserve
            assert engine_lot.reserve == standing.met
            assert engine_lot.next_minimum_minor == model.next_minimum(model_lot)
            assert engine_lot.bid_count == standing.public_bids
            assert engine_lot.opens_at_us == model_lot.listing.opens_at_us
            assert engine_lot.closes_at_us == model_lot.end
            assert engine_lot.latest_end_us == model_lot.latest_end
            assert engine_lot.extensions == model_lot.extensions
            maxima = {b: s.maximum_minor for b, s in engine_lot.standings.items()}
            assert maxima == {b: bid.amount for b, bid in standing.maxima.items()}
        exposures = {b: r.exposure_minor for b, r in sale.registrations.items()}
        assert exposures == {bidder: model.exposure(bidder) for bidder in model.bidders}
        tallies = {b: r.tally for b, r in sale.registrations.items()}
        used = {b: [line.used for line in t.lines] if t else [] for b, t in tallies.items()}
        assert used == {bidder: model.used(bidder) for bidder in model.bidders}
        assert {b: r.budgets for b, r in sale.registrations.items()} == {
            b: known.budgets for b, known in model.bidders.items()
        }
        limits = {b: (r.paddle, r.limit_minor) for b, r in sale.registrations.items()}
        assert limits == {b: (known.paddle, known.limit) for b, known in model.bidders.items()}
        bids = {(b, str(i)): a.code for (b, i), a in sale.accepted.items()}
        assert bids == {key: answer for key, (_, answer) in model.answers.items()}


def play(scenario: list[Step], twins: Twins) -> None:
    """Give both the scenario, and hold the invariants against what was recorded."""
    admitted = tuple(BidderId(bidder) for bidder in BIDDERS[:3])  # Dee has to wait
    twins.submit(AdmitBidders(sale_id=SALE, bidder_ids=admitted, actor_id=STAFF_MEMBER))
    for registration in registrations():
        twins.submit(registration)
    twins.now_us = START_US
    concrete = Concrete(twins.model)
    for step in scenario:
        moment = concrete.time_us(step, twins.now_us)
        command = concrete.command(step, moment)
        if isinstance(command, MoveEndsAfterOutage):  # dark from now on, ready at the moment
            command = replace(command, dark_from_us=twins.now_us)
            moment = twins.now_us + OUTAGES_US[step.who]
        twins.now_us = moment
        twins.submit(command)
    hold_invariants(twins)


def hold_invariants(twins: Twins) -> None:
    recorded, events = twins.recorded, [r.event for r in twins.recorded]
    numbers_are_gapless_and_time_never_falls(recorded)
    the_chain_holds(recorded)
    the_log_folds_to_the_live_state(twins)
    a_snapshot_and_the_tail_are_the_live_state(twins)
    the_price_falls_only_by_a_void(events)
    a_void_revives_nothing_beyond_the_terms(twins)
    bids_are_in_time_and_lots_end_once(recorded)
    an_extension_is_in_the_append_of_its_bid(twins.decisions)
    nobody_sells_to_itself(events)
    nobody_bids_who_is_not_admitted(events)
    each_bid_id_has_one_event(events)
    no_identity_is_seen_by_others(recorded)


def numbers_are_gapless_and_time_never_falls(recorded: list[Recorded]) -> None:  # I4, I23
    public = [r.sequence for r in recorded if r.sequence is not None]
    assert public == list(range(1, len(public) + 1))
    of_lots: dict[str, list[int]] = {}
    for r in recorded:
        if r.lot_sequence is not None:
            of_lots.setdefault(getattr(r.event, "lot_id", ""), []).append(r.lot_sequence)
    for numbers in of_lots.values():
        assert numbers == list(range(1, len(numbers) + 1))
    times = [r.at_us for r in recorded]
    assert times == sorted(times)


def the_chain_holds(recorded: list[Recorded]) -> None:  # I24
    head = bytes(32)
    open_: list[bytes] = []
    carried: list[bytes] = []
    for r in recorded:
        key = hmac.digest(SECRET, r.position.to_bytes(8, "big"), "sha256")
        assert r.commitment == hmac.digest(key, r.private, "sha256")
        if r.public is None:
            open_.append(r.commitment)
        else:
            head = hashlib.sha256(head + r.public + r.commitment).digest()
            assert r.hash == head
            carried.extend(r.carried)
    assert len(carried) == len(set(carried))
    assert set(carried) <= set(open_)


def the_log_folds_to_the_live_state(twins: Twins) -> None:  # I13
    again = Sale(SALE)
    for r in twins.recorded:
        decoded = decode_body(r.position, body_of(r))
        assert decoded == r
        apply(again, decoded)
    assert again == twins.sale


def a_snapshot_and_the_tail_are_the_live_state(twins: Twins) -> None:  # I13
    half = len(twins.recorded) // 2
    early = Sale(SALE)
    for r in twins.recorded[:half]:
        apply(early, r)
    accepted = encode_accepted(list(early.accepted.values()))
    image = decode_image(encode_image(ShardImage([early], [])), [accepted])
    assert image is not None
    (restored,) = image.sales
    for r in twins.recorded[half:]:
        apply(restored, r)
    assert restored == twins.sale


def the_price_falls_only_by_a_void(events: list[AnyEvent]) -> None:  # I6
    prices: dict[str, int | None] = {}
    for event in events:
        match event:
            case BidsVoided():
                prices[event.lot_id] = event.price_minor
            case BidPlaced() | ReserveStatusChanged() | IfBidOpened() | LotPassed():
                before = prices.get(event.lot_id)
                assert before is None or (event.price_minor or 0) >= before
                prices[event.lot_id] = event.price_minor
            case LotSold():
                assert event.hammer_price_minor >= (prices[event.lot_id] or 0)


def a_void_revives_nothing_beyond_the_terms(twins: Twins) -> None:  # I22
    assert twins.sale is not None
    maxima: dict[str, dict[str, int]] = {}
    for event in [r.event for r in twins.recorded]:
        if isinstance(event, BidPlaced | MaximumRaised):
            maxima.setdefault(event.lot_id, {})[event.bidder_id] = event.maximum_minor
        elif isinstance(event, BidsVoided):
            left = maxima[event.lot_id]
            del left[event.bidder_id]
            if twins.sale.terms.void_rule is VoidRule.NO_REVIVE:
                left.clear()
            if event.leader is None:
                assert not left
            else:
                assert left[twins.sale.bidders[event.leader]] == max(left.values())
                assert event.price_minor is not None
                assert event.price_minor <= max(left.values())


def bids_are_in_time_and_lots_end_once(  # noqa: C901 - dispatch; I8, I9, I10, I11
    recorded: list[Recorded],
) -> None:
    ends: dict[str, tuple[int, int, int | None]] = {}
    ended: set[str] = set()
    paused = False
    for r in recorded:
        event = r.event
        lot_id = getattr(event, "lot_id", None)
        assert lot_id not in ended or type(event).__name__ == "AwardFunded"
        match event:
            case LotScheduled():
                window = (event.opens_at_us, event.closes_at_us, event.latest_end_us)
                ends[event.lot_id] = window
            case LotsRescheduled():
                for lot in event.lots:
                    before = (lot.old_opens_at_us, lot.old_closes_at_us, lot.old_latest_end_us)
                    assert ends[lot.lot_id] == before and r.at_us < lot.old_opens_at_us
                    window = (lot.opens_at_us, lot.closes_at_us, lot.latest_end_us)
                    ends[lot.lot_id] = window
            case BidPlaced() | MaximumRaised():
                opens, closes, _ = ends[event.lot_id]
                assert opens <= r.at_us < closes
                assert not paused
            case EndExtended():
                opens, closes, latest = ends[event.lot_id]
                assert closes < event.closes_at_us <= (latest or event.closes_at_us)
                assert event.final == (event.closes_at_us == latest)
                ends[event.lot_id] = (opens, event.closes_at_us, latest)
            case EndsMoved():
                for moved in event.ends:
                    opens, closes, latest = ends[moved.lot_id]
                    assert closes < moved.closes_at_us
                    assert moved.closes_at_us <= (moved.latest_end_us or moved.closes_at_us)
                    assert moved.lot_id not in ended
                    ends[moved.lot_id] = (opens, moved.closes_at_us, moved.latest_end_us)
            case LotSold() | LotPassed() | LotWithdrawn():
                ended.add(event.lot_id)
                by_time = isinstance(event, LotPassed) and event.reason.value != "IF_BID_DECLINED"
                assert r.at_us >= ends[event.lot_id][1] or not by_time
            case IfBidOpened():
                opens, closes, latest = ends[event.lot_id]
                assert r.at_us >= closes
                ends[event.lot_id] = (opens, event.until_us, latest)
            case SalePaused():
                paused = True
            case SaleResumed():
                paused = False


def an_extension_is_in_the_append_of_its_bid(decisions: list[list[AnyEvent]]) -> None:  # I9
    for decision in decisions:
        kinds = [type(event) for event in decision]
        if EndExtended in kinds:
            assert kinds[:2] == [BidPlaced, EndExtended]
            assert kinds[2:] in ([], [EndsMoved])
        if BidPlaced in kinds or MaximumRaised in kinds:
            assert kinds[0] in (BidPlaced, MaximumRaised)
            assert len(kinds) == 1 or EndExtended in kinds


def nobody_sells_to_itself(events: list[AnyEvent]) -> None:  # I25
    for event in events:
        if isinstance(event, BidPlaced | MaximumRaised):
            assert (
                event.bidder_id in BIDDERS
                or event.bidder_id == "bidder-zed"
                or (event.bidder_id == "bidder-maker" and event.lot_id != "3")
            )


def nobody_bids_who_is_not_admitted(events: list[AnyEvent]) -> None:
    chosen: set[str] = set()
    for event in events:
        match event:
            case SaleScheduled(audience=SaleAudience.PUBLIC):
                return
            case BiddersAdmitted():
                chosen |= set(event.bidder_ids)
            case BiddersDismissed():
                chosen -= set(event.bidder_ids)
            case BidPlaced() | MaximumRaised() | BudgetsSet() | BidderRegistered():
                assert event.bidder_id in chosen


def each_bid_id_has_one_event(events: list[AnyEvent]) -> None:  # I2, I3
    ids = [(e.bidder_id, e.bid_id) for e in events if isinstance(e, BidPlaced | MaximumRaised)]
    assert len(ids) == len(set(ids))


def no_identity_is_seen_by_others(recorded: list[Recorded]) -> None:  # I16
    for r in recorded:
        assert "bidder-" not in repr(view(r, PUBLIC))
        assert "'maximum_minor'" not in repr(view(r, LIQUIDATOR))
        for bidder in BIDDERS:
            seen = repr(view(r, Viewer(bidder_id=BidderId(bidder))))
            assert "bidder-" not in seen.replace(bidder, "")


def name_of(combination: object) -> str:
    if isinstance(combination, SoftClose):
        return combination.mode.value
    return str(combination)


@thorough
@pytest.mark.parametrize(("rule", "void", "closing", "soft"), COMBINATIONS, ids=name_of)
@settings(max_examples=40 if THOROUGH else 8, deadline=None, print_blob=True)
@given(data=st.data())
def test_the_engine_and_the_naive_model_agree_after_every_command(
    rule: PriceRule,
    void: VoidRule,
    closing: ClosingMode,
    soft: SoftClose | None,
    data: st.DataObject,
) -> None:
    terms = data.draw(all_terms(rule, void, closing, soft), "terms")
    audience = data.draw(st.sampled_from([SaleAudience.PUBLIC, *SaleAudience]), "audience")
    twins = Twins(schedule(terms, data.draw(listings(), "lots"), audience))
    play(data.draw(steps, "steps"), twins)
