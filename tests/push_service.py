"""A push service over a real socket, and browsers that can read what it takes.

It answers as it is told to (``plan``), 201 by default, checks that each push is signed by the key
that its browser subscribed with, and hands what it took to the browser, which decrypts it.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_ece  # type: ignore[import-untyped]
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]


def base64url(data: bytes) -> str:
    """Without padding, as browsers have it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Browser:
    """One that has allowed notices: its keys, and the pushes that it got."""

    def __init__(self, origin: str) -> None:
        self.name = secrets.token_hex(8)
        self.endpoint = f"{origin}/push/{self.name}"
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)
        self.pushes: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.got_at_s: list[float] = []

    @property
    def subscription(self) -> dict[str, Any]:
        """What ``PushSubscription.toJSON()`` gives."""
        point = self._private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": base64url(point), "auth": base64url(self._auth)}
        return {"endpoint": self.endpoint, "keys": keys}

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """A push, as the service passes it on."""
        plain = http_ece.decrypt(body, private_key=self._private, auth_secret=self._auth)
        self.pushes.append(json.loads(plain))
        self.headers.append(headers)
        self.got_at_s.append(time.monotonic())


class PushService:
    """The service. ``asked`` counts every request; ``plan`` has the next answers for a browser."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.asked = 0
        self.plan: dict[str, list[int]] = {}
        self.extra: dict[str, str] = {}  # headers of answers
        self.hold = asyncio.Event()  # cleared: answers wait
        self.hold.set()
        self._browsers: dict[str, Browser] = {}

    def browser(self) -> Browser:
        """A new browser of this service."""
        browser = Browser(self.origin)
        self._browsers[browser.name] = browser
        return browser

    async def handle(self, request: web.Request) -> web.Response:
        """POST /push/{name}."""
        self.asked += 1
        browser = self._browsers[request.match_info["name"]]
        body = await request.read()
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert int(request.headers["TTL"]) > 0
        self._check_signature(request.headers["Authorization"])
        await self.hold.wait()
        planned = self.plan.get(browser.name, [])
        status = planned.pop(0) if planned else 201
        if status < 300:
            browser.take(body, dict(request.headers))
        return web.Response(status=status, headers=self.extra, text="an answer")

    def _check_signature(self, header: str) -> None:
        assert Vapid02.verify(header)
        token = header.split("t=")[1].split(",")[0].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(token + "=="))
        assert claims["aud"] == self.origin
        assert time.time() < claims["exp"] <= time.time() + 24 * 3_600
        assert claims["sub"].startswith("mailto:")


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """A service on any free port."""
    service = PushService("")
    app = web.Application()
    app.router.add_post("/push/{name}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        service.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield service
    finally:
        service.hold.set()
        await runner.cleanup()
