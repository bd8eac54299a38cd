"""Amounts, times and counts as documents write them. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from auction.amounts import sign
from auction.money import EXPONENTS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def figure(minor: int, currency: str) -> str:
    """An amount in a table, all of its decimals: ``1,190,750.00``; below zero ``-12.50``."""
    exponent = EXPONENTS.get(currency, 0)
    whole, part = divmod(abs(minor), 10**exponent)
    decimals = f".{part:0{exponent}}" if exponent else ""
    return f"{'-' if minor < 0 else ''}{whole:,}{decimals}"


def amount(minor: int, currency: str) -> str:
    """An amount by itself: ``$1,190,750.00``."""
    shown = figure(abs(minor), currency)
    return f"{'-' if minor < 0 else ''}{sign(currency)}{shown}"


def some(minor: int, currency: str) -> str:
    """A figure, or an empty cell for nothing."""
    return figure(minor, currency) if minor else ""


def rate(ppm: int) -> str:
    """A rate in millionths as per cent: ``8.25 %``."""
    whole, part = divmod(ppm, 10_000)
    decimals = f"{part:04}".rstrip("0")
    return f"{whole}.{decimals} %" if decimals else f"{whole} %"


def pdf_date(at_us: int) -> str:
    """A time as a PDF's own dates are written."""
    return f"D:{EPOCH + timedelta(microseconds=at_us):%Y%m%d%H%M%S}Z"


def clock(at_us: int, zone: str) -> str:
    """``Tue 10 Mar 2026, 17:00 CDT``, by the clock of a place."""
    at = (EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def second(at_us: int, zone: str) -> str:
    """``10 Mar 2026, 17:00:04.250 CDT``: as exact as the log, where the order of bids matters."""
    at = (EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))
    return f"{at.day} {at:%b %Y, %H:%M:%S}.{at.microsecond // 1000:03} {at:%Z}"


def day(at_us: int, zone: str) -> str:
    """``10 Mar 2026``, the day that it is then in a place."""
    return day_of(date_of(at_us, zone))


def day_of(on: date) -> str:
    """``10 Mar 2026``."""
    return f"{on.day} {on:%b %Y}"


def date_of(at_us: int, zone: str) -> date:
    """The day that it is then in a place."""
    return (EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone)).date()


def grouped(digest: str) -> str:
    """A digest that can be compared by eye: groups of eight."""
    return " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))
