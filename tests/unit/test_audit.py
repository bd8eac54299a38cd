"""The audit finds nothing in what the engine wrote, and finds each way in which it was changed."""

from typing import Any, Final

import pytest
from msgspec.structs import asdict, replace

from auction.audit import ShardAudit
from auction.audit_findings import Check, Finding
from auction.chain import body_of
from auction.codec import pack, unpack
from auction.commands import (
    AcceptIfBid,
    AnswerCounter,
    CounterIfBid,
    DeclineIfBid,
    MoveEndsAfterOutage,
    PauseSale,
    RecordFunding,
    ResumeSale,
    SetLimit,
    WithdrawalCause,
)
from auction.events import (
    EVENT_TYPES,
    Allocation,
    AwardFunded,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BidPlaced,
    BidsVoided,
    BudgetsSet,
    CounterDeclined,
    EndExtended,
    EndsMoved,
    IfBidCountered,
    IfBidOpened,
    LimitChanged,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MaximumRaised,
    MovedEnd,
    MoveReason,
    PassReason,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import BidderId, LotId, Paddle, PersonId, SaleId, Shard
from auction.increments import LIQUIDATION
from auction.ports import LoggedEvent, StoredSnapshot
from auction.pricing import ReserveStatus
from auction.shards import ShardState
from auction.terms import ClosingMode, Premium, PremiumTier, SaleAudience, VoidRule
from tests.builders import (
    EBAY_TERMS,
    FIVE_AND_FIVE,
    HOUR_US,
    MINUTE_US,
    SALE,
    SECOND_US,
    STAFF_MEMBER,
    Room,
    a_lot,
    admit,
    at,
    at_most_all_in,
    at_most_lots,
    bid,
    cancel,
    ceiling,
    change_reserve,
    dismiss,
    move_lots,
    new_bid_id,
    register,
    set_budgets,
    void,
    withdraw,
)
from tests.forgery import (
    SHARD,
    Edit,
    Slip,
    Story,
    again,
    at_the_end,
    changed,
    index_of,
    inserted,
    moved,
    sealed,
    story_of,
    without,
)

NONE, NOT_MET, MET = ReserveStatus.NONE, ReserveStatus.NOT_MET, ReserveStatus.MET
IN_LOT: Final[dict[str, Any]] = {"sale_id": SALE, "lot_id": LotId("1"), "actor_id": STAFF_MEMBER}
IN_SALE: Final[dict[str, Any]] = {"sale_id": SALE, "actor_id": STAFF_MEMBER}


def audit(log: list[LoggedEvent], head: int | None = None) -> list[Finding]:
    """Everything that is found in the log of a shard."""
    shard = ShardAudit(SHARD)
    findings = [finding for logged in log for finding in shard.check(logged)]
    return findings + shard.end(len(log) if head is None else head)


# Sales that really happened


def busy() -> Room:
    """Two lots, one with a reserve; private raises, a reserve changed in secret, an extension."""
    terms = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE)
    room = Room(a_lot("1", reserve_minor=900_00), a_lot("2", "16:02"), terms=terms)
    room.bid("A", 500_00, "12:00")
    room.bid("B", 1_000_00, "12:01")
    room.bid("B", 1_200_00, "12:02")  # private: the price stays at the reserve
    room.bid("C", 950_00, "12:03")
    room.bid("C", 300_00, "12:04", lot="2")
    room.bid("D", 200_00, "12:05", lot="2")
    room.does(change_reserve(800_00), "12:06")  # private: met as before
    room.bid("D", 400_00, "15:58", lot="2")  # ends at 16:03
    room.close("16:00")
    room.close("16:03")
    return room


def linked() -> Room:
    """Ends that move together."""
    terms = replace(EBAY_TERMS, soft_close=FIVE_AND_FIVE, closing=ClosingMode.CASCADE)
    room = Room(a_lot("1"), a_lot("2", "16:02"), a_lot("3", "16:04"), terms=terms)
    room.bid("A", 500_00, "15:59")
    room.bid("B", 600_00, "16:00", lot="2")
    room.close("18:00")
    return room


def paused() -> Room:
    """A pause over a lot's end, which moves; an outage that moves it again."""
    room = Room(a_lot("1", latest_end_us=at("17:00")))
    room.bid("A", 500_00, "15:50")
    room.does(PauseSale(reason="a fire alarm", **IN_SALE), "15:55")
    room.does(ResumeSale(**IN_SALE), "16:20")
    room.bid("B", 300_00, "16:21")
    dark = MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("16:22"))
    room.does(dark, "16:24:30")
    room.close("17:00")
    return room


def whole_dollars() -> Room:
    """Under increments in whole dollars."""
    room = Room(terms=replace(EBAY_TERMS, increments=LIQUIDATION))
    room.bid("A", 500_00, "12:00")
    room.bid("B", 300_00, "12:01")
    room.close("16:00")
    return room


def lowered() -> Room:
    """A reserve that is lowered until it is met."""
    room = Room(a_lot("1", reserve_minor=900_00))
    room.bid("A", 500_00, "12:00")
    room.does(change_reserve(400_00), "12:01")
    room.close("16:00")
    return room


def voided(rule: VoidRule = VoidRule.RESTORE) -> Room:
    """The leader's bids are voided."""
    room = Room(terms=replace(EBAY_TERMS, void_rule=rule))
    room.bid("A", 500_00, "12:00")
    room.bid("B", 300_00, "12:01")
    room.bid("C", 900_00, "12:02")
    room.does(void("C"), "12:03")
    room.bid("D", 800_00, "12:04")
    room.close("16:00")
    return room


def revived_none() -> Room:
    return voided(VoidRule.NO_REVIVE)


def held() -> Room:
    """A bid below the reserve is held, countered, declined, countered, sold."""
    room = Room(a_lot(reserve_minor=900_00), terms=replace(EBAY_TERMS, if_bid_us=HOUR_US))
    room.bid("A", 300_00, "12:00")
    room.bid("B", 500_00, "12:00")
    room.close("16:00")
    for amount_minor, accepted in ((700_00, False), (650_00, True)):
        room.does(CounterIfBid(amount_minor=amount_minor, **IN_LOT), "16:10")
        answer = AnswerCounter(
            sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("B"), accepted=accepted
        )
        room.does(answer)
    return room


def held_and(command: Any, when: str = "16:30") -> Room:
    room = Room(a_lot(reserve_minor=900_00), terms=replace(EBAY_TERMS, if_bid_us=HOUR_US))
    room.bid("A", 500_00, "12:00")
    room.close("16:00")
    if command is None:
        room.close("17:00")
    else:
        room.does(command(**IN_LOT), when)
    return room


def expired() -> Room:
    return held_and(None)


def declined() -> Room:
    return held_and(DeclineIfBid)


def accepted() -> Room:
    return held_and(AcceptIfBid)


def unsold() -> Room:
    """A lot without bids, one below its reserve, one withdrawn."""
    room = Room(a_lot("1"), a_lot("2", reserve_minor=900_00), a_lot("3", "17:00"))
    room.bid("A", 500_00, lot="2")
    room.close("16:00")
    room.does(withdraw("3"))
    return room


def recalled() -> Room:
    """A lot without reserve that is withdrawn after a bid, as only law and safety may ask."""
    room = Room()
    room.bid("A", 500_00)
    room.does(withdraw(cause=WithdrawalCause.RECALL))
    return room


def limited() -> Room:
    """A bidder with a limit that two lots and a paid award share; premium and tax count."""
    terms = replace(EBAY_TERMS, premium=Premium((PremiumTier(0, 1_500),)))
    room = Room(a_lot("1"), a_lot("2", "17:00"), a_lot("3", "17:00"), terms=terms, bidders="")
    room.does(register("A", limit_minor=1_500_00, tax_bps=825))
    room.does(register("B"))
    room.bid("A", 500_00, "12:00")
    room.bid("A", 600_00, "12:01", lot="2")
    room.bid("B", 700_00, "12:02", lot="2")
    room.bid("A", 600_00, "12:03", lot="3")
    room.close("16:00")
    paid = RecordFunding(bidder_id=BidderId("A"), **IN_LOT)
    room.does(paid)
    room.does(SetLimit(bidder_id=BidderId("A"), limit_minor=1_600_00, **IN_SALE))
    room.bid("A", 1_250_00, "16:30", lot="3")
    room.close("17:00")
    return room


def budgeted() -> Room:
    """A team with a budget of each kind: outbid, paid for, taken over by another person."""
    room = Room(a_lot("1"), a_lot("2", "17:00"), a_lot("3", "17:00"))
    both = (at_most_lots(2, "1", "2", "3"), at_most_all_in(2_000_00))
    room.does(set_budgets("A", *both, ceiling("dana", 900_00)))
    room.does(register("A", restrictions=("export only",)))
    room.does(bid("A", 500_00, person_id=PersonId("dana")), "12:00")
    room.does(bid("A", 400_00, "2", person_id=PersonId("dana")), "12:01")
    room.bid("B", 450_00, "12:02", lot="2")
    room.does(bid("A", 600_00, "3", person_id=PersonId("eli")), "12:03")
    room.bid("B", 450_00, "12:04")
    room.close("16:00")
    room.does(RecordFunding(bidder_id=BidderId("A"), **IN_LOT))
    room.does(bid("A", 1_545_00, "3", person_id=PersonId("eli")), "16:10")  # 455 and 1,545
    room.close("17:00")
    return room


def invited() -> Room:
    """A sale by invitation: one is dismissed and bound by a bid, is let in again and takes the
    counter-offer; one is dismissed for good."""
    terms = replace(EBAY_TERMS, if_bid_us=HOUR_US)
    room = Room(
        a_lot(reserve_minor=900_00), terms=terms, bidders="AB", audience=SaleAudience.INVITE
    )
    room.bid("B", 300_00, "12:00")
    room.bid("A", 500_00, "12:01")
    room.does(set_budgets("A", at_most_lots(1)))
    room.does(dismiss("A", "B"), "12:02")
    room.close("16:00")
    room.does(CounterIfBid(amount_minor=600_00, **IN_LOT), "16:05")
    room.does(admit("A", "C"), "16:10")
    for accepted in (False, True):
        answer = AnswerCounter(
            sale_id=SALE, lot_id=LotId("1"), bidder_id=BidderId("A"), accepted=accepted
        )
        if accepted:
            room.does(CounterIfBid(amount_minor=600_00, **IN_LOT), "16:11")
        room.does(answer)
    return room


def cancelled() -> Room:
    """Lots are moved, then the sale is cancelled in a pause; one lot had come to its end."""
    room = Room(
        a_lot("1", "12:00"),
        a_lot("2", opens_at_us=at("13:00"), latest_end_us=at("17:00")),
        a_lot("3", reserve_minor=900_00),
    )
    room.bid("A", 500_00)
    room.bid("A", 500_00, lot="3")
    room.does(move_lots(("2", "14:00", "18:00")), "11:00")
    room.does(PauseSale(reason="a flood", **IN_SALE), "12:30")
    room.does(cancel(), "13:00")
    room.does(ResumeSale(**IN_SALE), "13:01")
    room.close("13:02")
    return room


def seized() -> Room:
    """A sale that is cancelled after a bid, as only law and safety may ask."""
    room = Room()
    room.bid("A", 500_00)
    room.does(cancel(WithdrawalCause.LAW))
    return room


ROOMS: Final = [
    busy,
    linked,
    paused,
    whole_dollars,
    lowered,
    voided,
    revived_none,
    held,
    expired,
    declined,
    accepted,
    unsold,
    recalled,
    limited,
    budgeted,
    invited,
    cancelled,
    seized,
]


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_found_in_what_the_engine_wrote(room: Any) -> None:
    assert audit(sealed(story_of(room()))) == []


def test_the_forgers_pen_writes_as_the_engine_does() -> None:
    """So that what is found in a forged log is the forgery."""
    room = busy()
    bodies = [logged.body for logged in sealed(story_of(room))]
    assert bodies == [body_of(recorded) for recorded in room.recorded]


def test_the_sales_have_events_of_every_type() -> None:
    seen = {type(event) for room in ROOMS for event in room().events}
    assert seen == set(EVENT_TYPES.values())


# Changed bytes: without the secret, no change goes unnoticed


def log_of(room: Room) -> list[LoggedEvent]:
    return sealed(story_of(room))


BUSY: Final = log_of(busy())


@pytest.mark.parametrize("at_", range(len(BUSY)))
def test_a_changed_byte_is_found_in_its_event(at_: int) -> None:
    body = BUSY[at_].body
    for index in range(0, len(body), 3):
        flipped = bytearray(body)
        flipped[index] ^= 1 << index % 8
        log = list(BUSY)
        log[at_] = replace(BUSY[at_], body=bytes(flipped))
        findings = audit(log)
        assert findings, f"byte {index} of event {at_ + 1}"
        assert findings[0].position == at_ + 1


def parts(logged: LoggedEvent) -> list[Any]:
    read: list[Any] = unpack(logged.body)
    return read


def with_part(logged: LoggedEvent, part: int, value: bytes) -> LoggedEvent:
    changed_parts = parts(logged)
    changed_parts[part] = value
    return replace(logged, body=pack(changed_parts))


def renumbered(log: list[LoggedEvent]) -> list[LoggedEvent]:
    return [replace(logged, position=position) for position, logged in enumerate(log, start=1)]


# Events of BUSY: 1 sale, 2-3 lots, 4-7 bidders, 8 A 500, 9 B 1,000, 10 raise, 11 C 950...
RAW: Final[dict[str, tuple[list[LoggedEvent], Check, str]]] = {
    "an event is dropped": (BUSY[:8] + BUSY[9:], Check.POSITION, "it follows position 8"),
    "an event is dropped and the rest renumbered": (
        renumbered(BUSY[:8] + BUSY[9:]),
        Check.NUMBER,
        "sequence 6 follows 4",
    ),
    "a private event is dropped and the rest renumbered": (
        renumbered(BUSY[:9] + BUSY[10:]),
        Check.COMMITMENT,
        "it does not open with the sale's secret",
    ),
    "the last event is dropped": (
        BUSY[:-1],
        Check.POSITION,
        f"the log ends here, and its shard says at {len(BUSY)}",
    ),
    "two events are swapped": (
        renumbered([*BUSY[:7], BUSY[8], BUSY[7], *BUSY[9:]]),
        Check.NUMBER,
        "sequence 5 follows 3",
    ),
    "two rows are swapped": (
        [*BUSY[:7], BUSY[8], BUSY[7], *BUSY[9:]],
        Check.POSITION,
        "it follows position 7",
    ),
    "an event stands twice": (
        renumbered([*BUSY[:8], *BUSY[7:]]),
        Check.NUMBER,
        "sequence 4 follows 4",
    ),
    "an epoch falls": (
        [*BUSY[:8], replace(BUSY[8], epoch=3), *BUSY[9:]],
        Check.EPOCH,
        "epoch 1 follows 3",
    ),
    "another commitment": (
        [*BUSY[:8], with_part(BUSY[8], 3, bytes(32)), *BUSY[9:]],
        Check.HASH,
        "it is not the hash of this event after the one before it",
    ),
    "another commitment of a private event": (
        [*BUSY[:9], with_part(BUSY[9], 3, bytes(32)), *BUSY[10:]],
        Check.COMMITMENT,
        "it does not open with the sale's secret",
    ),
    "another hash": (
        [*BUSY[:8], with_part(BUSY[8], 4, bytes(32)), *BUSY[9:]],
        Check.HASH,
        "it is not the hash of this event after the one before it",
    ),
    "another private part": (
        [*BUSY[:8], with_part(BUSY[8], 2, parts(BUSY[7])[2]), *BUSY[9:]],
        Check.COMMITMENT,
        "it does not open with the sale's secret",
    ),
    "a row of another sale": (
        [*BUSY[:8], replace(BUSY[8], sale_id=SaleId("S-2")), *BUSY[9:]],
        Check.BODY,
        "it says that it is of sale S-1",
    ),
    "a row of another shard": (
        [*BUSY[:8], replace(BUSY[8], shard=Shard(SHARD - 1)), *BUSY[9:]],
        Check.POSITION,
        f"the sale belongs to shard {SHARD}",
    ),
    "a body that cannot be read": (
        [*BUSY[:8], replace(BUSY[8], body=b"gone"), *BUSY[9:]],
        Check.BODY,
        "not MessagePack",
    ),
    "a body in another packing": (
        [*BUSY[:8], replace(BUSY[8], body=b"\xdc\0\5" + BUSY[8].body[1:]), *BUSY[9:]],
        Check.BODY,
        "it is not packed as the engine packs",
    ),
    "without its beginning": (
        renumbered(BUSY[1:]),
        Check.COMMITMENT,
        "the sale's secret is not known by then",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_a_changed_log_is_found_out(name: str) -> None:
    log, check, says = RAW[name]
    findings = audit(log, head=len(BUSY) if name == "the last event is dropped" else len(log))
    assert [f for f in findings if f.check is check and f.message.startswith(says)], findings


def test_one_change_is_not_a_hundred_findings() -> None:
    for log, _, _ in RAW.values():
        assert len(audit(log)) <= 30


def test_a_finding_names_its_place() -> None:
    (finding,) = [f for f in audit(RAW["another hash"][0]) if f.position == 9]
    assert (finding.sale_id, finding.shard) == (SALE, SHARD)
    assert str(finding) == (
        "shard 61 position 9 sale S-1: hash: "
        "it is not the hash of this event after the one before it"
    )


def test_an_unreadable_event_does_not_hide_another_sales_faults() -> None:
    log = [*BUSY[:8], replace(BUSY[8], body=b"gone"), *BUSY[9:]]
    log[12] = with_part(log[12], 4, bytes(32))
    assert {f.position for f in audit(log) if f.check is Check.HASH} >= {13, 15}


def test_a_private_field_in_the_public_part_is_found() -> None:
    format_, public, private, commitment, hash_ = parts(BUSY[8])
    fields = unpack(private)
    shown = unpack(public) | {"bidder_id": fields.pop("bidder_id")}
    body = pack((format_, pack(shown), pack(fields), commitment, hash_))
    findings = audit([*BUSY[:8], replace(BUSY[8], body=body), *BUSY[9:]])
    assert "it is not packed as the engine packs" in [f.message for f in findings]


def test_events_of_one_sale_may_have_gaps_between_their_positions() -> None:
    shard = ShardAudit(SHARD, gapless=False)
    log = [BUSY[0], *BUSY[3:5]]
    positions = [f for e in log for f in shard.check(e) if f.check is Check.POSITION]
    positions += [f for f in shard.check(BUSY[2]) if f.check is Check.POSITION]
    assert [f.message for f in positions] == ["it follows position 5"]


# In BUSY 10 is B's raise, 11 C's bid on lot 1, 17 the hammer on lot 1, 19 the sale's end.
SLIPS: Final[dict[str, tuple[int, Slip, Check, str]]] = {
    "sequence": (
        11,
        lambda sale: setattr(sale, "sequence", sale.sequence + 1),
        Check.NUMBER,
        "sequence 7 follows 5",
    ),
    "lot sequence": (
        11,
        lambda sale: sale.lot_sequences.update({LotId("1"): 7}),
        Check.NUMBER,
        "lot_sequence is 8, and not 4",
    ),
    "owner sequence": (
        10,
        lambda sale: sale.owner_sequences.update({"B": 0}),
        Check.NUMBER,
        "owner_sequence is 1, and not 2",
    ),
    "hash": (
        11,
        lambda sale: setattr(sale, "head", bytes(32)),
        Check.HASH,
        "it is not the hash of this event after the one before it",
    ),
    "secret": (
        10,
        lambda sale: setattr(sale, "secret", bytes(32)),
        Check.COMMITMENT,
        "it does not open with the sale's secret",
    ),
    "a commitment that the lot's end does not carry": (
        17,
        lambda sale: sale.open_commitments["1"].pop(),
        Check.COMMITMENT,
        "it does not carry the commitments of the private events",
    ),
    "commitments in another order": (
        17,
        lambda sale: sale.open_commitments["1"].reverse(),
        Check.COMMITMENT,
        "it does not carry the commitments of the private events",
    ),
    "a commitment that the sale's end does not carry": (
        19,
        lambda sale: sale.open_commitments[""].pop(),
        Check.COMMITMENT,
        "it does not carry the commitments of the private events",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_the_forgers_pen_is_found_where_it_happened(name: str) -> None:
    position, slip, check, says = SLIPS[name]
    findings = audit(sealed(story_of(busy()), (position, slip)))
    assert findings[0].position == position
    assert (findings[0].check, findings[0].message) == (check, says)


# Snapshots: recovery starts from one, so it must be the fold of what is before it


def snapshot_after(room: Room, position: int, **twist: Any) -> StoredSnapshot:
    """The snapshot of the room's shard after this position, with other fields of its sale."""
    state = ShardState(SHARD, epoch=1)
    for recorded in room.recorded[:position]:
        state.fold(recorded)
    state.sales[SALE] = replace(state.sales[SALE], **twist)
    kept = state.snapshot(now_us=0).snapshot
    return StoredSnapshot(kept.position, kept.state, [kept.accepted])


def audit_with(room: Room, snapshot: StoredSnapshot) -> list[str]:
    shard = ShardAudit(SHARD, snapshot=snapshot)
    findings = [f for logged in log_of(room) for f in shard.check(logged)]
    findings += shard.end(len(room.recorded))
    assert {f.check for f in findings} <= {Check.SNAPSHOT}
    return [f"{f.position}: {f.message}" for f in findings]


@pytest.mark.parametrize("position", [1, 8, 11, 16, 19])
def test_a_snapshot_is_the_fold_of_the_events_before_it(position: int) -> None:
    room = busy()
    assert audit_with(room, snapshot_after(room, position)) == []


@pytest.mark.parametrize(
    "twist", [{"sequence": 9}, {"secret": bytes(32)}, {"lots": {}}, {"sale_id": SaleId("S-2")}]
)
def test_a_snapshot_that_says_otherwise_is_found(twist: dict[str, Any]) -> None:
    room = busy()
    said = audit_with(room, snapshot_after(room, 11, **twist))
    assert set(said) == {"11: the snapshot is not what the events before it fold to"}


def test_a_snapshot_that_lost_an_accepted_bid_is_found() -> None:
    room = busy()
    snapshot = replace(snapshot_after(room, 11), accepted=[])
    assert audit_with(room, snapshot) == [
        "11: the snapshot is not what the events before it fold to"
    ]


def test_a_snapshot_of_what_is_not_in_the_log_is_found() -> None:
    room = busy()
    snapshot = replace(snapshot_after(room, 19), position=20)
    assert audit_with(room, snapshot) == ["19: there is a snapshot of position 20"]


def test_a_snapshot_of_another_version_is_passed_over_as_recovery_does() -> None:
    room = busy()
    assert audit_with(room, replace(snapshot_after(room, 11), state=b"\x92\x63\xc0")) == []


# Told otherwise: every number and hash fits, and what happened does not

B_AT_OPENING: Final = BidPlaced(
    lot_id=LotId("1"),
    paddle=Paddle(102),
    leader=Paddle(101),
    price_minor=305_00,
    next_minimum_minor=310_00,
    reserve=NONE,
    bid_count=2,
    bidder_id=BidderId("B"),
    bid_id=new_bid_id(),
    maximum_minor=300_00,
    freight_minor=0,
    person_id=None,
)


def cut_after(kind: Any, number: int = 0) -> Edit:
    """The log ends with this event."""

    def edit(story: Story) -> None:
        del story[index_of(story, kind, number) + 1 :]

    return edit


def both(*edits: Edit) -> Edit:
    def edit(story: Story) -> None:
        for one in edits:
            one(story)

    return edit


def raised(bidder: str, amount_minor: int, lot: str = "1") -> MaximumRaised:
    return MaximumRaised(
        lot_id=LotId(lot),
        bidder_id=BidderId(bidder),
        bid_id=new_bid_id(),
        maximum_minor=amount_minor,
        freight_minor=0,
        person_id=None,
    )


def moving(reason: MoveReason, *ends: tuple[str, str], dark_us: int | None = None) -> EndsMoved:
    moved_ends = tuple(MovedEnd(LotId(lot), at(clock), None) for lot, clock in ends)
    return EndsMoved(reason=reason, cause_lot_id=None, dark_us=dark_us, ends=moved_ends)


def moving_lot(**fields: Any) -> Edit:
    """Another story of the lot that was moved."""

    def edit(story: Story) -> None:
        event = story[index_of(story, LotsRescheduled)].event
        assert isinstance(event, LotsRescheduled)
        changed(LotsRescheduled, lots=(replace(event.lots[0], **fields),))(story)

    return edit


CANCELLED: Final = SaleCancelled(
    cause=WithdrawalCause.SELLER, reason="a flood", actor_id=STAFF_MEMBER
)
STATUS: Final = ReserveStatusChanged(
    lot_id=LotId("1"), reserve=MET, price_minor=500_00, next_minimum_minor=510_00
)
LOWERED: Final = ReserveChanged(lot_id=LotId("1"), reserve_minor=450_00, actor_id=STAFF_MEMBER)
EXTENDED: Final = EndExtended(
    lot_id=LotId("1"), closes_at_us=at("16:05"), extensions=1, final=False
)
TO_A: Final = (Allocation(Paddle(101), 1, 975_00, 975_00),)

SOLD_TO_A: Final = LotSold(
    lot_id=LotId("1"),
    hammer_price_minor=100_00,
    reserve=NONE,
    allocations=(Allocation(Paddle(101), 1, 100_00, 100_00),),
    winners=(BidderId("A"),),
)


def repeated_bid_id(story: Story) -> None:
    first = story[index_of(story, BidPlaced, 1)].event
    assert isinstance(first, BidPlaced)
    changed(MaximumRaised, bid_id=first.bid_id)(story)


FORGED: Final[dict[str, list[tuple[Any, Edit, str]]]] = {
    "sale": [
        (busy, again(SaleScheduled), "the sale was scheduled before"),
        (busy, at_the_end(BidPlaced), "something happened in public after the sale had closed"),
        (busy, again(LotScheduled), "the lot was scheduled before"),
        (busy, changed(BidPlaced, lot_id=LotId("9")), "there is no lot 9"),
        (busy, changed(MaximumRaised, lot_id=LotId("9")), "there is no lot 9"),
        (busy, changed(LotScheduled, closes_at_us=at("09:59")), "it closes before it opens"),
        (
            busy,
            changed(LotScheduled, closes_at_us=at("10:00")),
            "it closed before it was scheduled",
        ),
        (busy, changed(LotScheduled, reserve=MET), "a reserve is met by a bid"),
        (busy, changed(LotScheduled, reserve=NONE), "the reserve's status is another one"),
        (busy, changed(SaleClosed, sold=1), "sold is 1, and not 2"),
        (busy, without(SaleClosed), "SaleClosed had to follow and is missing"),
        (busy, again(SaleClosed), "not every lot has ended, or it closed before"),
        (
            busy,
            inserted(LotSold, 0, SaleClosed(sold=1, passed=1, withdrawn=0)),
            "not every lot has ended, or it closed before",
        ),
        (busy, both(moved(BidPlaced, 2, -1_000 * SECOND_US)), "it is earlier than the shard's"),
    ],
    "bids": [
        (busy, inserted(LotSold, 0, raised("B", 1_300_00)), "a bid while the lot was not open"),
        (busy, again(BidPlaced, 2, 6), "a bid while the lot was not open"),
        (busy, moved(BidPlaced, 0, -3 * HOUR_US), "a bid while the lot was not open"),
        (paused, inserted(SalePaused, 0, B_AT_OPENING), "a bid while the sale was paused"),
        (paused, inserted(SalePaused, 0, raised("A", 600_00)), "a bid while the sale was paused"),
        (busy, changed(BidPlaced, 1, price_minor=499_00), "the price fell"),
        (busy, changed(BidPlaced, 0, price_minor=99_00), "a price below the opening bid"),
        (busy, changed(BidPlaced, 1, bid_count=3), "the bids are counted wrongly"),
        (busy, changed(BidPlaced, 1, leader=Paddle(103)), "the lead went to one who did not bid"),
        (busy, changed(BidPlaced, 1, reserve=NONE), "the reserve changed by a bid"),
        (busy, changed(BidPlaced, 1, next_minimum_minor=905_00), "the next minimum is wrong"),
        (
            busy,
            again(BidPlaced, 1, bid_count=3, maximum_minor=1_100_00, bid_id=new_bid_id()),
            "the leader's raise changed nothing, and is public",
        ),
        (busy, changed(BidPlaced, 1, leader=Paddle(101)), "the leader is another one"),
        (busy, changed(BidPlaced, 2, price_minor=970_00), "the maxima make another price"),
        (busy, changed(BidPlaced, 2, price_minor=980_00), "the maxima make another price"),
        (busy, changed(BidPlaced, 2, maximum_minor=960_00), "the maxima make another price"),
        (busy, changed(BidPlaced, 1, reserve=NOT_MET), "the reserve's status is another one"),
        (busy, changed(BidPlaced, 1, paddle=Paddle(104)), "not their paddle"),
        (busy, changed(BidPlaced, 1, maximum_minor=500_00), "the bid was below the minimum"),
        (busy, changed(BidPlaced, 1, bidder_id=BidderId("Z")), "the bidder is not registered"),
        (busy, changed(MaximumRaised, bidder_id=BidderId("Z")), "the bidder is not registered"),
        (
            busy,
            changed(MaximumRaised, maximum_minor=1_000_00),
            "the bid does not raise the bidder's own maximum",
        ),
        (
            busy,
            changed(MaximumRaised, bidder_id=BidderId("A")),
            "only the leader raises in private",
        ),
        (
            lowered,
            inserted(BidPlaced, 0, raised("A", 600_00)),
            "a raise with effect on price or reserve was kept private",
        ),
        (
            lowered,
            inserted(BidPlaced, 0, raised("A", 900_00)),
            "a raise with effect on price or reserve was kept private",
        ),
        (
            busy,
            changed(SaleScheduled, seller_ids=(BidderId("B"),)),
            "a seller bid on its own goods",
        ),
        (busy, changed(SaleScheduled, liquidator_id="B"), "a seller bid on its own goods"),
        (busy, changed(LotScheduled, consignor_id=BidderId("B")), "a seller bid on its own goods"),
        (
            busy,
            changed(LotScheduled, restrictions=("export only",)),
            "the bidder had not accepted the terms",
        ),
        (
            busy,
            changed(BidderRegistered, terms_version=2),
            "the bidder had not accepted the terms",
        ),
        (busy, repeated_bid_id, "the bid id stood before"),
        (whole_dollars, changed(BidPlaced, 1, maximum_minor=300_50), "not a multiple of the unit"),
    ],
    "ends": [
        (busy, without(EndExtended), "EndExtended had to come first"),
        (busy, cut_after(BidPlaced, -1), "EndExtended had to follow and is missing"),
        (busy, moved(EndExtended, 0, 1), "its time is not that of the event that it belongs to"),
        (busy, changed(EndExtended, extensions=2), "extensions is 2, and not 1"),
        (busy, changed(EndExtended, final=True), "final is True, and not False"),
        (
            busy,
            changed(EndExtended, closes_at_us=at("16:04")),
            f"closes_at_us is {at('16:04')}, and not {at('16:03')}",
        ),
        (
            busy,
            changed(EndExtended, closes_at_us=at("16:01")),
            "an extension moved the end earlier",
        ),
        (busy, inserted(BidPlaced, 0, EXTENDED), "no bid before it extends the lot"),
        (linked, without(EndsMoved), "EndsMoved had to come first"),
        (linked, changed(EndsMoved, ends=()), "ends is (), and not "),
        (
            linked,
            inserted(BidPlaced, 0, moving(MoveReason.LINKED, ("3", "17:00"))),
            "EndExtended had to come first",
        ),
        (
            busy,
            inserted(BidPlaced, 0, moving(MoveReason.LINKED, ("2", "17:00"))),
            "nothing before it moves these ends",
        ),
        (
            busy,
            inserted(BidPlaced, 0, moving(MoveReason.PAUSE, ("2", "17:00"))),
            "nothing before it moves these ends",
        ),
        (
            busy,
            inserted(BidPlaced, 0, moving(MoveReason.OUTAGE, ("9", "17:00"), dark_us=0)),
            "the end of lot 9 cannot move so",
        ),
        (
            busy,
            inserted(BidPlaced, 0, moving(MoveReason.OUTAGE, ("1", "15:00"), dark_us=0)),
            "the end of lot 1 cannot move so",
        ),
        (
            paused,
            inserted(SalePaused, 0, moving(MoveReason.OUTAGE, ("1", "17:00"), dark_us=0)),
            "a paused sale's ends moved for an outage",
        ),
        (
            paused,
            changed(EndsMoved, -1, dark_us=4 * MINUTE_US),
            "the outage began before the event before it",
        ),
        (
            paused,
            changed(EndsMoved, -1, ends=(MovedEnd(LotId("1"), at("17:00"), at("17:30")),)),
            "an outage moves the ends otherwise",
        ),
        (paused, without(EndsMoved), "EndsMoved had to come first"),
        (paused, changed(EndsMoved, dark_us=1), "dark_us is 1, and not "),
        (paused, again(SalePaused), "the sale was paused before"),
        (paused, again(SaleResumed, 0, 1), "the sale was not paused"),
    ],
    "reserve": [
        (lowered, without(ReserveStatusChanged), "ReserveStatusChanged had to come first"),
        (lowered, cut_after(ReserveChanged), "ReserveStatusChanged had to follow"),
        (lowered, without(ReserveChanged), "no change of the reserve before it"),
        (
            lowered,
            changed(ReserveStatusChanged, reserve=NONE),
            "the reserve's status is another one",
        ),
        (
            lowered,
            changed(ReserveStatusChanged, reserve=NOT_MET),
            "the reserve's status is as before",
        ),
        (
            lowered,
            changed(ReserveStatusChanged, price_minor=400_00),
            "a change of the reserve moved the price",
        ),
        (
            lowered,
            changed(ReserveStatusChanged, next_minimum_minor=505_00),
            "a change of the reserve moved the minimum",
        ),
        (
            lowered,
            again(ReserveStatusChanged, reserve=NOT_MET),
            "a reserve was raised after the first bid",
        ),
        (lowered, changed(ReserveChanged, reserve_minor=950_00), "the reserve was not lowered"),
        (lowered, changed(ReserveChanged, reserve_minor=900_00), "the reserve was not lowered"),
        (
            lowered,
            inserted(LotSold, 0, LOWERED),
            "the reserve of a lot that had ended was changed",
        ),
        (
            lowered,
            both(
                moved(ReserveChanged, 0, 5 * HOUR_US), moved(ReserveStatusChanged, 0, 5 * HOUR_US)
            ),
            "the reserve of a lot that had ended was changed",
        ),
    ],
    "voids": [
        (voided, again(BidsVoided), "the bidder has no bid that stands"),
        (voided, changed(BidsVoided, leader=Paddle(102)), "the leader is another one"),
        (
            voided,
            changed(BidsVoided, leader=Paddle(103)),
            "the lead went to one whose bids do not stand",
        ),
        (voided, changed(BidsVoided, leader=None), "a price without a leader"),
        (voided, changed(BidsVoided, price_minor=300_00), "the maxima make another price"),
        (voided, changed(BidsVoided, reserve=MET), "a void changed the reserve"),
        (voided, changed(BidsVoided, next_minimum_minor=400_00), "the next minimum is wrong"),
        (voided, changed(BidsVoided, paddle=Paddle(102)), "not their paddle"),
        (voided, moved(BidsVoided, 0, 5 * HOUR_US), "bids were voided after the lot's end"),
        (
            revived_none,
            changed(BidsVoided, leader=Paddle(101), price_minor=305_00, next_minimum_minor=310_00),
            "the lead went to one whose bids do not stand",
        ),
    ],
    "bidders": [
        (busy, changed(BidderRegistered, 1, paddle=Paddle(104)), "the paddle is not theirs"),
        (
            busy,
            again(BidderRegistered, 0, 0, paddle=Paddle(105)),
            "the paddle is not theirs, or not the next one",
        ),
        (
            busy,
            changed(SaleScheduled, seller_ids=(BidderId("D"),)),
            "a seller was registered as a bidder",
        ),
        (busy, changed(BidderRegistered, terms_version=2), "not the terms of this sale"),
        (
            busy,
            changed(SaleScheduled, terms=replace(EBAY_TERMS, deposit_minor=1)),
            "registered without the deposit or certificate that is asked for",
        ),
        (
            busy,
            changed(SaleScheduled, terms=replace(EBAY_TERMS, certificate_required=True)),
            "registered without the deposit or certificate that is asked for",
        ),
        (
            limited,
            changed(BidderRegistered, limit_minor=1_200_00),
            "the bid was beyond the bidder's limit",
        ),
        (
            limited,
            changed(BidderRegistered, limit_minor=500_00 + 75_00 + 47_43 - 1),
            "the bid was beyond the bidder's limit",
        ),
        (limited, without(LimitChanged), "the bid was beyond the bidder's limit"),
        (limited, without(AwardFunded), "the bid was beyond the bidder's limit"),
        (
            limited,
            changed(LimitChanged, limit_minor=1_400_00),
            "the bid was beyond the bidder's limit",
        ),
    ],
    "budgets": [
        (
            budgeted,
            changed(BudgetsSet, budgets=(at_most_lots(1, "1", "2"),)),
            "the bid was beyond a budget of the bidder's",
        ),
        (
            budgeted,
            changed(BudgetsSet, budgets=(at_most_all_in(1_999_99),)),
            "the bid was beyond a budget of the bidder's",
        ),
        (
            budgeted,
            changed(BudgetsSet, budgets=(ceiling("dana", 899_99),)),
            "the bid was beyond a budget of the bidder's",
        ),
        (
            budgeted,
            changed(BidPlaced, 3, person_id=PersonId("dana")),
            "the bid was beyond a budget of the bidder's",
        ),
        (
            budgeted,
            changed(MaximumRaised, maximum_minor=1_545_01),
            "the bid was beyond a budget of the bidder's",
        ),
        (
            budgeted,
            changed(BudgetsSet, bidder_id=BidderId("Z")),
            "the bidder is not registered",
        ),
        (budgeted, at_the_end(BudgetsSet), "budgets were set after the sale had closed"),
    ],
    "audience": [
        (
            invited,
            changed(BiddersAdmitted, bidder_ids=(BidderId("A"),)),
            "the bidder was not admitted to the sale",
        ),
        (invited, again(BidPlaced, 1, 2), "the bidder was not admitted to the sale"),
        (invited, again(BidderRegistered, 0, 5), "the bidder was not admitted to the sale"),
        (invited, again(BudgetsSet, 0, 1), "the bidder was not admitted to the sale"),
        (invited, without(BiddersAdmitted, 1), "the bidder was not admitted to the sale"),
        (
            invited,
            both(without(BiddersAdmitted, 1), without(CounterDeclined)),
            "the bidder was not admitted to the sale",
        ),
        (invited, without(BiddersDismissed), "a bidder was in already"),
        (invited, again(BiddersDismissed), "a bidder was not in"),
        (
            invited,
            changed(BiddersDismissed, bidder_ids=(BidderId("A"), BidderId("A"))),
            "a bidder twice, or none",
        ),
        (invited, changed(BiddersDismissed, bidder_ids=()), "a bidder twice, or none"),
        (
            invited,
            changed(SaleScheduled, audience=SaleAudience.PUBLIC),
            "a public sale is for everybody",
        ),
        (
            invited,
            at_the_end(BiddersDismissed),
            "bidders were chosen after the sale had closed",
        ),
    ],
    "a cancelled sale": [
        (cancelled, again(SaleCancelled), "the sale was cancelled before"),
        (
            cancelled,
            moved(LotWithdrawn, 0, SECOND_US),
            "it is earlier than the shard's event before it",
        ),
        (
            cancelled,
            changed(LotWithdrawn, cause=WithdrawalCause.LAW),
            "withdrawn for another cause than its sale",
        ),
        (
            seized,
            changed(SaleCancelled, cause=WithdrawalCause.SELLER),
            "a lot without reserve was withdrawn after a bid",
        ),
        (cancelled, again(BidPlaced, 1, 3), "a bid in a sale that was cancelled"),
        (
            cancelled,
            again(LotScheduled, 1, 11, lot_id=LotId("9"), closes_at_us=at("17:00")),
            "a lot joined a sale that was cancelled",
        ),
        (cancelled, again(LotsRescheduled, 0, 2), "a cancelled sale's lots were moved"),
        (unsold, inserted(LotPassed, 1, CANCELLED, HOUR_US), "no lot was still to close"),
    ],
    "lots that are moved": [
        (cancelled, changed(LotsRescheduled, lots=()), "no lot was moved"),
        (cancelled, moving_lot(old_opens_at_us=at("12:00")), "lot 2 was at other times before"),
        (cancelled, moving_lot(old_closes_at_us=at("15:00")), "lot 2 was at other times before"),
        (cancelled, moving_lot(opens_at_us=at("11:00")), "lot 2 cannot be moved so"),
        (cancelled, moving_lot(closes_at_us=at("14:00")), "lot 2 cannot be moved so"),
        (
            cancelled,
            moving_lot(latest_end_us=at("17:00")),
            "the latest end moves with the end",
        ),
        (cancelled, moving_lot(lot_id=LotId("1")), "bidding on lot 1 had begun"),
        (cancelled, moving_lot(lot_id=LotId("9")), "bidding on lot 9 had begun, or it is no lot"),
    ],
    "results": [
        (busy, moved(LotSold, 0, -1), "the lot's end had not come"),
        (busy, changed(LotSold, hammer_price_minor=970_00), "the hammer price is not the price"),
        (busy, changed(LotSold, allocations=TO_A), "it was not sold to the leader"),
        (busy, changed(LotSold, allocations=()), "it was not sold to the leader"),
        (busy, changed(LotSold, winners=(BidderId("A"),)), "it was not sold to the leader"),
        (busy, changed(LotSold, reserve=NONE), "the reserve's status is another one"),
        (busy, again(LotSold, 0, 0), "the lot had ended before"),
        (
            lowered,
            both(without(ReserveChanged), without(ReserveStatusChanged)),
            "sold below the reserve",
        ),
        (busy, both(*[without(BidPlaced, 0)] * 3, without(MaximumRaised)), "sold without a bid"),
        (paused, inserted(SalePaused, 0, SOLD_TO_A, 10 * MINUTE_US), "the lot's end had not come"),
        (
            unsold,
            changed(LotPassed, 0, reason=PassReason.RESERVE_NOT_MET),
            "the lot could not pass for RESERVE_NOT_MET",
        ),
        (
            unsold,
            changed(LotPassed, 1, reason=PassReason.NO_BIDS),
            "the lot could not pass for NO_BIDS",
        ),
        (
            unsold,
            changed(LotPassed, 1, reason=PassReason.IF_BID_DECLINED),
            "the lot could not pass for IF_BID_DECLINED",
        ),
        (
            unsold,
            changed(LotPassed, 1, reason=PassReason.IF_BID_EXPIRED),
            "the lot could not pass for IF_BID_EXPIRED",
        ),
        (
            unsold,
            changed(LotPassed, 1, price_minor=600_00),
            "it is not the price that was reached",
        ),
        (
            recalled,
            changed(LotWithdrawn, cause=WithdrawalCause.SELLER),
            "a lot without reserve was withdrawn after a bid",
        ),
        (unsold, moved(LotWithdrawn, 0, 2 * HOUR_US), "the lot was withdrawn after its end"),
        (
            unsold,
            changed(LotWithdrawn, lot_id=LotId("2")),
            "the lot was withdrawn after its end",
        ),
    ],
    "held bids": [
        (held, moved(IfBidOpened, 0, -1), "the lot's end had not come"),
        (held, changed(SaleScheduled, terms=EBAY_TERMS), "the terms hold no such bid"),
        (held, changed(IfBidOpened, price_minor=400_00), "it is not the leading bid that is held"),
        (held, changed(IfBidOpened, paddle=Paddle(101)), "it is not the leading bid that is held"),
        (
            held,
            changed(IfBidOpened, bidder_id=BidderId("A")),
            "the bid that is held is not the leader's",
        ),
        (held, changed(IfBidOpened, until_us=at("18:00")), "it is held until another time"),
        (
            held,
            changed(IfBidCountered, bidder_id=BidderId("A")),
            "no bid is held that could be countered",
        ),
        (held, without(IfBidOpened), "no bid is held that could be countered"),
        (held, moved(IfBidCountered, 1, HOUR_US), "no bid is held that could be countered"),
        (
            held,
            changed(IfBidCountered, amount_minor=500_00),
            "a counter-offer that asks for no more than the bid",
        ),
        (held, again(CounterDeclined), "no counter-offer was open"),
        (held, changed(CounterDeclined, bidder_id=BidderId("A")), "no counter-offer was open"),
        (
            held,
            changed(LotSold, hammer_price_minor=700_00),
            "neither the price nor the counter-offer",
        ),
        (held, changed(LotSold, hammer_price_minor=499_00), "sold below the price"),
        (
            held,
            changed(BidderRegistered, 1, limit_minor=600_00),
            "the bid was beyond the bidder's limit",
        ),
        (
            accepted,
            both(moved(LotSold, 0, 40 * MINUTE_US), moved(SaleClosed, 0, 40 * MINUTE_US)),
            "the held bid was free by then",
        ),
        (
            declined,
            changed(LotPassed, reason=PassReason.IF_BID_EXPIRED),
            "the lot could not pass for IF_BID_EXPIRED",
        ),
        (
            expired,
            changed(LotPassed, reason=PassReason.IF_BID_DECLINED),
            "the lot could not pass for IF_BID_DECLINED",
        ),
        (limited, again(AwardFunded), "the bidder owes nothing for the lot"),
        (limited, changed(AwardFunded, bidder_id=BidderId("B")), "the bidder owes nothing"),
    ],
}
CASES: Final = [(group, *case) for group, cases in FORGED.items() for case in cases]


@pytest.mark.parametrize(
    ("group", "room", "edit", "says"), CASES, ids=[f"{c[0]}: {c[3]}" for c in CASES]
)
def test_a_story_that_cannot_have_happened_is_found(
    group: str, room: Any, edit: Edit, says: str
) -> None:
    story = story_of(room())
    edit(story)
    findings = audit(sealed(story))
    assert {f.check for f in findings} <= {Check.RULES, Check.FOLD, Check.TIME}, findings
    assert [f for f in findings if says in f.message], findings


def test_no_finding_tells_a_maximum_or_a_reserve() -> None:
    secrets = {"maximum_minor", "reserve_minor", "limit_minor"}
    for _, room, edit, _ in CASES:
        story = story_of(room())
        edit(story)
        told = {
            str(value)
            for _, event in story
            for name, value in asdict(event).items()
            if name in secrets and isinstance(value, int)
        }
        public = {
            str(value)
            for _, event in story
            for name, value in asdict(event).items()
            if name not in secrets
        }
        for finding in audit(sealed(story)):
            words = set(finding.message.replace(",", " ").split())
            assert not words & (told - public), finding


def test_amounts_that_make_no_sense_are_found_and_end_nothing() -> None:
    for amount_minor in (-5, 2**63 - 1):
        story = story_of(busy())
        changed(BidPlaced, 1, price_minor=amount_minor)(story)
        assert audit(sealed(story))


def test_what_cannot_be_folded_is_found_even_if_the_rules_are_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Recovery's fold is a check of its own."""
    monkeypatch.setattr("auction.audit_private.PrivateStory.check", lambda _self, _event: [])
    monkeypatch.setattr("auction.audit_public.PublicStory.check", lambda _self, _event, _at: [])
    story = story_of(busy())
    changed(BidPlaced, 1, price_minor=499_00)(story)
    findings = audit(sealed(story))
    assert [(f.check, f.message) for f in findings] == [
        (Check.FOLD, "it does not fold: AssertionError: the price fell")
    ]


def test_a_fold_that_differs_from_what_was_told_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_extensions(_story: object, _event: EndExtended) -> None:
        """As a retelling, or an engine, that forgets an extension."""

    monkeypatch.setattr("auction.audit_public.PublicStory._end_extended", lose_extensions)
    messages = [f.message for f in audit(BUSY) if f.check is Check.FOLD]
    assert messages == ["the fold of lot 2 is not what was told"]
