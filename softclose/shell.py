"""The shell of every page of the site: the account part, and the navigation of all rooms."""

from dataclasses import replace

from aiohttp import web

from accounts.http.guard import identity_of
from accounts.http.shell import page_context
from auction.desk.pages import navigation as desk
from bidder_gateway.pages import navigation
from foundation.http.pages import PageContext
from settlement.pages import navigation as settlement


def shell_of(request: web.Request) -> PageContext:
    """What the shell shows to who looks."""
    shell = page_context(request)
    identity = identity_of(request)
    return replace(
        shell,
        navigation=[
            *desk.links(identity),
            *navigation.links(identity),
            *settlement.links(identity),
            *shell.navigation,
        ],
        account=[*navigation.account_links(identity), *shell.account],
    )
