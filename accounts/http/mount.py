"""The room as the host mounts it: its pages and API, and what runs beside them."""

from datetime import date
from pathlib import Path
from typing import Final

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


def day_text(day: date) -> str:
    """A day, which is the same in every zone: 10 Dec 2026."""
    return f"{day.day} {day:%b %Y}"


def detail_texts(line: AuditLine) -> list[tuple[str, str]]:
    """The details of a line of the audit log, as names and values."""
    found = []
    for name, value in line.details.items():
        if isinstance(value, dict):
            found += [(f"{name} {part}".replace("_", " "), str(v)) for part, v in value.items()]
        elif isinstance(value, list):
            found.append((name.replace("_", " "), ", ".join(map(str, value))))
        elif value is not None:
            found.append((name.replace("_", " "), str(value)))
    return [(name, value) for name, value in found if value]


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
