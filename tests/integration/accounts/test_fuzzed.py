"""Random requests to the API of accounts, as staff and as a reseller's program."""

import pytest
from aiohttp.test_utils import TestServer

from accounts import own_account
from accounts.http.guard import SECURITY_SCHEMES, Door, access_words
from accounts.http.mount import mount
from accounts.http.shell import page_context
from accounts.identity import OrganisationKind, Scope
from accounts.permissions import Access, Action
from foundation.http.application import application
from foundation.http.openapi import About
from tests.accounts import VISITOR, House
from tests.fuzzing import fuzz

ABOUT = About("Accounts", "1", "", SECURITY_SCHEMES, access_words)


@pytest.mark.parametrize("kind", [OrganisationKind.HOUSE, OrganisationKind.RESELLER])
async def test_whatever_comes_is_answered_as_described(home: House, kind: OrganisationKind) -> None:
    secret, identity = await home.session(await home.member(kind))
    door = Door(home.room.pool, home.clock)
    app = application(
        [mount(home.room)],
        guard=door.guard,
        context_of=page_context,
        about=ABOUT,
        lost=Access(Action.VIEW_SALES),
    )
    async with TestServer(app) as server:
        origin = str(server.make_url("")).rstrip("/")
        if kind is OrganisationKind.HOUSE:
            headers = {"Cookie": f"__Host-session={secret}", "Origin": origin}
        else:
            made = await own_account.make_own_token(
                home.room, identity, "x", frozenset(Scope), 30, VISITOR.actor
            )
            headers = {"Authorization": f"Bearer {made.secret}"}
        assert await fuzz(origin, headers=headers) > 100
