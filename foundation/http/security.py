"""The rules of the browser's world, for every request and every answer.

Answers carry a Content-Security-Policy that runs no inline script or style and loads nothing
from elsewhere. A request that changes something, or that opens a WebSocket with a cookie, has to
come from a page of this site: browsers say so in Origin and Sec-Fetch-Site, which scripts cannot
set. Programs without cookies send neither and need neither.
"""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from aiohttp import HttpVersion10, web

from foundation.http.problems import BAD_REQUEST, FOREIGN_ORIGIN, UNSUPPORTED_MEDIA_TYPE
from foundation.http.request_id import HEADER, REQUEST_ID
from foundation.http.routes import Handler

# Where people reach us, as scheme://host[:port]; absent: whatever Host a request names.
PUBLIC_ORIGIN: Final = web.AppKey("public_origin", str)

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_YEAR_S = 365 * 24 * 3600

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@web.middleware
async def refuse_foreign(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what is ambiguous or comes from another site, before any room sees it."""
    _refuse_ambiguous(request)
    changes = request.method not in _SAFE_METHODS
    opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if (changes or opens_socket) and not from_here(request):
        raise FOREIGN_ORIGIN("Send this from a page of this site.")
    return await handler(request)


def _refuse_ambiguous(request: web.Request) -> None:
    """Refuse what a proxy before us could have read differently, or nobody sends in earnest."""
    if request.version < HttpVersion10:
        raise BAD_REQUEST("A later version of HTTP is needed.")
    hosts = request.headers.getall("Host", [])
    if len(hosts) > 1 or not _HOST.fullmatch(request.host):
        raise BAD_REQUEST("Exactly one Host is needed.")
    if not request.raw_path.startswith(("/", "*")):
        raise BAD_REQUEST("Name the path only; the host belongs into Host.")
    if _CONTROL.search(request.path):
        raise BAD_REQUEST("The path holds a control character.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UNSUPPORTED_MEDIA_TYPE("Send the body as it is, not packed.")


def from_here(request: web.Request) -> bool:
    """Whether a page of this site sent it, or a program that has no cookie."""
    origins = request.headers.getall("Origin", [])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if len(origins) > 1 or len(sites) > 1:
        return False
    if sites and sites[0] not in {"same-origin", "none"}:
        return False
    if origins:
        return _is_ours(origins[0], request)
    return bool(sites) or "Cookie" not in request.headers


def _is_ours(origin: str, request: web.Request) -> bool:
    public = request.config_dict.get(PUBLIC_ORIGIN)
    if public is not None:
        return origin == public
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    whole = f"{parts.scheme}://{parts.netloc}"
    return parts.scheme in {"http", "https"} and origin == whole and parts.netloc == request.host


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal handler of the application: runs for every answer, streams too."""
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return  # a WebSocket is no document; its headers would be kept as long as it lives
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _policy(request))
    if (request.config_dict.get(PUBLIC_ORIGIN) or "").startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers[HEADER] = request.get(REQUEST_ID, "-")
    response.headers.popall("Server", None)


def _policy(request: web.Request) -> str:
    """Older browsers do not count WebSockets of this host as 'self'; they are told our name."""
    public = request.config_dict.get(PUBLIC_ORIGIN)
    sockets = "" if public is None else f" {public.replace('http', 'ws', 1)}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"font-src 'self'; connect-src 'self'{sockets}; manifest-src 'self'; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
