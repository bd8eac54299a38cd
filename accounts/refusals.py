"""Why something about accounts is refused: one closed enum. The value is the wire code."""

from enum import StrEnum

from foundation.refusals import RefusedBecause


class Refusal(StrEnum):
    """What stands in the way."""

    NOT_FOUND = "NOT_FOUND"
    BUSY = "BUSY"
    TOO_SOON = "TOO_SOON"
    # Signing in and proving oneself.
    WRONG_CREDENTIALS = "WRONG_CREDENTIALS"
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - the name of a refusal
    WRONG_CODE = "WRONG_CODE"
    LINK_SPENT = "LINK_SPENT"
    SECOND_FACTOR_SET = "SECOND_FACTOR_SET"
    SECOND_FACTOR_NOT_SET = "SECOND_FACTOR_NOT_SET"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    SECOND_FACTOR_IS_YOURS = "SECOND_FACTOR_IS_YOURS"
    # What somebody wants to be called, or to sign in by.
    PASSWORD_TOO_SHORT = "PASSWORD_TOO_SHORT"  # noqa: S105
    PASSWORD_TOO_LONG = "PASSWORD_TOO_LONG"  # noqa: S105
    PASSWORD_TOO_COMMON = "PASSWORD_TOO_COMMON"  # noqa: S105
    PASSWORD_NAMES_YOU = "PASSWORD_NAMES_YOU"  # noqa: S105
    BAD_MAIL = "BAD_MAIL"
    MAIL_TAKEN = "MAIL_TAKEN"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_TIME_ZONE = "BAD_TIME_ZONE"
    BAD_TEXT = "BAD_TEXT"
    BAD_ID = "BAD_ID"
    ORGANISATION_EXISTS = "ORGANISATION_EXISTS"
    # Teams.
    NO_ROLE = "NO_ROLE"
    ROLE_NOT_OF_KIND = "ROLE_NOT_OF_KIND"
    CEILING_NOT_OF_ROLE = "CEILING_NOT_OF_ROLE"
    LAST_ADMIN = "LAST_ADMIN"
    TOO_MANY = "TOO_MANY"
    # Tokens.
    NO_SCOPE = "NO_SCOPE"
    EXPIRY_OUT_OF_RANGE = "EXPIRY_OUT_OF_RANGE"
    # A reseller's approval.
    NOT_NOW = "NOT_NOW"
    INCOMPLETE = "INCOMPLETE"
    REASONS_NEEDED = "REASONS_NEEDED"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    DOCUMENT_TOO_LARGE = "DOCUMENT_TOO_LARGE"
    DOCUMENT_UNREADABLE = "DOCUMENT_UNREADABLE"
    UNKNOWN_STATE = "UNKNOWN_STATE"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"


# In the words of the page that shows it.
MEANINGS: dict[Refusal, str] = {
    Refusal.NOT_FOUND: "There is nothing of that name here.",
    Refusal.BUSY: "Too many people are signing in at this moment. Try again in a few seconds.",
    Refusal.TOO_SOON: "That was tried too often. Wait a little before the next try.",
    Refusal.WRONG_CREDENTIALS: "The mail address or the password is not right.",
    Refusal.WRONG_PASSWORD: "This is not your password.",
    Refusal.WRONG_CODE: "This code is not right, was used before, or is too old.",
    Refusal.LINK_SPENT: "This link was used already, is too old, or is incomplete.",
    Refusal.SECOND_FACTOR_SET: "A second factor is set up already.",
    Refusal.SECOND_FACTOR_NOT_SET: "No second factor is set up.",
    Refusal.SECOND_FACTOR_REQUIRED: "Staff cannot do without a second factor.",
    Refusal.SECOND_FACTOR_IS_YOURS: "Ask another admin, or change it in your own account.",
    Refusal.PASSWORD_TOO_SHORT: "Use at least 12 characters; a few words do well.",
    Refusal.PASSWORD_TOO_LONG: "Use at most 128 characters.",
    Refusal.PASSWORD_TOO_COMMON: "This password is among the first that are tried. Use another.",
    Refusal.PASSWORD_NAMES_YOU: "The password is little more than a name. Use another.",
    Refusal.BAD_MAIL: "Enter a mail address such as name@example.com.",
    Refusal.MAIL_TAKEN: "Somebody signs in with this mail address already.",
    Refusal.BAD_AMOUNT: "Enter an amount such as 2,500 or 2,500.00.",
    Refusal.BAD_TIME_ZONE: "Choose a time zone of the list.",
    Refusal.BAD_TEXT: "Use plain letters, digits and punctuation, and not too many.",
    Refusal.BAD_ID: "An id is 1 to 64 letters, digits, dots, colons, dashes or underscores.",
    Refusal.ORGANISATION_EXISTS: "There is an organisation of this id already.",
    Refusal.NO_ROLE: "Choose at least one role.",
    Refusal.ROLE_NOT_OF_KIND: "This role is not for people of this organisation.",
    Refusal.CEILING_NOT_OF_ROLE: "Only bidders have a ceiling.",
    Refusal.LAST_ADMIN: "Somebody has to be admin. Make somebody else admin first.",
    Refusal.TOO_MANY: "There are as many as there can be. Remove one first.",
    Refusal.NO_SCOPE: "Choose at least one scope.",
    Refusal.EXPIRY_OUT_OF_RANGE: "Choose an expiry between tomorrow and a year from now.",
    Refusal.NOT_NOW: "This cannot be done now: the application is in another state.",
    Refusal.INCOMPLETE: "Something is missing.",
    Refusal.REASONS_NEEDED: "Say why: the applicant reads it.",
    Refusal.CHANGED_MEANWHILE: "Somebody else has changed this. Look at it again first.",
    Refusal.DOCUMENT_TOO_LARGE: "A document has at most 5 MB.",
    Refusal.DOCUMENT_UNREADABLE: "Send a whole PDF, PNG or JPEG file.",
    Refusal.UNKNOWN_STATE: "Choose a state of the list.",
    Refusal.CERTIFICATE_EXPIRED: "This certificate has expired.",
}


class Refused(RefusedBecause[Refusal]):
    """Something was refused, and nothing of it was done.

    ``retry_after_s`` is given with TOO_SOON and BUSY.
    """

    meanings = MEANINGS

    def __init__(
        self, refusal: Refusal, *, field: str = "", detail: str = "", retry_after_s: int = 0
    ) -> None:
        super().__init__(refusal, field=field, detail=detail)
        self.retry_after_s = retry_after_s
