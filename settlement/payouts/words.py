"""The words of paying out: states, and why something is refused there."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from foundation.refusals import RefusedBecause


class PayeeKind(StrEnum):
    """Whose account of the ledger is paid from."""

    LIQUIDATOR = "LIQUIDATOR"
    CONSIGNOR = "CONSIGNOR"


class Way(StrEnum):
    """How a payee is paid."""

    CONNECT = "CONNECT"  # by transfer to its account at Stripe
    BANK = "BANK"  # by a file that the house's bank gets


class AccountState(StrEnum):
    """Where a bank account stands."""

    WAITING = "WAITING"  # for a second person of staff
    ACTIVE = "ACTIVE"
    REPLACED = "REPLACED"
    REFUSED = "REFUSED"


class PayableState(StrEnum):
    """Where what is owed to a payee of an award stands."""

    OWED = "OWED"
    SENDING = "SENDING"  # transfers are under way
    IN_FILE = "IN_FILE"  # a bank file has it that is not released
    SENT = "SENT"
    NETTED = "NETTED"  # all of it was kept back for what the payee owed


class BatchState(StrEnum):
    """Where a bank file stands."""

    MADE = "MADE"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"


class PayoutState(StrEnum):
    """Where a payout of ours from Stripe to the bank stands."""

    ASKED = "ASKED"
    SENT = "SENT"
    PAID = "PAID"
    REFUSED = "REFUSED"
    RETURNED = "RETURNED"


class PayoutRefusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    NOT_HANDED_OVER = "NOT_HANDED_OVER"
    CLAIMED = "CLAIMED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    BAD_ACCOUNT = "BAD_ACCOUNT"
    BAD_DETAILS = "BAD_DETAILS"
    NOT_WAITING = "NOT_WAITING"
    SAME_PERSON = "SAME_PERSON"
    NOT_CONNECTED = "NOT_CONNECTED"
    ASKED_ALREADY = "ASKED_ALREADY"
    NOTHING_DUE = "NOTHING_DUE"
    NO_HOUSE_BANK = "NO_HOUSE_BANK"
    NOT_NOW = "NOT_NOW"
    HELD_BACK = "HELD_BACK"
    BANK_TOO_LOW = "BANK_TOO_LOW"
    OWED_TO_OTHERS = "OWED_TO_OTHERS"
    TOO_MUCH = "TOO_MUCH"
    NOT_MANUAL = "NOT_MANUAL"
    NO_CERTIFICATE = "NO_CERTIFICATE"
    TOO_MANY = "TOO_MANY"


MEANINGS: Final[Mapping[PayoutRefusal, str]] = {
    PayoutRefusal.NOT_FOUND: "There is nothing of that name here.",
    PayoutRefusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again first.",
    PayoutRefusal.NOT_HANDED_OVER: "The goods are accepted when you have them.",
    PayoutRefusal.CLAIMED: "A claim is under way. It is decided first.",
    PayoutRefusal.NOT_ACCEPTABLE: "The lot is not paid, or was taken back.",
    PayoutRefusal.BAD_ACCOUNT: "No money can be sent to this account.",
    PayoutRefusal.BAD_DETAILS: "The bank's details cannot be used.",
    PayoutRefusal.NOT_WAITING: "Nothing waits for a second person here.",
    PayoutRefusal.SAME_PERSON: "Somebody else has to look at it.",
    PayoutRefusal.NOT_CONNECTED: "There is no account at the payment provider yet.",
    PayoutRefusal.ASKED_ALREADY: "That was asked for already.",
    PayoutRefusal.NOTHING_DUE: "Nothing is due that could be sent.",
    PayoutRefusal.NO_HOUSE_BANK: "Say first as whom the house sends files to its bank.",
    PayoutRefusal.NOT_NOW: "That cannot be done in the state in which it is.",
    PayoutRefusal.HELD_BACK: "Some of it may not be sent now.",
    PayoutRefusal.BANK_TOO_LOW: "The bank account has less than that. Pay out to it first.",
    PayoutRefusal.OWED_TO_OTHERS: "That would take what is held, payable, deferred or tax.",
    PayoutRefusal.TOO_MUCH: "That is more than there is.",
    PayoutRefusal.NOT_MANUAL: "The payment provider pays out by itself. Set it to manual first.",
    PayoutRefusal.NO_CERTIFICATE: "No certificate was valid there when the lots closed.",
    PayoutRefusal.TOO_MANY: "That is more than can be done at once.",
}


class PayoutRefused(RefusedBecause[PayoutRefusal]):
    """Nothing was done."""

    meanings = MEANINGS
