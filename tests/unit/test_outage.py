import pytest

from auction.outage import ends_move_by_us, notice_us
from tests.builders import HOUR_US, MINUTE_US, SECOND_US, at

E_US = 5 * MINUTE_US


@pytest.mark.parametrize(
    ("dark_us", "extension_us", "notice"),
    [
        (0, E_US, 30 * SECOND_US),
        (10 * SECOND_US - 1, E_US, 30 * SECOND_US),
        (10 * SECOND_US, E_US, 10 * MINUTE_US),
        (HOUR_US, MINUTE_US, 120 * SECOND_US),
        (HOUR_US, MINUTE_US - 1, 120 * SECOND_US),
        (HOUR_US, MINUTE_US + 1, 120 * SECOND_US + 2),
        (HOUR_US, 0, 120 * SECOND_US),
    ],
)
def test_notice_is_half_a_minute_and_from_ten_seconds_on_twice_the_extension(
    dark_us: int, extension_us: int, notice: int
) -> None:
    assert notice_us(dark_us, extension_us) == notice


def test_half_an_hour_away_moves_the_ends_by_half_an_hour() -> None:
    dark_us = at("16:20") - at("15:50")
    assert ends_move_by_us(dark_us, at("16:20"), at("16:00"), E_US) == 30 * MINUTE_US


def test_two_seconds_away_leave_half_a_minute_to_bid() -> None:
    ready = at("15:59:59")
    assert ends_move_by_us(2 * SECOND_US, ready, at("16:00"), E_US) == 29 * SECOND_US


def test_two_seconds_away_move_nothing_that_ends_in_an_hour() -> None:
    assert ends_move_by_us(2 * SECOND_US, at("15:00"), at("16:00"), E_US) == 0


@pytest.mark.parametrize(
    ("dark_us", "left_us", "move_us"),
    [
        # Short: notice 30 s.
        (2 * SECOND_US, 30 * SECOND_US, 0),
        (2 * SECOND_US, 30 * SECOND_US - 1, 2 * SECOND_US),
        (2 * SECOND_US, 28 * SECOND_US, 2 * SECOND_US),
        (2 * SECOND_US, 28 * SECOND_US - 1, 2 * SECOND_US + 1),
        # From 10 s on: notice 2 x E = 10 min.
        (60 * SECOND_US, 10 * MINUTE_US, 0),
        (60 * SECOND_US, 10 * MINUTE_US - 1, 60 * SECOND_US),
        (60 * SECOND_US, 4 * MINUTE_US, 6 * MINUTE_US),
        (60 * SECOND_US, -SECOND_US, 10 * MINUTE_US + SECOND_US),
        # From 2 h on: a day more.
        (2 * HOUR_US - 1, 0, 2 * HOUR_US - 1),
        (2 * HOUR_US, 0, 26 * HOUR_US),
        (2 * HOUR_US, 10 * MINUTE_US, 0),
    ],
)
def test_the_ends_move_by_the_dark_time_and_at_least_to_the_end_of_the_notice(
    dark_us: int, left_us: int, move_us: int
) -> None:
    ready = at("16:00")
    assert ends_move_by_us(dark_us, ready, ready + left_us, E_US) == move_us
