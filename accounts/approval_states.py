"""The life of a reseller's approval, and of a resale certificate. What is not a move is refused."""

from collections.abc import Mapping
from enum import StrEnum


class ApprovalState(StrEnum):
    """Where a reseller stands with the house; only APPROVED may register and bid."""

    DRAFT = "DRAFT"  # being filled in
    SUBMITTED = "SUBMITTED"  # in the queue of staff
    NEEDS_MORE = "NEEDS_MORE"  # back with the applicant, who is told what is missing
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    SUSPENDED = "SUSPENDED"  # was approved; may look on


_S = ApprovalState

# By the applicant.
SUBMISSIONS: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED}),
    _S.NEEDS_MORE: frozenset({_S.SUBMITTED}),
}

# By staff. From DECLINED only back to the applicant, who then submits anew.
DECISIONS: Mapping[ApprovalState, frozenset[ApprovalState]] = {
    _S.SUBMITTED: frozenset({_S.APPROVED, _S.NEEDS_MORE, _S.DECLINED}),
    _S.NEEDS_MORE: frozenset({_S.DECLINED}),
    _S.APPROVED: frozenset({_S.SUSPENDED}),
    _S.SUSPENDED: frozenset({_S.APPROVED, _S.DECLINED}),
    _S.DECLINED: frozenset({_S.NEEDS_MORE}),
}

# In which the applicant may change what it says of itself and its documents.
EDITABLE = frozenset({_S.DRAFT, _S.NEEDS_MORE})

# A decision that somebody has to live with says why.
NEEDS_REASONS = frozenset({_S.NEEDS_MORE, _S.DECLINED, _S.SUSPENDED})


class CertificateState(StrEnum):
    """Whether staff have looked at a resale certificate, and what they found."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"


def may_submit(state: ApprovalState) -> bool:
    """Whether the applicant can hand the application in."""
    return _S.SUBMITTED in SUBMISSIONS.get(state, frozenset())


def decisions_from(state: ApprovalState) -> frozenset[ApprovalState]:
    """What staff can make of it."""
    return DECISIONS.get(state, frozenset())
