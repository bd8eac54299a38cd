"""Where a reseller goes from every page."""

from accounts.identity import Identity, OrganisationKind
from accounts.permissions import Action, may
from foundation.http.pages import Link

SALES, BIDS, WON, WATCHLIST, SEARCHES, NOTICES = (
    "/sales",
    "/bids",
    "/won",
    "/watchlist",
    "/searches",
    "/notices",
)
DEPOSITS = "/staff/deposits"


def links(identity: Identity | None) -> list[Link]:
    """The navigation of this room for who looks."""
    found = [Link("Sales", SALES, "calendar")]
    if identity is None:
        return found
    is_reseller = identity.organisation_kind is OrganisationKind.RESELLER
    if is_reseller and may(identity, Action.VIEW_BIDS):
        found += [Link("My bids", BIDS, "gavel"), Link("Won", WON, "trophy")]
    found += [
        Link("Watchlist", WATCHLIST, "eye"),
        Link("Searches", SEARCHES, "search"),
        Link("Notices", NOTICES, "bell"),
    ]
    if may(identity, Action.RECORD_DEPOSIT):
        found.append(Link("Deposits", DEPOSITS, "wallet"))
    return found
