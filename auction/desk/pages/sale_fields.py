"""The draft of a sale as people type it: words, times on the wall, terms. Pure.

Times are said by the clock of the sale's place; what a change of clocks makes of one is told at
its own field. Terms that the form does not show stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, field, structs

from accounts.http.common import ZONES
from auction.amounts import NotMoney, parse_typed, plain
from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import (
    MAX_STEP_US,
    SECOND_US,
    YEARS,
    NoSuchTime,
    Schedule,
    TimeComesTwice,
    instant_us,
    zone_of,
)
from auction.increments import EBAY, LIQUIDATION
from auction.plain_terms import percent
from auction.terms import (
    ClosingMode,
    Confirmation,
    Premium,
    PremiumTier,
    SaleAudience,
    SoftClose,
    Terms,
)
from foundation.http.forms import Form, blank
from foundation.http.reading import Input

MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
# Longer than any sale goes on after its plan.
MOST_MINUTES: Final = 7 * 24 * 60

_WALL: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?", re.ASCII)
_WORDS: Final = (
    *("title", "summary", "liquidator_name", "city", "terms_in_words", "payment_terms"),
    "pickup_terms",
)

# Zones of the US first; the rest of the world below.
_NEAR: Final = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix"),
    *("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"),
)
ZONE_OPTIONS: Final = (
    *((zone, zone.replace("_", " ")) for zone in _NEAR),
    *(option for option in ZONES if option[0] not in _NEAR),
)
SECOND_OPTIONS: Final = (
    ("no", "The first time", "Before the clocks go back."),
    ("yes", "The second time", "After the clocks have gone back."),
)

PRESETS: Final = {"LIQUIDATION": LIQUIDATION, "EBAY": EBAY}
INCREMENT_OPTIONS: Final = (
    ("LIQUIDATION", "Whole dollars, from 5"),
    ("EBAY", "As on eBay, from 5 cents"),
)
CONFIRMATION_OPTIONS: Final = (
    (str(Confirmation.NOT_ASKED), "Sold at the hammer"),
    (str(Confirmation.ELSE_SOLD), "You are asked; sold if you do not answer"),
    (str(Confirmation.ELSE_CANCELLED), "You are asked; cancelled if you do not answer"),
)
CLOSING_OPTIONS: Final = (
    (str(ClosingMode.INDEPENDENT), "Only its lot"),
    (str(ClosingMode.GROUP), "All lots of its closing group"),
    (str(ClosingMode.CASCADE), "Its lot and all later ones"),
)

T = TypeVar("T")


class SaleForm(Input):
    """Every field as text; what is wrong with it, `read` says."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    title: str = ""
    summary: str = ""
    liquidator_name: str = ""
    city: str = ""
    region: str = ""
    terms_in_words: str = ""
    payment_terms: str = ""
    pickup_terms: str = ""
    time_zone: str = ""
    opens: str = ""
    first_end: str = ""
    second: str = ""
    step_minutes: str = ""
    latest_minutes: str = ""
    premium: str = ""
    premium_minimum: str = ""
    soft_close_minutes: str = ""
    if_bid_hours: str = ""
    deposit: str = ""
    certificate_required: bool = False
    increments: Annotated[str, Meta(pattern=r"\A(LIQUIDATION|EBAY)\Z")] | None = None
    closing: ClosingMode | None = None
    confirmation: Confirmation | None = None
    audience: SaleAudience | None = None  # null: a form without these fields
    groups: list[str] = field(default_factory=list)
    invited: str = ""


def form_of_draft(draft: SaleDraft, version: int) -> Form[Any]:
    """The draft as it stands in the fields."""
    schedule, terms = draft.schedule, draft.terms
    values = {name: getattr(draft, name) or "" for name in (*_WORDS, "region")}
    values |= _typed_terms(terms)
    if schedule is not None:
        values |= {
            "time_zone": schedule.time_zone,
            "opens": schedule.opens,
            "first_end": schedule.first_end,
            "second": "" if schedule.second is None else "yes" if schedule.second else "no",
            "step_minutes": _number(schedule.step_us, MINUTE_US),
            "latest_minutes": _number(schedule.latest_after_us, MINUTE_US),
        }
    return blank(**({"step_minutes": "1"} | values | {"version": str(version)}))


def read(given: SaleForm, before: SaleDraft) -> tuple[SaleDraft, dict[str, str]]:
    """The draft that was typed, and the message for each bad field; with any it is unfinished."""
    faults: dict[str, str] = {}

    def tried(name: str, reading: Callable[[], T], otherwise: T) -> T:
        try:
            return reading()
        except (ValueError, NotMoney) as fault:
            faults[name] = str(fault)
            return otherwise

    words = {name: tried(name, lambda n=name: _word(given, n), "") for name in _WORDS}  # type: ignore[misc]
    region = tried("region", lambda: _region(given.region), None)
    schedule = _schedule(given, faults, tried)
    terms = _terms(given, before.terms, tried)
    draft = structs.replace(before, **words, region=region, schedule=schedule, terms=terms)
    return draft, faults


def _word(given: SaleForm, name: str) -> str:
    text: str = getattr(given, name)
    try:
        msgspec.convert(text, _TYPES[name])
    except msgspec.ValidationError as error:
        most = str(error).partition("<= ")[2].split(" ")[0]
        raise ValueError(f"At most {most} characters.") from None
    return text


def _region(text: str) -> str | None:
    if text and not re.fullmatch(r"[A-Za-z]{2}", text, re.ASCII):
        raise ValueError("Two letters, such as IL.")
    return text.upper() or None


# --- Times -------------------------------------------------------------------------------------


def _schedule(given: SaleForm, faults: dict[str, str], tried: Any) -> Schedule | None:
    if not (given.opens or given.first_end):
        return None
    step_us = tried("step_minutes", lambda: _span(given.step_minutes or "1", MINUTE_US, 60), 0)
    latest_us = tried(
        "latest_minutes",
        lambda: (
            _span(given.latest_minutes, MINUTE_US, MOST_MINUTES) if given.latest_minutes else None
        ),
        None,
    )
    if not given.time_zone:
        faults["time_zone"] = "Choose the time zone of the place."
        return None
    second = {"yes": True, "no": False}.get(given.second)
    before = set(faults)
    instants = {
        name: tried(name, lambda n=name: _instant(given, n, second), 0)
        for name in ("opens", "first_end")
    }
    if set(faults) == before and instants["first_end"] <= instants["opens"]:
        faults["first_end"] = "The first lot has to end after the sale opens."
    if set(faults) != before:
        return None
    return Schedule(
        time_zone=given.time_zone,
        opens=given.opens,
        first_end=given.first_end,
        step_us=min(step_us, MAX_STEP_US),
        second=second,
        latest_after_us=latest_us,
    )


def _instant(given: SaleForm, name: str, second: bool | None) -> int:
    wall: str = getattr(given, name)
    if not wall:
        raise ValueError("Say when the sale opens, and when its first lot ends.")
    if not _WALL.fullmatch(wall):
        raise ValueError("Write day and time as in 2026-11-01T16:00.")
    if int(wall[:4]) not in YEARS:
        raise ValueError(f"Write a year from {YEARS[0]} to {YEARS[-1]}.")
    try:
        return instant_us(wall, zone_of(given.time_zone), second=second)
    except NoSuchTime as fault:
        text = str(fault)
        raise ValueError(f"{text[:1].upper()}{text[1:]}.") from None


def comes_twice(form: Form[Any]) -> bool:
    """Whether it has to be asked which of two equal times is meant."""
    for name in ("opens", "first_end"):
        try:
            instant_us(form.value(name), zone_of(form.value("time_zone")))
        except TimeComesTwice:
            return True
        except NoSuchTime:
            continue
    return False


# --- Terms -------------------------------------------------------------------------------------


def _typed_terms(terms: Terms) -> dict[str, str]:
    currency = terms.currency
    soft_close = terms.soft_close
    return {
        "premium": _premium_typed(terms.premium),
        "premium_minimum": _money_typed(terms.premium.minimum_minor, currency),
        "soft_close_minutes": "" if soft_close is None else _minutes(soft_close.window_us),
        "if_bid_hours": _number(terms.if_bid_us, HOUR_US),
        "deposit": _money_typed(terms.deposit_minor, currency),
        "certificate_required": "on" if terms.certificate_required else "",
        "increments": next((name for name, one in PRESETS.items() if one == terms.increments), ""),
        "closing": str(terms.closing),
        "confirmation": str(terms.confirmation),
    }


def _terms(given: SaleForm, before: Terms, tried: Any) -> Terms:
    """The terms with what was typed; what stands as it stood is left alone."""
    stood = _typed_terms(before)
    changes: dict[str, object] = {"certificate_required": given.certificate_required}
    if (given.premium, given.premium_minimum) != (stood["premium"], stood["premium_minimum"]):
        changes["premium"] = _premium(given, before, tried)
    if given.soft_close_minutes != stood["soft_close_minutes"]:
        changes["soft_close"] = tried(
            "soft_close_minutes", lambda: _soft_close(given.soft_close_minutes, before), None
        )
    if given.if_bid_hours != stood["if_bid_hours"]:
        changes["if_bid_us"] = tried(
            "if_bid_hours",
            lambda: _span(given.if_bid_hours, HOUR_US, 168) if given.if_bid_hours else None,
            None,
        )
    if given.increments is not None:
        changes["increments"] = PRESETS[given.increments]
    if given.closing is not None:
        changes["closing"] = given.closing
    if given.confirmation is not None:
        changes["confirmation"] = given.confirmation
    if given.deposit != stood["deposit"]:
        changes["deposit_minor"] = tried(
            "deposit", lambda: _money(given.deposit, before.currency), 0
        )
    return structs.replace(before, **changes)


def _premium(given: SaleForm, before: Terms, tried: Any) -> Premium:
    least = tried("premium_minimum", lambda: _money(given.premium_minimum, before.currency), 0)
    tiers = before.premium.tiers
    if given.premium != _premium_typed(before.premium):
        rate = tried("premium", lambda: _rate_bps(given.premium), 0)
        tiers = (PremiumTier(0, rate),) if rate else ()
    return structs.replace(before.premium, tiers=tiers, minimum_minor=least)


def _premium_typed(premium: Premium) -> str:
    """One rate; several are only shown in words."""
    tiers = premium.tiers
    return percent(tiers[0].rate_bps).removesuffix(" %") if len(tiers) == 1 else ""


def _rate_bps(text: str) -> int:
    rate = _decimal(text.removesuffix("%").strip() or "0", "Write the premium in per cent: 10.")
    if not 0 <= rate <= 100 or rate * 100 != int(rate * 100):
        raise ValueError("From 0 to 100 per cent, with at most two decimals.")
    return int(rate * 100)


def _soft_close(text: str, before: Terms) -> SoftClose | None:
    if not text:
        return None
    window_us = _span(text, MINUTE_US, 60)
    if window_us == 0:
        return None
    old = before.soft_close
    return (
        SoftClose(window_us, window_us)
        if old is None
        else structs.replace(old, window_us=window_us, extension_us=window_us)
    )


def _money(text: str, currency: str) -> int:
    return parse_typed(text, currency) if text.strip(" $0") else 0


def _money_typed(minor: int, currency: str) -> str:
    return plain(minor, currency) if minor else ""


def _span(text: str, unit_us: int, most: int) -> int:
    """So many units as microseconds."""
    number = _decimal(text, "Enter a number.")
    if not 0 <= number <= most:
        raise ValueError(f"From 0 to {most:,}.")
    return int(number * unit_us)


def _decimal(text: str, otherwise: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(otherwise) from None
    if not number.is_finite():
        raise ValueError(otherwise)
    return number


def _minutes(us: int) -> str:
    return _number(us, MINUTE_US)


def _number(us: int | None, unit_us: int) -> str:
    """As it stands in a field: ``5``, ``0.5``."""
    if us is None:
        return ""
    return f"{us / unit_us:.4f}".rstrip("0").rstrip(".")


_TYPES: Final[Mapping[str, Any]] = {one.name: one.type for one in structs.fields(SaleDraft)}
