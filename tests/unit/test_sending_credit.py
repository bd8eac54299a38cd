"""Sending takes a stated part of the time, and a crowd is reached at once."""

import pytest

from bidder_gateway.sending_credit import AT_ONCE_S, SHARE, SendingCredit


def test_a_crowd_is_reached_at_once() -> None:
    credit = SendingCredit(0.0)
    credit.spend(AT_ONCE_S, AT_ONCE_S)
    assert credit.wait_s == 0


def test_beyond_the_credit_sending_takes_its_share_of_the_time() -> None:
    credit, now_s, sent_s = SendingCredit(0.0), 0.0, 0.0
    while now_s < 10.0:
        now_s += 0.001
        sent_s += 0.001
        credit.spend(0.001, now_s)
        now_s += credit.wait_s
    assert sent_s == pytest.approx(AT_ONCE_S + 10.0 * SHARE, rel=0.02)


def test_a_pause_fills_the_credit_no_further_than_its_bound() -> None:
    credit = SendingCredit(0.0)
    credit.spend(0.0, 1_000.0)
    credit.spend(AT_ONCE_S * 2, 1_000.0)
    assert credit.wait_s == pytest.approx(AT_ONCE_S / SHARE)
