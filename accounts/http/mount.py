"""The room as the host mounts it: its pages and API, and what runs beside them."""

from pathlib import Path
from typing import Final

from accounts.amounts import amount_text
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
        filters={"amount": amount_text},
    )
