"""A site with accounts over real HTTP, and browsers and programs that visit it."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie

from aiohttp import ClientSession, DummyCookieJar, FormData
from aiohttp.test_utils import TestServer

from accounts.http.guard import Door
from accounts.http.mount import mount
from accounts.http.shell import page_context
from accounts.ids import PersonId
from accounts.permissions import Access, Action
from foundation.http.application import application
from foundation.http.routes import Mount
from tests.accounts import PASSWORD, House

Fields = Mapping[str, str | list[str]] | FormData


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, Morsel[str]]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers["Location"]


@dataclass
class Client:
    """A browser (or, with a token, a program): keeps its cookies, follows no redirect."""

    http: ClientSession
    origin: str
    token: str | None = None
    agent: str = "a browser"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, fields: Fields | None = None, **headers: str) -> Answer:
        """Send a form from a page of the site."""
        return await self.send("POST", path, fields or {}, {"Origin": self.origin, **headers})

    async def send(
        self,
        method: str,
        path: str,
        fields: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        """Any request."""
        own = {"User-Agent": self.agent, "Accept": "text/html", **(headers or {})}
        if self.token is not None:
            own["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if json is not None:
            own["Accept"] = "application/json"
            own.setdefault("Origin", self.origin)
            if method == "POST" and path.startswith("/api/"):
                own.setdefault("Idempotency-Key", str(uuid.uuid4()))
        request = self.http.request(
            method,
            self.origin + path,
            data=_pairs(fields) if fields is not None else None,
            json=json,
            headers=own,
            allow_redirects=False,
        )
        async with request as response:
            body = await response.read()
            cookies = SimpleCookie()
            for line in response.headers.getall("Set-Cookie", []):
                cookies.load(line)
            self._keep(cookies)
            return Answer(response.status, response.headers, body, cookies)

    def _keep(self, cookies: SimpleCookie) -> None:
        for name, morsel in cookies.items():
            if morsel.value and morsel["max-age"] != "0":
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)


def _pairs(fields: Fields) -> FormData | list[tuple[str, str]]:
    if isinstance(fields, FormData):
        return fields
    pairs = []
    for name, value in fields.items():
        values = [value] if isinstance(value, str) else value
        pairs += [(name, one) for one in values]
    return pairs


@dataclass(frozen=True)
class Site:
    """A running site over a room."""

    home: House
    origin: str
    http: ClientSession

    def client(self, *, token: str | None = None) -> Client:
        """Somebody who was never here."""
        return Client(self.http, self.origin, token)

    async def as_person(self, person_id: PersonId, *, second_factor: bool = True) -> Client:
        """A browser in which this person is signed in."""
        secret, _ = await self.home.session(person_id, second_factor=second_factor)
        client = self.client()
        client.cookies["__Host-session"] = secret
        return client

    async def sign_in(self, mail: str, password: str = PASSWORD) -> Client:
        """A browser that has signed in through the page."""
        client = self.client()
        answer = await client.post("/sign-in", {"mail": mail, "password": password})
        assert answer.status == 303, answer.text
        return client


@asynccontextmanager
async def site_of(home: House, *more: Mount) -> AsyncIterator[Site]:
    """Serve the room, and perhaps others, for the block."""
    door = Door(home.room.pool, home.clock)
    app = application(
        [mount(home.room), *more],
        guard=door.guard,
        context_of=page_context,
        lost=Access(Action.VIEW_SALES),
    )
    async with (
        TestServer(app) as server,
        ClientSession(cookie_jar=DummyCookieJar()) as http,
    ):
        yield Site(home, str(server.make_url("")).rstrip("/"), http)
