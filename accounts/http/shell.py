"""What the shell of every page shows of this room: who is signed in, and where to go from there."""

from aiohttp import web

from accounts.http.guard import SIGN_IN_PATH, identity_of
from accounts.identity import Identity, OrganisationKind
from accounts.permissions import Action, may
from foundation.http.pages import Link, PageContext, Visitor

SIGN_OUT_PATH = "/sign-out"

# Title, address and (none for ours) a count: what the kit's tabs take.
Tab = tuple[str, str, None]


def visitor_of(identity: Identity) -> Visitor:
    """Who looks at the page, for the account menu."""
    return Visitor(identity.name, identity.organisation_name)


def account_links(identity: Identity) -> list[Link]:
    """The account menu."""
    links = [Link("My account", "/account", "user")]
    if may(identity, Action.VIEW_TEAM):
        links.append(Link("Team", f"/teams/{identity.organisation_id}", "team"))
    if _is_applicant(identity):
        links.append(Link("Approval", "/account/approval", "shield"))
    return links


def staff_links(identity: Identity | None) -> list[Link]:
    """What staff go to from the main navigation."""
    links = []
    if may(identity, Action.DECIDE_APPLICATION):
        links.append(Link("Applications", "/staff/applications", "shield"))
    if may(identity, Action.VIEW_ORGANISATIONS):
        links.append(Link("Organisations", "/staff/organisations", "team"))
    if may(identity, Action.MANAGE_ORGANISATIONS):
        links.append(Link("Audit log", "/staff/audit", "list"))
    return links


def page_context(request: web.Request) -> PageContext:
    """The shell of a site that has no other rooms; a host with more adds their navigation."""
    identity = identity_of(request)
    if identity is None:
        return PageContext(sign_in=SIGN_IN_PATH)
    return PageContext(
        visitor=visitor_of(identity),
        navigation=staff_links(identity),
        account=account_links(identity),
        sign_out=SIGN_OUT_PATH,
    )


def account_tabs(identity: Identity) -> list[Tab]:
    """The pages of one's own account."""
    tabs: list[Tab] = [
        ("Profile", "/account", None),
        ("Password", "/account/password", None),
        ("Second factor", "/account/second-factor", None),
        ("Sessions", "/account/sessions", None),
    ]
    if may(identity, Action.MANAGE_OWN_TOKENS):
        tabs.append(("API tokens", "/account/tokens", None))
    return tabs


def _is_applicant(identity: Identity) -> bool:
    is_reseller = identity.organisation_kind is OrganisationKind.RESELLER
    return is_reseller and may(identity, Action.VIEW_APPLICATION)
