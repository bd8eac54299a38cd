"""A desk that is reached over HTTP with an API token: for commands against a running server."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from auction.desk.refusals import Refusal
from foundation.errors import OperatorError

# Publishing a thousand lots takes two seconds, and waits for an engine that starts.
WITHIN_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 64 * 2**20
DONE: Final = (200, 201, 204)

Query = Sequence[tuple[str, str]]


class ServerSays(OperatorError):
    """The server refuses; in its own words."""


class ServerCannotRead(ServerSays):
    """The server cannot read the file that it was sent."""

    exit_code = 2


class DeskServer:
    """Requests to the desk's API of one server."""

    def __init__(self, http: ClientSession, url: str, room: str = "desk") -> None:
        self._http, self._desk = http, f"{url.rstrip('/')}/api/v1/{room}"

    async def json(self, method: str, *path: str, **more: Any) -> Any:
        """The JSON value of an answer. ``more``: as of `bytes`. Raises `ServerSays`."""
        return msgspec.json.decode(await self.bytes(method, *path, **more))

    async def bytes(
        self,
        method: str,
        *path: str,
        query: Query = (),
        body: bytes | None = None,
        **headers: str,
    ) -> bytes:
        """The bytes of an answer. Raises `ServerSays`."""
        address = "/".join((self._desk, *(quote(part, safe="") for part in path)))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            async with self._http.request(
                method,
                address,
                params=list(query),
                data=body,
                headers=named,
                allow_redirects=False,
            ) as response:
                said = await _whole(response)
                if response.status in DONE:
                    return said
                raise _refusal(response.status, said)
        except (ClientError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ServerSays(f"no answer from {self._desk}: {reason}") from error


async def _whole(response: ClientResponse) -> bytes:
    said = bytearray()
    async for piece in response.content.iter_any():
        said += piece
        if len(said) > MAX_ANSWER_BYTES:
            raise ServerSays(f"the server answers more than {MAX_ANSWER_BYTES >> 20} MiB")
    return bytes(said)


@asynccontextmanager
async def desk_server(url: str, token: str, room: str = "desk") -> AsyncIterator[DeskServer]:
    """The desk of the server at ``url`` for the block; or another room of its API."""
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(WITHIN_S)) as http:
        yield DeskServer(http, url, room)


def _refusal(status: int, body: bytes) -> ServerSays:
    """A problem as one line; whatever else answers there is told by its status."""
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
        code, said = problem["code"], problem.get("detail") or problem["title"]
    except (msgspec.MsgspecError, KeyError):
        return ServerSays(f"the server answers {status}, which is no answer of Softclose")
    kind = ServerCannotRead if code == Refusal.UNREADABLE_FILE else ServerSays
    return kind(f"{code}: {said}")
