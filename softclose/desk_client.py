"""A desk that is reached over HTTP with an API token: for commands against a running server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from foundation.errors import OperatorError

# Publishing a thousand lots takes two seconds, and waits for an engine that starts.
WITHIN_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 64 * 2**20


class ServerSays(OperatorError):
    """The server refuses; in its own words."""


class DeskServer:
    """Requests to the desk's API of one server."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http, self._desk = http, f"{url.rstrip('/')}/api/v1/desk"

    async def json(self, method: str, *path: str, **headers: str) -> Any:
        """The JSON value of an answer. Raises `ServerSays`."""
        return msgspec.json.decode(await self.bytes(method, *path, **headers))

    async def bytes(self, method: str, *path: str, **headers: str) -> bytes:
        """The bytes of an answer. Raises `ServerSays`."""
        address = "/".join((self._desk, *(quote(part, safe="") for part in path)))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            async with self._http.request(
                method, address, headers=named, allow_redirects=False
            ) as response:
                body = await response.content.read(MAX_ANSWER_BYTES)
                if response.status == 200:
                    return body
                raise ServerSays(_said(response.status, body))
        except (ClientError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ServerSays(f"no answer from {self._desk}: {reason}") from error


@asynccontextmanager
async def desk_server(url: str, token: str) -> AsyncIterator[DeskServer]:
    """The desk of the server at ``url`` for the block."""
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(WITHIN_S)) as http:
        yield DeskServer(http, url)


def _said(status: int, body: bytes) -> str:
    """A problem as one line; whatever else answers there is told by its status."""
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
        said = [problem["code"], problem.get("detail") or problem["title"]]
    except (msgspec.MsgspecError, KeyError):
        return f"the server answers {status}, which is no answer of Softclose"
    return ": ".join(map(str, said))
