"""Browsers without a window that visit the whole site."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, DummyCookieJar

from accounts.ids import PersonId
from tests.accounts_site import Client
from tests.site import Site


@asynccontextmanager
async def visitor(site: Site, person_id: PersonId | None) -> AsyncIterator[Client]:
    """Somebody's browser; ``None``: a guest's."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as http:
        client = Client(http, site.origin)
        if person_id is not None:
            secret, _ = await site.people.session(person_id, second_factor=True)
            client.cookies["__Host-session"] = secret
        yield client
