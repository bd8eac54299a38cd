"""What comes in: bodies and queries as typed values, or a problem that names the place.

Types of input are `msgspec` structs that refuse unknown fields, `Input` is their base; what the
types say (ranges, lengths, patterns) is checked here, so that a handler sees only values that
can be. Nothing is guessed from text in a body: ``"10"`` is no number there.
"""

import asyncio
import re
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import inspect

from foundation.http.problems import (
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    INVALID,
    MALFORMED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from foundation.strict_json import BadJson, parse, pointer_token, refuse_unstorable

# The largest body that a route takes unless its row says otherwise.
MAX_BODY: Final = 64 * 1024
# What the row of this request's route says.
BODY_LIMIT: Final = web.RequestKey("body_limit", int)
# The whole body has to be here in this time: 64 KiB over a bad mobile line takes a second.
BODY_TIMEOUT_S: Final = 20.0

# What reading raises for a body whose framing is broken.
BROKEN_BODY: Final = (HttpProcessingError, web.RequestPayloadError)

_PLACE = re.compile(r"(?s)(?P<message>.*?)(?: - at `(?:key in )?\$?(?P<path>[^`]*)`)?")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]")


class Input(msgspec.Struct, forbid_unknown_fields=True):
    """The base of what is taken from outside: an unknown field is refused, not ignored.

    Not frozen, because the type checker would want each subclass to say so again.
    """


T = TypeVar("T", bound=msgspec.Struct)


async def body_of(request: web.Request, expected: type[T]) -> T:
    """The JSON body as a value of this type. Raises `Problem`: 400, 413, 415 or 422."""
    if request.content_type != "application/json":
        raise UNSUPPORTED_MEDIA_TYPE("Send JSON, with Content-Type: application/json.")
    raw = await read_body(request)
    try:
        plain = parse(raw)
    except BadJson as error:
        kind = MALFORMED if error.place is None else INVALID
        what = "value" if error.place else "body"
        raise kind(f"The {what} {error}.", place=error.place) from None
    return _converted(plain, expected, strict=True)


async def file_of(request: web.Request, media_type: str) -> bytes:
    """The body of a route that `takes` a file. Raises `Problem`: 400, 413, 415."""
    if request.content_type != media_type:
        raise UNSUPPORTED_MEDIA_TYPE(f"Send the file, with Content-Type: {media_type}.")
    return await read_body(request)


def query_of(request: web.Request, expected: type[T]) -> T:
    """The query as a value of this type. A parameter that is given twice is one too many.

    Raises `Problem` 422.
    """
    values: dict[str, Any] = {}
    repeatable = {
        field.encode_name
        for field in msgspec.structs.fields(expected)
        if isinstance(inspect.type_info(field.type), inspect.ListType | inspect.VarTupleType)
    }
    for name, value in request.query.items():
        if name in repeatable:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise INVALID("The parameter is given twice.", place=f"?{name[:40]}")
        else:
            values[name] = value
    try:
        refuse_unstorable(values)
        return _converted(values, expected, strict=False)
    except BadJson as error:
        raise INVALID(f"The value {error}.", place=f"?{(error.place or '')[1:]}") from None
    except Problem as problem:
        raise INVALID(problem.detail, place=f"?{(problem.place or '')[1:]}") from None


async def read_body(request: web.Request, limit: int | None = None) -> bytes:
    """The body's bytes: at most ``limit``, or what the route takes. Raises `Problem` 408, 413."""
    limit = request.get(BODY_LIMIT, MAX_BODY) if limit is None else limit
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_large(limit)
    except TimeoutError:
        raise BODY_TOO_SLOW(headers={"Connection": "close"}) from None
    except BROKEN_BODY:
        raise MALFORMED("The body ends before it is whole.") from None
    return bytes(body)


def too_large(limit: int) -> Problem:
    """What is answered to more than that many bytes; the connection ends with it."""
    return BODY_TOO_LARGE(f"At most {limit:,} bytes are taken.", headers={"Connection": "close"})


@cache
def assert_strict(expected: type[msgspec.Struct]) -> None:
    """A type of input, and each struct in it, has to refuse what it does not know."""
    seen: set[type] = set()

    def look(info: object) -> None:
        if isinstance(info, inspect.StructType):
            if info.cls in seen:
                return
            seen.add(info.cls)
            assert info.forbid_unknown_fields, f"{info.cls.__name__} ignores unknown fields"
            for field in info.fields:
                look(field.type)
        elif isinstance(info, inspect.UnionType):
            for part in info.types:
                look(part)
        elif isinstance(info, inspect.ListType | inspect.VarTupleType):
            look(info.item_type)
        elif isinstance(info, inspect.DictType):
            look(info.value_type)

    look(inspect.type_info(expected))


def _converted(plain: object, expected: type[T], *, strict: bool) -> T:
    try:
        return msgspec.convert(plain, expected, strict=strict)
    except msgspec.ValidationError as error:
        message, place = _message_and_place(str(error))
        raise INVALID(message, place=place) from None


def _message_and_place(text: str) -> tuple[str, str]:
    """msgspec's message in two: what is wrong, and where as a JSON pointer."""
    match = _PLACE.fullmatch(text)
    assert match is not None
    steps = _STEP.finditer(match["path"] or "")
    place = "".join(f"/{pointer_token(step['name'] or step['index'])}" for step in steps)
    message = match["message"].replace("`", "'")
    # A field that is missing or unknown is a better place than the object around it.
    if field := re.search(r"field '([^']*)'", message):
        place += f"/{pointer_token(field[1][:40])}"
    return f"{message[:200]}.", place
