import asyncio

import pytest

from auction.clock import LONGEST_SLEEP_US, EngineClock

NOON_US = 1_772_452_800 * 1_000_000
HOUR_US = 3_600 * 1_000_000


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steady count, to be moved by the test."""
    count = [0]
    monkeypatch.setattr("auction.clock.steady_us", lambda: count[0])
    return count


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each sleep was to be; nobody sleeps."""
    seconds: list[float] = []

    async def note(wait_s: float) -> None:
        seconds.append(wait_s)

    monkeypatch.setattr(asyncio, "sleep", note)
    return seconds


def test_engine_time_stands_until_a_log_that_was_set_back_overtakes_it(steady: list[int]) -> None:
    clock = _following(NOON_US)
    clock.follow(NOON_US - HOUR_US)
    assert clock.now_us() == NOON_US
    steady[0] = HOUR_US
    assert clock.now_us() == NOON_US
    steady[0] += 1
    assert clock.now_us() == NOON_US + 1


def test_who_asks_before_the_log_s_clock_is_known_does_not_make_time_stand(
    steady: list[int],
) -> None:
    """This machine's clock may be ahead, and clients ask for the time while a host starts."""
    clock = EngineClock()
    asked_us = clock.now_us()
    clock.follow(asked_us - HOUR_US)
    assert clock.now_us() == asked_us - HOUR_US
    steady[0] = 5
    assert clock.now_us() == asked_us - HOUR_US + 5


def test_time_that_stands_is_no_skew(steady: list[int]) -> None:
    clock = _following(NOON_US)
    clock.follow(NOON_US - HOUR_US)
    steady[0] = 10
    assert clock.skew_us(NOON_US - HOUR_US + 10) == 0
    assert clock.skew_us(NOON_US - HOUR_US) == 10


async def test_time_that_stands_just_before_an_end_is_not_asked_without_pause(
    steady: list[int], slept: list[float]
) -> None:
    clock = _following(NOON_US)
    clock.follow(NOON_US - HOUR_US)
    await clock.sleep_until(NOON_US + 39)
    assert slept == [LONGEST_SLEEP_US / 1e6]


def _following(log_us: int) -> EngineClock:
    clock = EngineClock()
    clock.follow(log_us)
    clock.now_us()
    return clock
