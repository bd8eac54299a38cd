"""Why something that a reseller asks for is refused: one closed enum. The value is the wire code.

What the engine refuses keeps the engine's code (``auction.rejections``).
"""

from enum import StrEnum

from foundation.refusals import RefusedBecause


class Refusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    # Registering.
    NOT_APPROVED = "NOT_APPROVED"
    OTHER_TERMS = "OTHER_TERMS"
    RESTRICTION_UNKNOWN = "RESTRICTION_UNKNOWN"
    SALE_CLOSED = "SALE_CLOSED"
    NOT_REGISTERED = "NOT_REGISTERED"
    # Limits.
    NO_WHOLE_LIMIT = "NO_WHOLE_LIMIT"
    OVER_WHOLE_LIMIT = "OVER_WHOLE_LIMIT"
    # Deposits.
    OTHER_CURRENCY = "OTHER_CURRENCY"
    CORRECTED_ALREADY = "CORRECTED_ALREADY"
    # Lists.
    TOO_MANY = "TOO_MANY"
    # Budgets, quotes, costs.
    BUDGETS_UNUSABLE = "BUDGETS_UNUSABLE"
    NO_ADDRESS = "NO_ADDRESS"
    NO_QUOTE = "NO_QUOTE"
    NO_FREIGHT = "NO_FREIGHT"
    # Questions.
    QUESTIONS_CLOSED = "QUESTIONS_CLOSED"
    TOO_MANY_QUESTIONS = "TOO_MANY_QUESTIONS"
    # Notices.
    BAD_DEVICE = "BAD_DEVICE"
    BAD_PHONE = "BAD_PHONE"
    WRONG_CODE = "WRONG_CODE"
    TOO_SOON = "TOO_SOON"


# In the words of the page that shows it.
MEANINGS: dict[Refusal, str] = {
    Refusal.NOT_FOUND: "There is nothing of that name here.",
    Refusal.NOT_APPROVED: "Your organisation has not been approved to bid, or not any more.",
    Refusal.OTHER_TERMS: "The terms of this sale have changed. Read them again first.",
    Refusal.RESTRICTION_UNKNOWN: "No lot of this sale has this restriction.",
    Refusal.SALE_CLOSED: "Every lot of this sale has ended.",
    Refusal.NOT_REGISTERED: "Your organisation is not registered for this sale.",
    Refusal.NO_WHOLE_LIMIT: "Your organisation has no limit that could be divided.",
    Refusal.OVER_WHOLE_LIMIT: "The parts come to more than the whole limit.",
    Refusal.OTHER_CURRENCY: "The sale is held in another currency.",
    Refusal.CORRECTED_ALREADY: "This entry was corrected already, or is itself a correction.",
    Refusal.TOO_MANY: "There are as many as there can be. Remove one first.",
    Refusal.BUDGETS_UNUSABLE: "These budgets cannot be kept together.",
    Refusal.NO_ADDRESS: "There is no address of your organisation to ship to.",
    Refusal.NO_QUOTE: "There is no such quote for this lot, or it has expired.",
    Refusal.NO_FREIGHT: "There is no price for freight there.",
    Refusal.QUESTIONS_CLOSED: "Questions are taken until the lot ends.",
    Refusal.TOO_MANY_QUESTIONS: "That is as much as can be asked for now. Ask again tomorrow.",
    Refusal.BAD_DEVICE: "This browser cannot be sent to. Ask it for a new permission.",
    Refusal.BAD_PHONE: "Enter a phone number with its country code, such as +13125550123.",
    Refusal.WRONG_CODE: "This code is not right, or too old. Ask for a new one.",
    Refusal.TOO_SOON: "That was tried too often. Wait a little before the next try.",
}


class Refused(RefusedBecause[Refusal]):
    """Something was refused, and nothing of it was done."""

    meanings = MEANINGS
