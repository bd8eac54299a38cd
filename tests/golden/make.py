"""Write the golden files that are missing: ``python -m tests.golden.make``.

A golden file holds the bytes that a log somewhere holds, so it is added once and never edited:
for each event type and version ``events/<type>.v<version>.hex`` with the body in hexadecimal
and what it says beside it in ``.json``; for each whole sale ``sales/<name>.hex`` with a body a
line in the order of positions, and in ``.json`` how the sale came out.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from auction.chain import body_of, seal
from auction.codec import Recorded
from auction.commands import (
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
from auction.events import AnyEvent
from auction.ids import ActorId, BidderId, BidId, LotId, PersonId
from auction.sale import Sale
from auction.terms import ClosingMode, Premium, PremiumTier, SaleAudience, Terms
from tests.builders import (
    FIVE_AND_FIVE,
    HOUR_US,
    HOUSE,
    SALE,
    SECRET,
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
    register,
    set_budgets,
    void,
    withdraw,
)
from tests.samples import SAMPLES

FOLDER: Final = Path(__file__).parent
POSITION: Final = 77
# The whole sale as it is written now. A new type or version of an event needs a new one: `full`
# is from before people and budgets, `full-with-budgets` from before invitations,
# `full-by-invitation` from before sellers were asked after the hammer.
LATEST: Final = "full-with-confirmation"


def before(sequence: int, lot_sequence: int, owner_sequence: int) -> Sale:
    """A sale whose next event gets these numbers; two commitments wait to be carried."""
    sale = Sale(SALE, liquidator_id=HOUSE, secret=SECRET, sequence=sequence - 1)
    lots = [LotId("12A")]
    owners = ["reseller-8", str(HOUSE)]
    sale.lot_sequences = dict.fromkeys(lots, lot_sequence - 1)
    sale.owner_sequences = dict.fromkeys(owners, owner_sequence - 1)
    waiting = [bytes([0xC0]) * 32, bytes([0xC1]) * 32]
    sale.open_commitments = {"12A": waiting, "": waiting[:1]}
    return sale


def sealed(event: AnyEvent) -> Recorded:
    """The event as the golden files hold it."""
    return seal(before(sequence=41, lot_sequence=7, owner_sequence=3), event, POSITION, at("15:58"))


def readable(recorded: Recorded) -> dict[str, Any]:
    """What a recorded event says, with bytes in hexadecimal."""
    plain = msgspec.to_builtins(recorded, builtin_types=(bytes,))
    del plain["public"], plain["private"]
    said: dict[str, Any] = _in_hex(plain)
    return said


def _in_hex(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {key: _in_hex(item) for key, item in value.items()}
        case list() | tuple():
            return [_in_hex(item) for item in value]
    return value


def outcome(sale: Sale) -> dict[str, Any]:
    """How a sale came out."""
    return {
        "sequence": sale.sequence,
        "head": sale.head.hex(),
        "closed": sale.closed,
        "lots": {
            lot.lot_id: {
                "status": lot.status.value,
                "price_minor": lot.price_minor,
                "leader": lot.leader,
                "closes_at_us": lot.closes_at_us,
                "extensions": lot.extensions,
                "bid_count": lot.bid_count,
            }
            for lot in sale.lots.values()
        },
        "exposures": {b: known.exposure_minor for b, known in sale.registrations.items()},
        "accepted": len(sale.accepted),
    }


def a_full_sale() -> Room:
    """Every type of event at least once: proxy bids, private raises, a reserve that is lowered,
    a void, a recall, linked extensions, a pause, an outage, if-bids, an award that is paid, a
    team with budgets, bidders who are invited and dismissed, a lot that is moved, a sale that is
    cancelled in the end."""
    terms = Terms(
        soft_close=FIVE_AND_FIVE,
        closing=ClosingMode.CASCADE,
        if_bid_us=24 * HOUR_US,
        premium=Premium(tiers=(PremiumTier(0, 1_500),)),
    )
    by: dict[str, Any] = {"sale_id": SALE, "actor_id": ActorId("user-31")}
    room = Room(
        a_lot("1", "16:00", reserve_minor=1_000_00),
        a_lot("2", "16:02", latest_end_us=at("17:30")),
        a_lot("3", "16:04", restrictions=("export only",)),
        a_lot("4", "16:06", reserve_minor=2_000_00, consignor_id=BidderId("retailer-3")),
        a_lot("5", "16:08", reserve_minor=3_000_00),
        a_lot("6", "16:10"),
        a_lot("7", "36:00", opens_at_us=at("34:00"), latest_end_us=at("37:00")),
        terms=terms,
        bidders="AB",
        sellers=("kin",),
        audience=SaleAudience.INVITE,
    )
    room.does(admit("B", "C", "Z"))
    room.does(register("C", restrictions=("export only",), deposit_minor=600_00, tax_bps=825))
    numbers = iter(range(1, 1_000))

    def bids(bidder: str, amount_minor: int, lot: str, when: str, person: str = "") -> None:
        bid_id = BidId(f"00000000-0000-4000-8000-{next(numbers):012x}")
        by_whom = PersonId(person) if person else None
        made = replace(bid(bidder, amount_minor, lot), bid_id=bid_id, person_id=by_whom)
        room.does(made, when)

    tonight = at_most_all_in(6_000_00, name="tonight")
    room.does(set_budgets("B", at_most_lots(2, "1", "2", "3"), tonight, ceiling("eli", 1_960_00)))
    bids("A", 800_00, "1", "11:00")
    bids("B", 1_500_00, "1", "11:05", "dana")
    bids("B", 1_700_00, "1", "11:06", "eli")
    bids("A", 300_00, "2", "11:10")
    bids("C", 250_00, "2", "11:11")
    room.does(SetLimit(bidder_id=BidderId("A"), limit_minor=9_000_00, **by))
    bids("A", 900_00, "4", "12:00")
    bids("B", 700_00, "5", "12:01")
    bids("A", 800_00, "6", "12:02")
    bids("C", 900_00, "6", "12:03")
    room.does(void("C", "6"), "12:30")
    room.does(change_reserve(2_500_00, "5"))
    room.does(change_reserve(700_00, "5"))
    bids("C", 400_00, "3", "12:40")
    room.does(withdraw("3", WithdrawalCause.RECALL), "13:00")
    room.does(PauseSale(reason="a fire alarm", **by), "15:50")
    room.does(ResumeSale(**by), "15:56")
    bids("C", 400_00, "2", "16:06")
    room.does(MoveEndsAfterOutage(sale_id=SALE, dark_from_us=at("16:07")), "16:07:20")
    room.close("16:30")
    room.does(CounterIfBid(lot_id=LotId("4"), amount_minor=1_200_00, **by))
    room.does(
        AnswerCounter(sale_id=SALE, lot_id=LotId("4"), bidder_id=BidderId("A"), accepted=False)
    )
    room.does(DeclineIfBid(lot_id=LotId("4"), **by))
    room.does(RecordFunding(lot_id=LotId("1"), bidder_id=BidderId("B"), **by), "17:00")
    room.does(dismiss("Z", "A"))
    room.does(move_lots(("7", "35:00", "39:00")), "20:00")
    room.does(cancel(), "36:00")
    room.close("40:00")
    return room


def files() -> dict[Path, str]:
    """All golden files of the present versions, by their place."""
    made: dict[Path, str] = {}
    for event in SAMPLES:
        recorded = sealed(event)
        place = FOLDER / "events" / f"{event.__struct_config__.tag}.v{event.VERSION}"
        made[place.with_suffix(place.suffix + ".hex")] = body_of(recorded).hex() + "\n"
        made[place.with_suffix(place.suffix + ".json")] = _json(readable(recorded))
    room = a_full_sale()
    bodies = "".join(body_of(recorded).hex() + "\n" for recorded in room.recorded)
    made[FOLDER / "sales" / f"{LATEST}.hex"] = bodies
    made[FOLDER / "sales" / f"{LATEST}.json"] = _json(outcome(room.sale))
    return made


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Add what is missing."""
    for place, text in files().items():
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_text(text, encoding="utf-8")
            print("added", place.relative_to(FOLDER))  # noqa: T201 - what a person asked for


if __name__ == "__main__":
    main()
