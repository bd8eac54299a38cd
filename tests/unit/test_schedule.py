"""Times on the wall become instants, also when clocks change."""

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.desk.schedule import (
    NoSuchTime,
    Schedule,
    TimeComesTwice,
    instant_us,
    times_of,
    wall_time,
    zone_of,
)

CHICAGO = ZoneInfo("America/Chicago")
HOUR_US = 3_600_000_000


def utc_us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("wall", "instant"),
    [("2026-07-15T16:00", "2026-07-15T21:00"), ("2026-12-15T16:00", "2026-12-15T22:00")],
)
def test_four_in_chicago_is_four_in_summer_and_in_winter(wall: str, instant: str) -> None:
    assert instant_us(wall, CHICAGO) == utc_us(instant)


def test_a_time_that_never_comes_is_refused_with_those_that_do() -> None:
    with pytest.raises(NoSuchTime, match=r"take 2026-03-08 01:30 or 2026-03-08 03:30"):
        instant_us("2026-03-08T02:30", CHICAGO)


def test_of_a_time_that_comes_twice_it_must_be_said_which() -> None:
    with pytest.raises(TimeComesTwice, match="CDT and CST"):
        instant_us("2026-11-01T01:30", CHICAGO)
    first = instant_us("2026-11-01T01:30", CHICAGO, second=False)
    assert first == utc_us("2026-11-01T06:30")
    assert instant_us("2026-11-01T01:30", CHICAGO, second=True) == first + HOUR_US


@pytest.mark.parametrize("second", [False, True])
def test_both_the_opening_and_the_first_end_are_meant_when_clocks_have_gone_back(
    second: bool,
) -> None:
    opens, ends = (
        Schedule(time_zone="America/Chicago", opens=opens, first_end=first_end, second=second)
        for opens, first_end in (
            ("2026-11-01T01:30", "2026-11-01T04:00"),
            ("2026-10-30T10:00", "2026-11-01T01:30"),
        )
    )
    meant = utc_us("2026-11-01T07:30" if second else "2026-11-01T06:30")
    assert times_of(opens, 1)[0].opens_at_us == meant
    assert times_of(ends, 1)[0].closes_at_us == meant


@pytest.mark.parametrize(
    ("first_end", "second_end_on_the_wall"),
    [("2026-03-08T01:30", "2026-03-08T03:30:00"), ("2026-11-01T00:30", "2026-11-01T01:30:00")],
)
def test_lots_an_hour_apart_are_an_hour_apart_across_the_change(
    first_end: str, second_end_on_the_wall: str
) -> None:
    schedule = Schedule(
        time_zone="America/Chicago",
        opens=f"{first_end[:10]}T00:00",
        first_end=first_end,
        step_us=HOUR_US,
    )
    first, second, third = times_of(schedule, 3)
    assert second.closes_at_us - first.closes_at_us == HOUR_US
    assert third.closes_at_us - second.closes_at_us == HOUR_US
    assert wall_time(second.closes_at_us, CHICAGO) == second_end_on_the_wall


def test_the_latest_end_follows_each_lots_own() -> None:
    schedule = Schedule(
        time_zone="Europe/Berlin",
        opens="2026-06-01T09:00",
        first_end="2026-06-02T17:00",
        latest_after_us=2 * HOUR_US,
    )
    first, second = times_of(schedule, 2)
    assert first.opens_at_us == second.opens_at_us == utc_us("2026-06-01T07:00")
    assert first.latest_end_us == first.closes_at_us + 2 * HOUR_US
    assert second.latest_end_us == second.closes_at_us + 2 * HOUR_US
    assert second.closes_at_us == first.closes_at_us + 60_000_000


def test_a_sale_ends_after_it_opens() -> None:
    schedule = Schedule(
        time_zone="America/Chicago", opens="2026-06-02T17:00", first_end="2026-06-02T17:00"
    )
    with pytest.raises(NoSuchTime, match="has to end after"):
        times_of(schedule, 1)


@pytest.mark.parametrize("name", ["Chicago", "", "../etc/passwd", "America/Nowhere", "\0"])
def test_a_zone_that_is_none_is_named(name: str) -> None:
    with pytest.raises(NoSuchTime, match="not a time zone"):
        zone_of(name)


@pytest.mark.parametrize("text", ["2026-13-01T00:00", "2026-02-30T10:00", "noon"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(NoSuchTime, match="is not a time"):
        instant_us(text, CHICAGO)


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_an_instant_told_by_the_clock_comes_back(at_s: int, name: str) -> None:
    """By one of the two readings where the clock shows a time twice."""
    zone = ZoneInfo(name)
    wall = wall_time(at_s * 1_000_000, zone)
    readings = {instant_us(wall, zone, second=second) for second in (False, True)}
    assert at_s * 1_000_000 in readings


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Chicago"])
def test_the_ends_of_the_calendar_are_no_times_or_are_told(text: str, zone: str) -> None:
    with contextlib.suppress(NoSuchTime):
        instant_us(text, zone_of(zone))


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "America/Nowhere"},
        {"opens": "2026-13-45T99:99"},
        {"first_end": "2026-02-30T10:00"},
        {"opens": "1969-12-31T10:00"},
        {"first_end": "9999-12-31T23:59"},
    ],
)
def test_a_schedule_of_no_times_is_none(changes: dict[str, str]) -> None:
    times = {"time_zone": "America/Chicago", "opens": "2026-06-01T10:00"}
    times = {**times, "first_end": "2026-06-02T10:00"} | changes
    with pytest.raises(NoSuchTime):
        Schedule(time_zone=times["time_zone"], opens=times["opens"], first_end=times["first_end"])
    told = msgspec.json.encode(times)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(told, type=Schedule)
