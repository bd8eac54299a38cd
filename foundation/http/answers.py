"""What goes out: JSON values with strong ETags."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import quote

import msgspec
from aiohttp import web

# Ours are about one viewer and change at any time: kept, but asked for again each time.
CACHE_PRIVATE: Final = "private, no-cache"
# Never kept anywhere: what holds a secret once, what tells how we are.
NEVER_STORED: Final = {"Cache-Control": "no-store"}

# What an address may hold as it is (RFC 3986); a per cent sign is taken for part of a quotation.
_PLAIN = "/:?#[]@!$&'()*+,;=%-._~"


def answer(
    request: web.Request,
    value: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    version: int | None = None,
) -> web.Response:
    """The value as JSON; a GET whose client has these bytes already gets 304 without them.

    ``version``: of what is answered, for its ETag (``versions``).
    """
    body = msgspec.json.encode(value)
    return bytes_answer(
        request, body, "application/json", status=status, headers=headers, version=version
    )


def bytes_answer(
    request: web.Request,
    body: bytes,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    version: int | None = None,
) -> web.Response:
    """The bytes, with their ETag where the answer is to a GET."""
    all_headers = {"Cache-Control": CACHE_PRIVATE, **(headers or {})}
    if request.method in {"GET", "HEAD"} and status == 200:
        tag = etag(body, version)
        all_headers["ETag"] = tag
        if has_it_already(request, tag):
            return web.Response(status=304, headers=all_headers)
    all_headers.setdefault("Content-Type", media_type)
    return web.Response(body=body, status=status, headers=all_headers)


def created(request: web.Request, value: object, location: str) -> web.Response:
    """201, with what was made and where it is; what a name holds is quoted for the address."""
    return answer(request, value, status=201, headers={"Location": quote(location, safe=_PLAIN)})


def no_content() -> web.Response:
    """204: done, and there is nothing to tell."""
    return web.Response(status=204)


def etag(body: bytes, version: int | None = None) -> str:
    """A strong ETag: equal for equal bytes only."""
    digest = sha256(body).hexdigest()[:32]
    return f'"{digest}"' if version is None else f'"{version}.{digest}"'


def has_it_already(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match names this tag; weak tags count too, as RFC 9110 has it."""
    given = request.headers.get("If-None-Match", "")
    names = (name.strip().removeprefix("W/") for name in given.split(","))
    return given.strip() == "*" or tag in names
