"""The room as the host mounts it: its pages and API, and what runs beside them."""

from datetime import date
from pathlib import Path
from typing import Final, TypeGuard

from accounts.amounts import amount_text
from accounts.audit import AuditLine
from accounts.http.account_pages import AccountPages
from accounts.http.api import AccountsApi
from accounts.http.approval_pages import ApprovalPages
from accounts.http.joining_pages import JoiningPages
from accounts.http.sign_in_pages import SignInPages
from accounts.http.staff_pages import StaffPages
from accounts.http.team_pages import TeamPages
from accounts.room import Room
from foundation.http.routes import Mount

_HERE: Final = Path(__file__).parent
# Details whose values are members of our enums.
_OUR_NAMES: Final = frozenset({"state", "before", "kind"})


def day_text(day: date) -> str:
    """A day, which is the same in every zone: 10 Dec 2026."""
    return f"{day.day} {day:%b %Y}"


def detail_texts(line: AuditLine) -> list[tuple[str, str]]:
    """The details of a line of the audit log, as names and values."""
    details = {name: value for name, value in line.details.items() if value not in (None, "", [])}
    currency = str(details.get("currency", "USD"))
    found: list[tuple[str, str]] = []
    for name, value in details.items():
        if isinstance(value, dict):
            found += [(f"{name} {part}", str(v)) for part, v in value.items() if str(v)]
        elif isinstance(value, list):
            found.append((name, ", ".join(str(one).replace("_", " ") for one in value)))
        elif _is_amount(value, name):
            found.append((name.removesuffix("_minor"), amount_text(value, currency)))
        else:
            found.append((name, _in_words(name, value)))
    return [(name.replace("_", " "), text) for name, text in found]


def _is_amount(value: object, name: str) -> TypeGuard[int]:
    """A number after "before" is the amount that was in force."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and (name.endswith("_minor") or name == "before")


def _in_words(name: str, value: object) -> str:
    """A value for people: our own names in small letters, what others typed as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).lower().replace("_", " ") if name in _OUR_NAMES else str(value)


def mount(room: Room) -> Mount:
    """The routes of this room; the host gives them the guard of a `accounts.http.guard.Door`."""
    parts = (
        SignInPages(room),
        JoiningPages(room),
        AccountPages(room),
        TeamPages(room),
        ApprovalPages(room),
        StaffPages(room),
        AccountsApi(room),
    )
    return Mount(
        "accounts",
        [route for part in parts for route in part.routes()],
        templates=_HERE / "templates",
        static=_HERE / "static",
        filters={"amount": amount_text, "day": day_text, "details": detail_texts},
    )
