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
_WATCHING = (Link("Watchlist", WATCHLIST, "eye"), Link("Searches", SEARCHES, "search"))


def links(identity: Identity | None) -> list[Link]:
    """The navigation of this room for who looks."""
    found = [Link("Sales", SALES, "calendar")]
    if identity is None:
        return found
    if _is_reseller(identity) and may(identity, Action.VIEW_BIDS):
        found += [Link("My bids", BIDS, "gavel"), Link("Won", WON, "trophy")]
    if _is_reseller(identity):
        found += _WATCHING
    found.append(Link("Notices", NOTICES, "bell"))
    if may(identity, Action.RECORD_DEPOSIT):
        found.append(Link("Deposits", DEPOSITS, "wallet"))
    return found


def account_links(identity: Identity | None) -> list[Link]:
    """What is in the account menu: what staff and sellers seldom need."""
    return [] if identity is None or _is_reseller(identity) else [*_WATCHING]


def _is_reseller(identity: Identity) -> bool:
    return identity.organisation_kind is OrganisationKind.RESELLER
