"""Pages for people, made on the server: Jinja templates around one shell, ``base.html``.

Everything that is put into a template is escaped, and a name that the handler did not hand over
is an error, not an empty string. The shell shows who is signed in and the navigation, which the
host tells for each request.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import CodeType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from aiohttp import web
from jinja2.bccache import Bucket
from markupsafe import Markup

from foundation.http.browsers import browser_name
from foundation.http.cookies import cookie, drop_cookie, set_cookie
from foundation.http.problems import Problem
from foundation.http.request_id import REQUEST_ID
from foundation.http.routes import Mount
from foundation.http.static import StaticFiles

TEMPLATES: Final = Path(__file__).parent / "templates"
STYLE_SHEETS: Final = tuple(
    f"foundation/static/css/{name}.css"
    for name in (
        "base",  # first: it puts the layers in order
        "layout",
        "shell",
        "controls",
        "forms",
        "surfaces",
        "lots",
        "tables",
        "overlays",
        "viewer",  # last: what the viewer asked for wins
    )
)
FLASH_COOKIE: Final = "flash"
FLASH_MAX_AGE_S: Final = 60
# A cookie holds 4 KiB; a message is a sentence or two.
FLASH_MAX_CHARS: Final = 500


@dataclass(frozen=True)
class Link:
    """One entry of the navigation."""

    title: str
    href: str
    icon: str = ""  # a symbol of foundation/static/icons.svg


@dataclass(frozen=True)
class Visitor:
    """Who looks at the page."""

    name: str
    organisation: str

    @property
    def initials(self) -> str:
        """One or two letters for the account menu."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@dataclass(frozen=True)
class PageContext:
    """What the shell of each page shows besides the page."""

    visitor: Visitor | None = None
    navigation: Sequence[Link] = ()
    account: Sequence[Link] = ()  # below the visitor's name
    sign_in: str = ""  # where to sign in; empty: nowhere
    sign_out: str = ""  # what a POST to signs out
    foot: Sequence[Link] = ()


class _Compiled(jinja2.BytecodeCache):
    """What templates were compiled to, once for all applications of this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None, "it was just compiled"
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _Compiled()

ContextOf: TypeAlias = Callable[[web.Request], PageContext]


class FlashKind(StrEnum):
    """How a message is meant."""

    SUCCESS = "success"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Flash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that the next page shows once."""

    text: str
    kind: FlashKind = FlashKind.SUCCESS


class Pages:
    """The templates of all rooms, and what the shell needs."""

    def __init__(self, mounts: Sequence[Mount], static: StaticFiles, context_of: ContextOf) -> None:
        self._context_of = context_of
        rooms = {
            mount.room: jinja2.FileSystemLoader(mount.templates)
            for mount in mounts
            if mount.templates is not None
        }
        self._templates = jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [jinja2.FileSystemLoader(TEMPLATES), jinja2.PrefixLoader(rooms)]
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_COMPILED,
        )
        self._templates.globals["static"] = static.url
        self._templates.globals["style_sheets"] = STYLE_SHEETS
        self._templates.filters["time"] = time_element
        self._templates.filters["number"] = number
        self._templates.filters["browser"] = browser_name
        for mount in mounts:
            self._templates.filters.update(mount.filters)

    def render(self, request: web.Request, template: str, values: Mapping[str, object]) -> str:
        """The page's HTML."""
        shell = {
            "shell": self._context_of(request),
            "path": request.path,
            "flash": flash_of(request),
            "request_id": request.get(REQUEST_ID, ""),
        }
        return self._templates.get_template(template).render({**shell, **values})


PAGES: Final = web.AppKey("pages", Pages)


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> web.Response:
    """The page that ``template`` ("<room>/name.html") makes of the values."""
    html = request.config_dict[PAGES].render(request, template, values)
    response = web.Response(text=html, content_type="text/html", status=status, headers=headers)
    if cookie(request, FLASH_COOKIE) is not None:
        drop_cookie(response, FLASH_COOKIE)
    return response


def problem_page(request: web.Request, problem: Problem) -> web.Response:
    """A refusal as a page."""
    return page(
        request,
        "problem.html",
        status=problem.kind.status,
        headers=problem.headers,
        problem=problem,
    )


def see_other(location: str, flash: str = "", kind: FlashKind = FlashKind.SUCCESS) -> web.Response:
    """303: what the form asked for is done, and this page shows it, with a message."""
    response = web.Response(status=303, headers={"Location": local_path(location)})
    if flash:
        message = msgspec.json.encode(Flash(flash[:FLASH_MAX_CHARS], kind))
        text = base64.urlsafe_b64encode(message).decode()
        set_cookie(response, FLASH_COOKIE, text, max_age_s=FLASH_MAX_AGE_S)
    return response


def local_path(location: str, otherwise: str = "/") -> str:
    """A path on this site, such as the page to go to after signing in; never another site."""
    plain = location.isascii() and location.isprintable() and "\\" not in location
    return location if plain and location.startswith("/") and location[1:2] != "/" else otherwise


def flash_of(request: web.Request) -> Flash | None:
    """The message that the last page left for this one."""
    text = cookie(request, FLASH_COOKIE)
    if text is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=Flash)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None  # an old version's, or somebody has played with it


def time_element(at_us: int, zone: str = "UTC", style: str = "full") -> Markup:
    """A moment in a zone; a small script shows it in the viewer's own and keeps UTC as a title.

    The styles are those of ``time.js``, which has the last word where scripts run.
    """
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    local = moment.astimezone(ZoneInfo(zone))
    return Markup('<time datetime="{}" data-style="{}">{}</time>').format(
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), style, local.strftime(_TIME_STYLES[style])
    )


_TIME_STYLES = {
    "full": "%-d %b %Y, %H:%M %Z",
    "short": "%-d %b, %H:%M",
    "date": "%-d %b %Y",
    "time": "%H:%M %Z",
    "seconds": "%H:%M:%S %Z",
}


def number(value: int) -> str:
    """A whole number with separators: 12,345."""
    return f"{value:,}"
