"""Refusals of settlement's parts as problems: each has one, and a code is one kind of problem."""

import pytest

from settlement.after_default.words import AfterRefusal
from settlement.api_refusals import kind_of, problem_of
from settlement.claiming.words import DeskRefusal
from settlement.ledger import LedgerRefusal
from settlement.papers.kinds import PaperRefusal
from settlement.payments.asking import PayRefusal
from settlement.payments.handlers_dispute import DisputeRefusal
from settlement.payouts.words import PayoutRefusal
from settlement.pickups.words import PickupRefusal, Refused
from settlement.reconciliation.words import BooksRefusal

PARTS = (
    AfterRefusal, BooksRefusal, DeskRefusal, DisputeRefusal, LedgerRefusal, PaperRefusal,
    PayoutRefusal, PayRefusal, PickupRefusal,
)  # fmt: skip


def test_a_code_is_one_kind_of_problem_whoever_says_it() -> None:
    kinds = [kind_of(refusal) for part in PARTS for refusal in part]
    by_code = {kind.code: kind for kind in kinds}
    assert all(by_code[kind.code] == kind for kind in kinds)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (PickupRefusal.NOTHING_LOADED, 409),
        (PickupRefusal.NO_SUCH_SLOT, 409),
        (PayoutRefusal.NOTHING_DUE, 409),
        (PickupRefusal.CHANGED_MEANWHILE, 412),
        (PickupRefusal.BAD_SIGNATURE, 422),
        (DeskRefusal.QUANTITY_ABOVE_MANIFEST, 422),
        (BooksRefusal.INVALID, 422),
        (PickupRefusal.BUSY, 503),
        (PaperRefusal.NOT_FOUND, 404),
    ],
)
def test_the_status_says_whether_it_is_what_was_sent_or_how_things_stand(
    refusal: PickupRefusal, status: int
) -> None:
    assert kind_of(refusal).status == status


def test_the_code_stands_alone_and_the_words_are_those_of_the_page() -> None:
    refused = Refused(PickupRefusal.DISPUTED, field="award_ids/1", detail="Lot 7 is disputed.")
    said = problem_of(refused).details()
    assert (said.code, said.place) == ("DISPUTED", "/award_ids/1")
    assert (said.title, said.detail) == (
        "The buyer's bank disputes the payment", "Lot 7 is disputed.",
    )  # fmt: skip
