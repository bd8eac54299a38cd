"""Forms of pages: what a person typed, as a typed value or with a message beside each field.

A handler reads a form with `form_of`. If it is not valid, the page is shown again with the form,
whose macros in ``forms.html`` repeat what was typed and tie each message to its field::

    form = await form_of(request, SignIn)
    if form.valid is None:
        return page(request, "accounts/sign_in.html", status=422, form=form)

Text is stripped at both ends, except where the type is `Verbatim`. An empty field counts as not
given. A message of your own: ``Meta(..., extra={"message": "Enter a mail address."})``.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from types import UnionType
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from aiohttp import BodyPartReader, web

from foundation.http.problems import BODY_TOO_SLOW, INVALID, MALFORMED, UNSUPPORTED_MEDIA_TYPE
from foundation.http.reading import (
    BODY_LIMIT,
    BODY_TIMEOUT_S,
    BROKEN_BODY,
    MAX_BODY,
    read_body,
    too_large,
)
from foundation.strict_json import refuse_unstorable

# More parts than any form of ours has fields.
MAX_FIELDS: Final = 500
MAX_FILE_NAME: Final = 200

Verbatim = Annotated[str, msgspec.Meta(extra={"verbatim": True})]


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was sent with a form. What it claims to be is not to be believed."""

    file_name: str  # without any folder
    media_type: str
    data: bytes


T = TypeVar("T", bound=msgspec.Struct)
Raw = dict[str, "list[str | Upload]"]


@dataclass(frozen=True)
class Form(Generic[T]):
    """A form as it was sent: its value if all is well, else a message for each bad field."""

    values: Mapping[str, str | list[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    valid: T | None = None

    def value(self, name: str) -> str:
        """What stands in a field."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else next(iter(value), "")

    def chosen(self, name: str, option: str) -> bool:
        """Whether an option of a list or a box is chosen."""
        value = self.values.get(name, [])
        return option == value if isinstance(value, str) else option in value

    def error(self, name: str) -> str:
        """The message beside a field; empty when it is well."""
        return self.errors.get(name, "")

    def refused(self, name: str, message: str) -> "Form[T]":
        """This form with a message; for what only a service finds out. ``""``: the whole form."""
        return Form(self.values, {**self.errors, name: message})


def blank(**values: str | list[str]) -> Form[Any]:
    """A form that nobody has sent yet, with what stands in its fields."""
    return Form(values)


async def form_of(request: web.Request, expected: type[T]) -> Form[T]:
    """What a page's form sent. Raises `Problem` 400, 413, 415 for what no form of ours sends."""
    match request.content_type:
        case "application/x-www-form-urlencoded":
            raw = _urlencoded(await read_body(request))
        case "multipart/form-data":
            raw = await _multipart(request)
        case _:
            raise UNSUPPORTED_MEDIA_TYPE("Send the form of the page.")
    return check(raw, expected)


def check(raw: Raw, expected: type[T]) -> Form[T]:
    """The fields as they were sent, as a value or with messages. Raises `Problem` 422."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(expected)}
    for name, given in raw.items():
        if name not in fields:
            raise INVALID("The form has a field that is not known here.", place=f"/{name[:40]}")
        if len(given) > 1 and _part(fields[name].type, list) is None:
            raise INVALID("The form has a field twice.", place=f"/{name[:40]}")
    return _checked(raw, expected, fields)


def _checked(
    raw: Raw, expected: type[T], fields: Mapping[str, msgspec.structs.FieldInfo]
) -> Form[T]:
    shown: dict[str, str | list[str]] = {}
    errors: dict[str, str] = {}
    values: dict[str, object] = {}
    for name, info in fields.items():
        given = [_tidy(value, info.type) for value in raw.get(name, [])]
        texts = [value for value in given if isinstance(value, str)]
        shown[name] = texts if _part(info.type, list) is not None else "".join(texts[:1])
        filled = [value for value in given if value != ""]
        if not filled:
            if info.required:
                errors[name] = _message(info.type, "Fill this in.")
            continue
        try:
            values[info.name] = _converted(filled, info.type)
        except msgspec.ValidationError as error:
            errors[name] = _message(info.type, _in_words(str(error)))
    if errors:
        return Form(shown, errors)
    try:
        return Form(shown, {}, expected(**values))
    except ValueError as error:  # raised by the type's own __post_init__
        return Form(shown, {"": str(error)})


def _converted(filled: "list[str | Upload]", expected: Any) -> object:
    if _part(expected, Upload) is not None:
        return filled if _part(expected, list) is not None else filled[0]
    if _part(expected, list) is not None:
        return msgspec.convert(filled, expected, strict=False)
    value = filled[0]
    if _part(expected, bool) is not None:
        return value in {"on", "true", "1", "yes"}
    return msgspec.convert(value, expected, strict=False)


def _tidy(value: str | Upload, expected: Any) -> str | Upload:
    if isinstance(value, Upload):
        return value if value.file_name or value.data else ""
    value = value.replace("\r\n", "\n")
    return value if _extra(expected, "verbatim") else value.strip()


def _part(expected: Any, wanted: type) -> Any:
    """The part of an annotation that is this type (``Annotated[Upload, ...] | None``), if any."""
    origin = get_origin(expected)
    if expected is wanted or origin is wanted:
        return expected
    if origin in {Annotated, Union, UnionType, list}:
        parts = get_args(expected)[:1] if origin is Annotated else get_args(expected)
        for part in parts:
            if (found := _part(part, wanted)) is not None:
                return found
    return None


def _extra(expected: Any, name: str) -> Any:
    """What a Meta of the annotation says under this name."""
    if get_origin(expected) is Annotated:
        for meta in get_args(expected)[1:]:
            if isinstance(meta, msgspec.Meta) and name in (meta.extra or {}):
                return (meta.extra or {})[name]
    if get_origin(expected) in {Annotated, Union, UnionType}:
        for part in get_args(expected):
            if (found := _extra(part, name)) is not None:
                return found
    return None


def _message(expected: Any, otherwise: str) -> str:
    return _extra(expected, "message") or otherwise


def _in_words(text: str) -> str:
    """msgspec's message as a person would say it."""
    text = text.partition(" - at ")[0].replace("`", "")
    if text.startswith("Expected str of length >= "):
        return f"At least {text.rpartition(' ')[2]} characters."
    if text.startswith("Expected str of length <= "):
        return f"At most {text.rpartition(' ')[2]} characters."
    if text.startswith("Expected int >= "):
        return f"At least {text.rpartition(' ')[2]}."
    if text.startswith("Expected int <= "):
        return f"At most {text.rpartition(' ')[2]}."
    if text.startswith("Expected int"):
        return "Enter a whole number."
    if text.startswith("Invalid enum value"):
        return "Choose one of the list."
    if text.startswith(("Expected date", "Invalid RFC3339")):
        return "Enter a date."
    return "This is not as it must be."


def _urlencoded(body: bytes) -> Raw:
    raw: Raw = {}
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
        for name, value in pairs:
            refuse_unstorable(value)
            raw.setdefault(name, []).append(value)
    except ValueError:
        raise MALFORMED("The form cannot be read.") from None
    return raw


async def _multipart(request: web.Request) -> Raw:
    limit = request.get(BODY_LIMIT, MAX_BODY)
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    raw: Raw = {}
    left = limit
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            reader = await request.multipart()
            for _ in range(MAX_FIELDS):
                part = await reader.next()
                if part is None:
                    return raw
                if not isinstance(part, BodyPartReader) or not part.name:
                    raise MALFORMED("The form cannot be read.")
                data = await _read_part(part, left, limit)
                left -= len(data)
                raw.setdefault(part.name, []).append(_value_of(part, data))
    except TimeoutError:
        raise BODY_TOO_SLOW(headers={"Connection": "close"}) from None
    except (*BROKEN_BODY, ValueError, LookupError, web.HTTPException):
        raise MALFORMED("The form cannot be read.") from None
    raise MALFORMED("The form has too many fields.")


async def _read_part(part: BodyPartReader, left: int, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > left:
            raise too_large(limit)
    return bytes(data)


def _value_of(part: BodyPartReader, data: bytes) -> str | Upload:
    if part.filename is None:
        text = data.decode("utf-8")
        refuse_unstorable(text)
        return text
    media_type = part.headers.get("Content-Type", "application/octet-stream")
    return Upload(plain_file_name(part.filename), media_type.partition(";")[0].strip(), data)


def plain_file_name(given: str) -> str:
    """The last part of a path in anybody's notation, without what does not belong in a name."""
    last = PureWindowsPath(PurePosixPath(given).name).name
    plain = "".join(c for c in last if c.isprintable()).strip(". ")
    return plain[-MAX_FILE_NAME:]
