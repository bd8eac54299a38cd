"""The words of the dock: states, and why something is refused there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.terms import STORABLE
from foundation.refusals import RefusedBecause


class PickupState(StrEnum):
    """Where one truck's visit stands."""

    BOOKED = "BOOKED"
    CHECKED_IN = "CHECKED_IN"
    GONE = "GONE"  # signed for, and away with what was loaded
    CANCELLED = "CANCELLED"
    MISSED = "MISSED"  # nobody came


class ChargeKind(StrEnum):
    """For what a buyer is charged: at the dock, and for lots that it did not pay."""

    STORAGE = "STORAGE"
    MISSED_APPOINTMENT = "MISSED_APPOINTMENT"
    RELIST_FEE = "RELIST_FEE"


class ChargeState(StrEnum):
    """Where a charge stands."""

    OPEN = "OPEN"
    PAID = "PAID"
    WAIVED = "WAIVED"


class PickupRefusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    NOTHING_NAMED = "NOTHING_NAMED"
    TOO_MANY = "TOO_MANY"
    NOT_FUNDED = "NOT_FUNDED"
    DISPUTED = "DISPUTED"
    SENT_BY_HOUSE = "SENT_BY_HOUSE"
    FETCHED_BY_BUYER = "FETCHED_BY_BUYER"
    DIFFERENT_PLACES = "DIFFERENT_PLACES"
    ALREADY_BOOKED = "ALREADY_BOOKED"
    NOTHING_LEFT = "NOTHING_LEFT"
    NO_SUCH_SLOT = "NO_SUCH_SLOT"
    SLOT_TAKEN = "SLOT_TAKEN"
    TOO_LATE = "TOO_LATE"
    TOO_FAR_AHEAD = "TOO_FAR_AHEAD"
    NOT_NOW = "NOT_NOW"
    UNKNOWN_PALLET = "UNKNOWN_PALLET"
    WRONG_PALLET = "WRONG_PALLET"
    PALLET_GONE = "PALLET_GONE"
    NOT_LOADED = "NOT_LOADED"
    NOTHING_LOADED = "NOTHING_LOADED"
    CHARGES_OPEN = "CHARGES_OPEN"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_TIME = "BAD_TIME"
    BAD_DOCK = "BAD_DOCK"
    BAD_PHOTO = "BAD_PHOTO"
    BUSY = "BUSY"
    WHY_NEEDED = "WHY_NEEDED"
    NOT_OPEN = "NOT_OPEN"
    BAD_AMOUNT = "BAD_AMOUNT"
    NO_CARD = "NO_CARD"
    CARD_IS_ASKED = "CARD_IS_ASKED"
    BELOW_LEAST = "BELOW_LEAST"
    SECOND_PERSON = "SECOND_PERSON"
    SAME_PERSON = "SAME_PERSON"
    WRITE_OFF_IS_ASKED = "WRITE_OFF_IS_ASKED"
    NO_WRITE_OFF_ASKED = "NO_WRITE_OFF_ASKED"


MEANINGS: Final[Mapping[PickupRefusal, str]] = {
    PickupRefusal.NOT_FOUND: "There is nothing of that name here.",
    PickupRefusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again first.",
    PickupRefusal.NOTHING_NAMED: "Name at least one lot.",
    PickupRefusal.TOO_MANY: "There are as many as there can be.",
    PickupRefusal.NOT_FUNDED: "The lot is not paid, so it cannot be fetched.",
    PickupRefusal.DISPUTED: "The payment is disputed or was given back: the goods stay.",
    PickupRefusal.SENT_BY_HOUSE: "The lot is shipped to the buyer and is not fetched.",
    PickupRefusal.FETCHED_BY_BUYER: "The buyer fetches the lot; it is not shipped.",
    PickupRefusal.DIFFERENT_PLACES: "The lots do not stand at the same place.",
    PickupRefusal.ALREADY_BOOKED: "A pickup of the lot is booked already.",
    PickupRefusal.NOTHING_LEFT: "All of the lot has left already.",
    PickupRefusal.NO_SUCH_SLOT: "The dock is closed then, or no slot begins at that time.",
    PickupRefusal.SLOT_TAKEN: "The slot is taken. Choose another one.",
    PickupRefusal.TOO_LATE: "It is too late to book or change this. Call the dock.",
    PickupRefusal.TOO_FAR_AHEAD: "That day cannot be booked yet.",
    PickupRefusal.NOT_NOW: "That cannot be done in the state that it is in.",
    PickupRefusal.UNKNOWN_PALLET: "No pallet has this number.",
    PickupRefusal.WRONG_PALLET: "This pallet belongs to another load. Do not load it.",
    PickupRefusal.PALLET_GONE: "This pallet has left already.",
    PickupRefusal.NOT_LOADED: "This pallet is not on this truck.",
    PickupRefusal.NOTHING_LOADED: "No pallet was scanned onto this truck.",
    PickupRefusal.CHARGES_OPEN: "Charges are to be paid before the goods leave.",
    PickupRefusal.BAD_SIGNATURE: "This is not a signature.",
    PickupRefusal.BAD_TIME: "That cannot have happened then.",
    PickupRefusal.BAD_DOCK: "A dock cannot be worked like this.",
    PickupRefusal.BAD_PHOTO: "This is not a picture that can be read.",
    PickupRefusal.BUSY: "Too many pictures wait to be read. Try again in a moment.",
    PickupRefusal.WHY_NEEDED: "Say why.",
    PickupRefusal.NOT_OPEN: "The charge is paid or waived already.",
    PickupRefusal.BAD_AMOUNT: "That is not what is to be paid.",
    PickupRefusal.NO_CARD: "There is no saved card. Save one first.",
    PickupRefusal.CARD_IS_ASKED: "The card is being asked. Wait for its answer.",
    PickupRefusal.BELOW_LEAST: "No card can be charged so little: it is paid in another way.",
    PickupRefusal.SECOND_PERSON: "Two people give up such a fee: ask for it to be written off.",
    PickupRefusal.SAME_PERSON: "Another person than who asked has to agree.",
    PickupRefusal.WRITE_OFF_IS_ASKED: "Somebody has asked already: another person decides.",
    PickupRefusal.NO_WRITE_OFF_ASKED: "Nobody asks for that any more.",
}


class Refused(RefusedBecause[PickupRefusal]):
    """Something was refused, and nothing of it was done."""

    meanings = MEANINGS


Short = Annotated[str, Meta(max_length=80, pattern=STORABLE)]
Words = Annotated[str, Meta(max_length=500, pattern=STORABLE)]


class Truck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came to the dock. Of a truck without a trailer its plate stands for it."""

    carrier: Annotated[str, Meta(min_length=1, max_length=80, pattern=STORABLE)]
    driver: Annotated[str, Meta(min_length=1, max_length=80, pattern=STORABLE)]
    trailer: Short = ""
    seal: Short = ""
