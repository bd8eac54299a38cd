"""What settlement's pages have in common: addresses, tabs, and how one is shown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from accounts.http.guard import identity_of
from accounts.permissions import Action, may
from auction.desk.pages.times import in_zone
from foundation.http.modules import modules
from foundation.http.pages import page
from settlement.api_papers import NAMES as PAPERS
from settlement.pages.words import AWARD_WAY, AWARDS, OPERATIONS, PAYMENTS, QUEUE

HOME: Final = "/settlement"
AWARD_PAGES: Final = f"{HOME}/awards"
INVOICE_PAGES: Final = f"{HOME}/invoices"
BALANCES: Final = f"{HOME}/balances"
STATEMENT: Final = f"{HOME}/statement"
EXPORTS: Final = f"{HOME}/exports"
SEARCH: Final = f"{HOME}/search"
PURCHASES: Final = "/purchases"
EARNINGS: Final = "/earnings"

# The pages of staff, as the kit's tabs take them.
TABS: Final = (
    ("Queue", HOME, None),
    ("Invoices", INVOICE_PAGES, None),
    ("Claims", f"{HOME}/claims", None),
    ("Disputes", f"{HOME}/disputes", None),
    ("Docks", f"{HOME}/docks", None),
    ("Deliveries", f"{HOME}/deliveries", None),
    ("Reconciliation", f"{HOME}/reconciliation", None),
    ("Payouts", f"{HOME}/payouts", None),
    ("Balances", BALANCES, None),
    ("Statements", STATEMENT, None),
    ("Months", f"{HOME}/months", None),
    ("Exports", EXPORTS, None),
)


def award_path(award_id: str, *more: str) -> str:
    """The address of an award's story."""
    return "/".join((AWARD_PAGES, quote(award_id, safe="~"), *more))


def invoice_path(invoice_id: str, *more: str) -> str:
    """The address of an invoice's page of staff."""
    return "/".join((INVOICE_PAGES, quote(invoice_id, safe="~"), *more))


def purchase_path(invoice_id: str, *more: str) -> str:
    """The address of an invoice as its buyer sees it."""
    return "/".join((PURCHASES, quote(invoice_id, safe="~"), *more))


def clock(at_us: int, zone: str) -> str:
    """The time of day of a slot: ``09:00``."""
    return (
        datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
    )


def acts(request: web.Request) -> bool:
    """Whether who looks may act for the house."""
    return may(identity_of(request), Action.SETTLE)


def show(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> web.Response:
    """A page of this room."""
    return page(
        request,
        f"settlement/{template}",
        status=status,
        headers=headers,
        award_path=award_path,
        invoice_path=invoice_path,
        purchase_path=purchase_path,
        in_zone=in_zone,
        PAPERS=PAPERS,
        clock=clock,
        modules=modules,
        PAYMENTS=PAYMENTS,
        AWARDS=AWARDS,
        AWARD_WAY=AWARD_WAY,
        OPERATIONS=OPERATIONS,
        QUEUE=QUEUE,
        tabs=TABS,
        acts=acts(request),
        **values,
    )
