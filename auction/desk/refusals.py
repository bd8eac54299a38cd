"""Why something that is asked of the desk is refused: one closed enum. The value is the wire code.

What the engine refuses keeps the engine's code (``auction.rejections``).
"""

from enum import StrEnum

from foundation.refusals import RefusedBecause


class Refusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    PUBLISHED_ALREADY = "PUBLISHED_ALREADY"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    NOT_READY = "NOT_READY"
    NUMBER_TAKEN = "NUMBER_TAKEN"
    NOT_IN_STOCK = "NOT_IN_STOCK"
    NO_PALLETS = "NO_PALLETS"
    DIFFERENT_CURRENCIES = "DIFFERENT_CURRENCIES"
    DIFFERENT_CONSIGNORS = "DIFFERENT_CONSIGNORS"
    UNKNOWN_CONSIGNOR = "UNKNOWN_CONSIGNOR"
    UNKNOWN_AGREEMENT = "UNKNOWN_AGREEMENT"
    BAD_AGREEMENT = "BAD_AGREEMENT"
    NOT_INVITED = "NOT_INVITED"
    GOODS_ELSEWHERE = "GOODS_ELSEWHERE"
    NAME_TAKEN = "NAME_TAKEN"
    BAD_LINES = "BAD_LINES"
    BAD_TERMS = "BAD_TERMS"
    BAD_TIME = "BAD_TIME"
    TOO_MANY = "TOO_MANY"
    NOTHING_NAMED = "NOTHING_NAMED"
    BAD_GTIN = "BAD_GTIN"
    BAD_ADDRESS = "BAD_ADDRESS"
    BAD_PHOTO = "BAD_PHOTO"
    NOTHING_TO_UNDO = "NOTHING_TO_UNDO"
    NOT_NOW = "NOT_NOW"
    UNREADABLE_FILE = "UNREADABLE_FILE"
    NO_LOT_COLUMN = "NO_LOT_COLUMN"
    BUSY = "BUSY"


# In the words of the page that shows it.
MEANINGS: dict[Refusal, str] = {
    Refusal.NOT_FOUND: "There is nothing of that name here.",
    Refusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again first.",
    Refusal.PUBLISHED_ALREADY: "What is published stays as it is.",
    Refusal.NOT_PUBLISHED: "The sale is not published.",
    Refusal.NOT_READY: "Some checks before publishing have failed.",
    Refusal.NUMBER_TAKEN: "Another lot of this sale has this number.",
    Refusal.NOT_IN_STOCK: "The lot is in a sale already. Take it out first.",
    Refusal.NO_PALLETS: "Its lines name fewer than two pallets.",
    Refusal.DIFFERENT_CURRENCIES: "The lots are valued in different currencies.",
    Refusal.DIFFERENT_CONSIGNORS: "The lots are different consignors' goods.",
    Refusal.UNKNOWN_CONSIGNOR: "You have no such consignor.",
    Refusal.UNKNOWN_AGREEMENT: "No such agreement with this consignor is in force.",
    Refusal.BAD_AGREEMENT: "This cannot be agreed.",
    Refusal.NOT_INVITED: "Nobody can be invited in this way.",
    Refusal.GOODS_ELSEWHERE: "Some of its goods are in a sale or another lot by now.",
    Refusal.NAME_TAKEN: "There is one of this name already.",
    Refusal.BAD_LINES: "These lines are no manifest.",
    Refusal.BAD_TERMS: "A sale cannot be held under these terms.",
    Refusal.BAD_TIME: "The sale cannot be held at these times.",
    Refusal.NOTHING_NAMED: "Name at least one GTIN, LPN or brand.",
    Refusal.BAD_GTIN: "This is no GTIN: its check digit is not right.",
    Refusal.BAD_PHOTO: "This is not a picture that can be read.",
    Refusal.BAD_ADDRESS: "Nothing can be sent to this address.",
    Refusal.TOO_MANY: "There are as many as there can be. Remove one first.",
    Refusal.NOTHING_TO_UNDO: "There is no change that could be undone.",
    Refusal.UNREADABLE_FILE: "The file cannot be read as a manifest.",
    Refusal.NO_LOT_COLUMN: "Say which column of the file names lots, and send it again.",
    Refusal.BUSY: "Too many files wait to be read. Try again in a moment.",
    Refusal.NOT_NOW: "That cannot be done in the state that it is in.",
}


class Refused(RefusedBecause[Refusal]):
    """Something was refused, and nothing of it was done."""

    meanings = MEANINGS
