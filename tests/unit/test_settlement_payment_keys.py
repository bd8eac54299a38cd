"""Under which key a call is sent: the same after a lost answer, another after a definite one."""

from typing import Any

from settlement.operations import Operation
from settlement.payments.looking import SAME_KEY, earlier_keys, key_of


def op(**changes: Any) -> Operation:
    facts: dict[str, Any] = {
        "op_id": 1,
        "operation": "create_payment",
        "subject": "I",
        "generation": 1,
        "idempotency_key": "create_payment:I:1",
        "arguments": {},
        "attempts": 1,
        "claims": 1,
        "first_sent_at_us": 0,
        "made_at_us": 0,
    }
    return Operation(**(facts | changes))


def test_a_call_has_the_key_that_was_stored_with_it() -> None:
    assert key_of(op()) == "create_payment:I:1"
    assert earlier_keys(op()) == []


def test_a_lost_answer_is_asked_for_under_the_same_key() -> None:
    assert key_of(op(attempts=3, claims=3)) == "create_payment:I:1"
    assert earlier_keys(op(attempts=3, claims=3)) == ["create_payment:I:1"]


def test_after_a_definite_answer_there_is_another_key_that_stays() -> None:
    assert key_of(op(attempts=1, claims=4)) == "create_payment:I:1:3"
    assert key_of(op(attempts=2, claims=5)) == "create_payment:I:1:3"


def test_an_error_that_is_kept_under_a_key_is_left_behind() -> None:
    late = op(attempts=SAME_KEY + 2, claims=SAME_KEY + 2)
    assert key_of(late) == f"create_payment:I:1:{SAME_KEY + 2}"
    assert earlier_keys(late) == [
        f"create_payment:I:1:{SAME_KEY + 1}",
        f"create_payment:I:1:{SAME_KEY + 2}",
        "create_payment:I:1",
    ]
