"""Where a seller goes from every page, and a consignor."""

from accounts.identity import Identity, OrganisationKind
from accounts.permissions import Action, may
from foundation.http.pages import Link

DESK = Link("Desk", "/desk", "pallet")
OWN_GOODS = Link("Your goods", "/consignor", "pallet")


def links(identity: Identity | None) -> list[Link]:
    """The navigation of this room for who looks."""
    if identity is None:
        return []
    if identity.organisation_kind is OrganisationKind.CONSIGNOR:
        return [OWN_GOODS] if may(identity, Action.VIEW_CONSIGNED) else []
    if identity.organisation_kind is not OrganisationKind.LIQUIDATOR:
        return []
    return [DESK] if may(identity, Action.VIEW_DESK) else []


# The desk's own pages, as the kit's tabs take them.
TABS = (
    ("Today", "/desk", None),
    ("Lots in stock", "/desk/lots", None),
    ("Sales", "/desk/sales", None),
    ("Questions", "/desk/questions", None),
    ("Import", "/desk/import", None),
    ("Consignors", "/desk/consignors", None),
    ("Templates", "/desk/templates", None),
    ("Buyer groups", "/desk/groups", None),
    ("Recalls", "/desk/recalls", None),
    ("Webhooks", "/desk/webhooks", None),
)
