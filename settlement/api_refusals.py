"""Why settlement's API refuses: the closed enum of each part, and the problem of each code.

A program reads the code, which is the refusal's own; the detail is in the words that pages show.
A code is one kind of problem in the whole product: where several parts say it, its title fits all
of them, and where another room says it of something else, settlement has a code of its own.
What is refused because of how things stand is a conflict; the tables name the others.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from auction.desk.api_common import REFUSALS as DESK
from auction.desk.refusals import Refusal as OfDesk
from foundation.http.problems import INVALID, UNAVAILABLE, Problem, ProblemKind
from foundation.http.refusals import Refusals, kinds_of
from foundation.refusals import RefusedBecause
from settlement import client_requests, ledger
from settlement.after_default import words as after_default
from settlement.claiming import words as claiming
from settlement.papers import kinds as papers
from settlement.payments import asking, handlers_dispute
from settlement.payouts import words as payouts
from settlement.pickups import words as pickups
from settlement.reconciliation import words as reconciliation

_Pickup, _Claim, _Paper = pickups.PickupRefusal, claiming.DeskRefusal, papers.PaperRefusal
_Payout, _Books = payouts.PayoutRefusal, reconciliation.BooksRefusal
_Request = client_requests.RequestRefusal
_After, _Pay = after_default.AfterRefusal, asking.PayRefusal

R = TypeVar("R", bound=StrEnum)

# What the liquidators' desk says too.
_AS_THE_DESK: Final = DESK.kinds(
    OfDesk.CHANGED_MEANWHILE, OfDesk.NOT_NOW, OfDesk.TOO_MANY, OfDesk.BAD_PHOTO, OfDesk.BUSY
)
# What several parts say, each in words of its own.
_SHARED: Final = {
    kind.code: kind
    for kind in (
        *_AS_THE_DESK,
        ProblemKind("DISPUTED", 409, "The buyer's bank disputes the payment"),
        ProblemKind("ENDED", 409, "It is over already"),
        ProblemKind("NOTHING_LEFT", 409, "Nothing of it is left"),
        ProblemKind("NOT_FUNDED", 409, "The lot is not paid"),
        ProblemKind("NOT_HANDED_OVER", 409, "The goods were not handed over"),
        ProblemKind("NOT_OPEN", 409, "Nothing of it is to be paid"),
        ProblemKind("OWED_TO_OTHERS", 409, "It would take what is owed to others"),
        ProblemKind("SAME_PERSON", 409, "A second person has to decide"),
        ProblemKind("TOO_LARGE", 409, "The amount is too large"),
        ProblemKind("TOO_LATE", 409, "It is too late for that"),
        ProblemKind("WHY_NEEDED", 422, "Say why"),
    )
}


def _kinds(
    meanings: Mapping[R, str],
    *invalid: R,
    others: Mapping[R, ProblemKind] | None = None,
) -> dict[R, ProblemKind]:
    """The problems of a part. ``invalid``: those that are about what was sent."""
    own = kinds_of(meanings, dict.fromkeys(invalid, 422)) | dict(others or {})
    return {refusal: _SHARED.get(kind.code, kind) for refusal, kind in own.items()}


_PARTS: Final[Mapping[type[StrEnum], Refusals[Any]]] = {
    _After: Refusals(after_default.Refused, _kinds(after_default.MEANINGS, _After.REASON_NEEDED)),
    _Books: Refusals(
        reconciliation.BooksRefused,
        _kinds(
            reconciliation.MEANINGS,
            _Books.NO_REASON,
            _Books.BAD_FILE,
            others={
                _Books.INVALID: INVALID,
                _Books.OTHER_CURRENCY: ProblemKind(
                    "CURRENCIES_DIFFER", 409, reconciliation.MEANINGS[_Books.OTHER_CURRENCY]
                ),
            },
        ),
    ),
    _Claim: Refusals(
        claiming.Refused,
        _kinds(
            claiming.MEANINGS,
            _Claim.NOTHING_CLAIMED,
            _Claim.UNKNOWN_LINE,
            _Claim.NOT_COVERED,
            _Claim.QUANTITY_ABOVE_MANIFEST,
            _Claim.LOSS_NOT_POSSIBLE,
            _Claim.MORE_THAN_CLAIMED,
            _Claim.MORE_THAN_FORMULA,
        ),
    ),
    _Pickup: Refusals(
        pickups.Refused,
        _kinds(
            pickups.MEANINGS,
            _Pickup.UNKNOWN_PALLET,
            _Pickup.BAD_SIGNATURE,
            _Pickup.BAD_DOCK,
            _Pickup.BAD_AMOUNT,
            others={
                _Pickup.NOTHING_NAMED: ProblemKind(
                    "NO_LOT_NAMED", 422, pickups.MEANINGS[_Pickup.NOTHING_NAMED]
                ),
                _Pickup.BAD_TIME: ProblemKind(
                    "IMPOSSIBLE_TIME", 422, pickups.MEANINGS[_Pickup.BAD_TIME]
                ),
            },
        ),
    ),
    handlers_dispute.DisputeRefusal: Refusals(
        handlers_dispute.DisputeRefused, _kinds(handlers_dispute.MEANINGS)
    ),
    _Pay: Refusals(asking.PayRefused, _kinds(asking.MEANINGS, _Pay.UNKNOWN_LOT)),
    _Payout: Refusals(
        payouts.PayoutRefused, _kinds(payouts.MEANINGS, _Payout.BAD_ACCOUNT, _Payout.BAD_DETAILS)
    ),
    _Paper: Refusals(
        papers.Refused,
        _kinds(
            papers.MEANINGS,
            _Paper.NO_SUCH_FORM,
            _Paper.TOO_LONG,
            _Paper.BAD_HOUSE,
            others={_Paper.BUSY: UNAVAILABLE},
        ),
    ),
    _Request: Refusals(
        client_requests.RequestRefused,
        _kinds(client_requests.MEANINGS, _Request.REQUEST_ID_REUSED),
    ),
    ledger.LedgerRefusal: Refusals(ledger.LedgerRefused, _kinds(ledger.MEANINGS)),
}

# What any booking can meet: the limits of the books themselves.
BOOKING: Final = (
    ledger.LedgerRefusal.OVERDRAFT,
    ledger.LedgerRefusal.MONTH_CLOSED,
    ledger.LedgerRefusal.TOO_LARGE,
)


def kind_of(refusal: StrEnum) -> ProblemKind:
    """The problem that a refusal of any part becomes."""
    (kind,) = _PARTS[type(refusal)].kinds(refusal)
    return kind


def problem_of(refused: RefusedBecause[Any]) -> Problem:
    """The problem that what a part refused becomes."""
    return _PARTS[type(refused.refusal)].problem_of(refused)
