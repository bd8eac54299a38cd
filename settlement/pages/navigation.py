"""Where staff of settlement, buyers and sellers go from every page."""

from accounts.identity import Identity, OrganisationKind
from accounts.permissions import Action, may
from foundation.http.pages import Link

SETTLEMENT = Link("Settlement", "/settlement", "wallet")
PURCHASES = Link("Invoices", "/purchases", "document")
EARNINGS = Link("Earnings", "/earnings", "dollar")


def links(identity: Identity | None) -> list[Link]:
    """The navigation of this room for who looks."""
    if identity is None:
        return []
    if may(identity, Action.VIEW_SETTLEMENT):
        return [SETTLEMENT]
    match identity.organisation_kind:
        case OrganisationKind.RESELLER if may(identity, Action.VIEW_PURCHASES):
            return [PURCHASES]
        case OrganisationKind.LIQUIDATOR | OrganisationKind.CONSIGNOR:
            return [EARNINGS] if may(identity, Action.VIEW_EARNINGS) else []
    return []
