"""Requests to strangers' addresses over real sockets: nothing is followed, kept or waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from foundation.outbound import MAX_ANSWER, NoAnswer, Outbound


def anywhere() -> Outbound:
    return Outbound(permitted=lambda _address: True, schemes=frozenset({"http"}), timeout_s=1.0)


class Stranger:
    """A server that answers in unfriendly ways."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cookies: list[str | None] = []
        self.end = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.cookies.append(request.headers.get("Cookie"))
        match request.path:
            case "/away":
                return web.Response(status=302, headers={"Location": "/secret"})
            case "/cookie":
                return web.Response(headers={"Set-Cookie": "a=b"})
            case "/much":
                return web.Response(body=b"x" * 10 * MAX_ANSWER)
            case "/never":
                await self.end.wait()
            case "/drop":
                assert request.transport is not None
                request.transport.abort()
        return web.Response(status=201, headers={"X-A": "b"}, text="taken")


@asynccontextmanager
async def stranger() -> AsyncIterator[tuple[Stranger, str]]:
    made = Stranger()
    app = web.Application()
    app.router.add_post("/{path}", made.handle)
    async with TestServer(app) as server:
        yield made, str(server.make_url("/")).rstrip("/")
        made.end.set()


async def test_an_answer_has_its_status_headers_and_body() -> None:
    async with stranger() as (_, origin), anywhere() as outbound:
        answer = await outbound.post(f"{origin}/x", b"body", {"TTL": "1"})
        assert (answer.status, answer.headers["X-A"], answer.body) == (201, "b", b"taken")


async def test_a_redirection_is_an_answer_and_not_followed() -> None:
    async with stranger() as (made, origin), anywhere() as outbound:
        assert (await outbound.post(f"{origin}/away", b"", {})).status == 302
        assert made.asked == ["/away"]


async def test_no_cookie_is_kept() -> None:
    async with stranger() as (made, origin), anywhere() as outbound:
        for _ in range(2):
            await outbound.post(f"{origin}/cookie", b"", {})
        assert made.cookies == [None, None]


async def test_an_endless_answer_is_cut() -> None:
    async with stranger() as (_, origin), anywhere() as outbound:
        assert len((await outbound.post(f"{origin}/much", b"", {})).body) == MAX_ANSWER


@pytest.mark.parametrize("path", ["/never", "/drop"])
async def test_who_does_not_answer_is_not_waited_for(path: str) -> None:
    async with stranger() as (_, origin), anywhere() as outbound:
        with pytest.raises(NoAnswer) as raised:
            await outbound.post(f"{origin}{path}", b"", {})
        assert path not in str(raised.value)  # an endpoint is a secret


async def test_nobody_there_is_no_answer() -> None:
    async with anywhere() as outbound:
        with pytest.raises(NoAnswer):
            await outbound.post("http://127.0.0.1:9/x", b"", {})
        with pytest.raises(NoAnswer):
            await outbound.check("http://nobody.invalid/x")
