"""The words of the claims desk: states, what is said in a claim, and why something is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.money import BasisPoints
from auction.terms import STORABLE
from foundation.refusals import RefusedBecause
from settlement.claims import WHOLE_BPS, ClaimedLine, RefusedClaim


class ClaimState(StrEnum):
    """Where a claim stands."""

    FILED = "FILED"
    PROPOSED = "PROPOSED"  # one person would credit it; a second has to agree
    CREDITING = "CREDITING"  # decided; the money is on its way back
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


UNDER_WAY: Final = frozenset({ClaimState.FILED, ClaimState.PROPOSED, ClaimState.CREDITING})


class DeskRefusal(StrEnum):
    """What stands in the way. The first are those of the rules (`claims.ClaimRefusal`)."""

    NOT_HANDED_OVER = "NOT_HANDED_OVER"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    CLAIMS_WINDOW_OVER = "CLAIMS_WINDOW_OVER"
    NOTHING_CLAIMED = "NOTHING_CLAIMED"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    NOT_COVERED = "NOT_COVERED"
    QUANTITY_ABOVE_MANIFEST = "QUANTITY_ABOVE_MANIFEST"
    LOSS_NOT_POSSIBLE = "LOSS_NOT_POSSIBLE"
    NOT_FOUND = "NOT_FOUND"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    NOT_NOW = "NOT_NOW"
    DISPUTED = "DISPUTED"
    TOO_MANY = "TOO_MANY"
    MORE_THAN_CLAIMED = "MORE_THAN_CLAIMED"
    MORE_THAN_FORMULA = "MORE_THAN_FORMULA"
    WHY_NEEDED = "WHY_NEEDED"
    SAME_PERSON = "SAME_PERSON"
    BAD_PHOTO = "BAD_PHOTO"
    BUSY = "BUSY"
    SOLD_ALREADY = "SOLD_ALREADY"


MEANINGS: Final[Mapping[DeskRefusal, str]] = {
    DeskRefusal.NOT_HANDED_OVER: "The goods were not handed over.",
    DeskRefusal.ALREADY_CLAIMED: "A claim on this lot is being decided.",
    DeskRefusal.CLAIMS_WINDOW_OVER: "The time for claims is over.",
    DeskRefusal.NOTHING_CLAIMED: "Name the lines that are affected.",
    DeskRefusal.UNKNOWN_LINE: "The manifest has no such line.",
    DeskRefusal.NOT_COVERED: "This cannot be claimed of such goods.",
    DeskRefusal.QUANTITY_ABOVE_MANIFEST: "More pieces are affected than there were.",
    DeskRefusal.LOSS_NOT_POSSIBLE: "Such a loss is not possible.",
    DeskRefusal.NOT_FOUND: "There is nothing of that name here.",
    DeskRefusal.CHANGED_MEANWHILE: "Somebody has changed this meanwhile. Look at it again first.",
    DeskRefusal.NOT_NOW: "That cannot be done in the state that it is in.",
    DeskRefusal.DISPUTED: "The buyer's bank wants the money back; first that is decided.",
    DeskRefusal.TOO_MANY: "There are as many as there can be.",
    DeskRefusal.MORE_THAN_CLAIMED: "No more is granted than was claimed.",
    DeskRefusal.MORE_THAN_FORMULA: "No more is credited than the formula says.",
    DeskRefusal.WHY_NEEDED: "Say why.",
    DeskRefusal.SAME_PERSON: "A second person has to agree, not the one who decided.",
    DeskRefusal.BAD_PHOTO: "This is not a picture that can be read.",
    DeskRefusal.BUSY: "Too many pictures wait to be read. Try again in a moment.",
    DeskRefusal.SOLD_ALREADY: "The lot is sold: its terms stay as they were.",
}


class Refused(RefusedBecause[DeskRefusal]):
    """Something was refused, and nothing of it was done."""

    meanings = MEANINGS


def by_rule(refused: RefusedClaim, field: str = "lines") -> Refused:
    """What the rules refuse, as the desk refuses it; its message names the line."""
    said = f"{refused.message[:1].upper()}{refused.message[1:]}."
    return Refused(DeskRefusal(refused.code.value), field=field, detail=said)


# A whole truckload by the piece is more lines than anybody has looked at in two days.
MAX_CLAIMED_LINES: Final = 2_000
MAX_MESSAGES: Final = 200

Prose = Annotated[str, Meta(max_length=4_000, pattern=STORABLE)]
Message = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=STORABLE)]
Why = Annotated[str, Meta(max_length=1_000, pattern=STORABLE)]


class FiledLine(ClaimedLine, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of a claim, with what the buyer says of it."""

    words: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""


class GrantedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts of the claim's line at this place, from 1; quantity 0: nothing of it."""

    place: Annotated[int, Meta(ge=1, le=MAX_CLAIMED_LINES)]
    quantity: Annotated[int, Meta(ge=0)]
    loss_bps: BasisPoints = WHOLE_BPS


class Filing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim as it is filed."""

    lines: Annotated[tuple[FiledLine, ...], Meta(max_length=MAX_CLAIMED_LINES)]
    words: Prose = ""
