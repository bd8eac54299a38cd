"""Requests to addresses that somebody else gave us: push services, webhooks.

Whoever names an address must not make us talk to what only we can reach: this machine, its
neighbours, the cloud's metadata. So an address is looked at when it is given (`check`) and again
for each connection, on the very addresses that are connected to: what a name resolves to may have
changed in between. Nothing is redirected, sent a cookie or unpacked; an answer is read up to
`MAX_ANSWER` bytes, and all of it ends after `TIMEOUT_S`.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from types import TracebackType
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from foundation.http.client_address import Address

TIMEOUT_S: Final = 5.0
MAX_ANSWER: Final = 64 * 1024
MAX_URL: Final = 2_000
# Open at the same time, in all and to one host: a slow one does not take all.
MAX_CONNECTIONS, MAX_PER_HOST = 64, 16

# Their last four bytes are an IPv4 address that a gateway talks to for us (RFC 6052, 8215), or did
# so in older networks (RFC 4291 2.5.5.1, RFC 2765).
_TRANSLATED: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0:0/96"),
)


class AddressRefused(Exception):
    """We do not talk to this address; the message says why, and may be shown."""


class NoAnswer(Exception):
    """Nobody answered, not in time, or not as HTTP has it. It may have been taken all the same."""


@dataclass(frozen=True)
class Answer:
    """What came back; the body as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet may be at this address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _TRANSLATED):
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


class Outbound:
    """A client for such requests; to be entered, so that its connections are closed.

    ``permitted`` and ``schemes`` are wider only in tests and on closed networks.
    """

    def __init__(
        self,
        *,
        permitted: Callable[[Address], bool] = is_public,
        schemes: frozenset[str] = frozenset({"https"}),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._permitted, self._schemes, self._timeout_s = permitted, schemes, timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Outbound":
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._permitted),
            limit=MAX_CONNECTIONS,
            limit_per_host=MAX_PER_HOST,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        assert self._session is not None, "was entered"
        await self._session.close()

    async def check(self, url: str) -> None:
        """Whether we would talk to this address now. Raises `AddressRefused`, `NoAnswer`."""
        parts = self._parsed(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                await _Resolver(self._permitted).resolve(parts.host or "", parts.port or 443)
        except (OSError, TimeoutError) as error:
            raise NoAnswer(f"{parts.host} cannot be found") from error

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a POST. Raises `AddressRefused`, `NoAnswer`."""
        assert self._session is not None, "was entered"
        parts = self._parsed(url)
        try:
            async with self._session.post(
                parts, data=body, headers=headers, allow_redirects=False
            ) as response:
                read = bytearray()
                async for chunk in response.content.iter_any():
                    read += chunk
                    if len(read) > MAX_ANSWER:
                        break
                return Answer(response.status, response.headers, bytes(read[:MAX_ANSWER]))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"{parts.host}: {type(error).__name__}") from None

    def _parsed(self, url: str) -> URL:
        """The address in its parts, if it is one that may be asked at all."""
        if len(url) > MAX_URL or not (url.isascii() and url.isprintable()) or "\\" in url:
            raise AddressRefused("This is not an address that can be sent to.")
        try:
            parts = URL(url)
            host, port = parts.host, parts.port
        except ValueError:
            raise AddressRefused("This is not an address that can be sent to.") from None
        if parts.scheme not in self._schemes or not host or not port:
            raise AddressRefused("Only https addresses are sent to.")
        if parts.user is not None or parts.password is not None:
            raise AddressRefused("An address with a password in it is not sent to.")
        with suppress(ValueError):
            if not self._permitted(ip_address(host)):
                raise AddressRefused("This address is not on the public Internet.")
        return parts


class _Resolver(AbstractResolver):
    """Finds addresses by name, and fails if any of them is not to be talked to."""

    def __init__(self, permitted: Callable[[Address], bool]) -> None:
        self._permitted = permitted
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See aiohttp. Raises `AddressRefused`."""
        found = await self._names.resolve(host, port, family)
        for one in found:
            if not self._permitted(ip_address(one["host"].partition("%")[0])):
                raise AddressRefused("This address is not on the public Internet.")
        return found

    async def close(self) -> None:
        """See aiohttp."""
        await self._names.close()
