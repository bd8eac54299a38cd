"""The API's description (OpenAPI 3.1), made from the rows that make the routes.

So it cannot forget a route, a field or a refusal. Paths under ``/api/`` are described, unless
their row says that they cannot be (a WebSocket).
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

import msgspec
from aiohttp import web

from foundation.http.answers import bytes_answer
from foundation.http.problems import (
    ALWAYS_POSSIBLE,
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    FOREIGN_ORIGIN,
    INVALID,
    MALFORMED,
    MEDIA_TYPE,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemDetails,
    ProblemKind,
)
from foundation.http.routes import Media, Mount, Route

PATH: Final = "/api/v1/openapi.json"

_REF = "#/components/schemas/{name}"
# aiohttp's "{lot_id}" and "{number:[0-9]+}"; OpenAPI knows only the first.
_PARAMETER = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")
_GENERIC = re.compile(r"#/components/schemas/(\w+?)_(\w+)_(?=\")|\"(\w+?)_(\w+)_\":")

_BODY_PROBLEMS = (MALFORMED, BODY_TOO_SLOW, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID)


@dataclass(frozen=True)
class AccessWords:
    """What a row's access means, for readers of the description; the host tells."""

    schemes: tuple[str, ...] = ()  # any one of these security schemes admits
    optional: bool = False  # nobody in particular is admitted too
    text: str = ""
    problems: tuple[ProblemKind, ...] = ()


@dataclass(frozen=True)
class About:
    """What stands at the head of the description, and what access means."""

    title: str
    version: str
    description: str
    security_schemes: Mapping[str, Mapping[str, str]]
    words_of: Callable[[object], AccessWords]


def anybody(_access: object) -> AccessWords:
    """For an application that has no accounts."""
    return AccessWords()


UNNAMED: Final = About("API", "0", "", {}, anybody)


def openapi(mounts: Iterable[Mount], about: About) -> dict[str, Any]:
    """The description of these rooms' routes, as a JSON value."""
    rows = [row for mount in mounts for row in mount.routes if row.for_programs and row.described]
    schemas = _Schemas(rows)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        operations = paths.setdefault(_PARAMETER.sub(r"{\1}", row.path), {})
        assert row.method.lower() not in operations, f"{row.method} {row.path} is there twice"
        operations[row.method.lower()] = _operation(row, schemas, about.words_of(row.access))
    _refuse_equal_ids(paths)
    return _with_plain_names(
        {
            "openapi": "3.1.0",
            "info": {
                "title": about.title,
                "version": about.version,
                "description": about.description,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": tag} for tag in sorted({_tag(row) for row in rows})],
            "paths": dict(sorted(paths.items())),
            "components": {
                "responses": dict(sorted(schemas.refusals.items())),
                "schemas": dict(sorted(schemas.components.items())),
                "securitySchemes": dict(about.security_schemes),
            },
        }
    )


def openapi_json(mounts: Iterable[Mount], about: About) -> bytes:
    """The description as a file; the same rows give the same bytes."""
    return msgspec.json.format(msgspec.json.encode(openapi(mounts, about)), indent=2) + b"\n"


def route_to(mounts: Sequence[Mount], about: About) -> web.RouteDef:
    """GET /api/v1/openapi.json, for anybody.

    Made when it is first asked for, in a thread: it takes a good part of a second.
    """
    made: asyncio.Future[bytes] | None = None

    async def get(request: web.Request) -> web.Response:
        nonlocal made
        if made is None:
            made = asyncio.ensure_future(asyncio.to_thread(openapi_json, mounts, about))
        description = await asyncio.shield(made)
        return bytes_answer(
            request, description, "application/json", headers={"Cache-Control": "public, no-cache"}
        )

    return web.get(PATH, get)


class _Schemas:
    """The schemas of all types that the rows name, under names that are free of clashes."""

    def __init__(self, rows: Sequence[Route]) -> None:
        wanted: list[Any] = [ProblemDetails]
        for row in rows:
            answers = [] if isinstance(row.answer, Media) else [row.answer]
            wanted += [kind for kind in (row.body, *answers) if kind is not None]
            for field in _fields(row):
                wanted.append(field.type)
        different = list(dict.fromkeys(wanted))
        schemas, self.components = msgspec.json.schema_components(different, ref_template=_REF)
        self.refusals: dict[str, Any] = {}
        self._of = dict(zip(different, schemas, strict=True))

    def of(self, wanted: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self._of[wanted]
        return schema

    def refusal(self, kinds: Sequence[ProblemKind]) -> dict[str, str]:
        """A reference to the answer that is any of these problems; many rows share it."""
        name = ".".join(kind.code for kind in kinds)
        self.refusals[name] = _refusal(kinds)
        return {"$ref": f"#/components/responses/{name}"}


def _fields(row: Route) -> tuple[msgspec.structs.FieldInfo, ...]:
    return () if row.query is None else msgspec.structs.fields(row.query)


def _operation(row: Route, schemas: _Schemas, access: AccessWords) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{_tag(row)}_{getattr(row.handler, '__name__', 'handle')}",
        "tags": [_tag(row)],
        "summary": row.summary,
    }
    if access.text:
        operation["description"] = access.text
    if access.schemes:
        nobody: list[dict[str, list[str]]] = [{}] if access.optional else []
        operation["security"] = [{scheme: []} for scheme in access.schemes] + nobody
    if parameters := [
        *_path_parameters(row),
        *_query_parameters(row, schemas),
        *_header_parameters(row),
    ]:
        operation["parameters"] = parameters
    if row.body is not None:
        schema = schemas.of(row.body)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    if row.takes is not None:
        schema = {"type": "string", "format": "binary"}
        operation["requestBody"] = {
            "required": True,
            "content": {row.takes.media_type: {"schema": schema}},
        }
    operation["responses"] = _responses(row, schemas, access)
    return operation


def _tag(row: Route) -> str:
    """The word after the version: /api/v1/lots/{lot_id} is about lots."""
    words = [word for word in row.path.split("/")[2:] if word and "{" not in word]
    return words[1] if len(words) > 1 else words[0]


def _path_parameters(row: Route) -> Iterable[dict[str, Any]]:
    for name, pattern in _PARAMETER.findall(row.path):
        schema = {"type": "string", "minLength": 1}
        if pattern:
            schema["pattern"] = f"^(?:{pattern})$"
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(row: Route, schemas: _Schemas) -> Iterable[dict[str, Any]]:
    for field in _fields(row):
        schema = dict(schemas.of(field.type))
        if field.default is not msgspec.NODEFAULT and field.default is not None:
            schema["default"] = msgspec.to_builtins(field.default)
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schema,
        }


def _header_parameters(row: Route) -> Iterable[dict[str, Any]]:
    for header in row.headers:
        schema = {"type": "string"}
        if header.pattern:
            schema["pattern"] = f"^(?:{header.pattern})$"
        yield {
            "name": header.name,
            "in": "header",
            "required": True,
            "description": header.description,
            "schema": schema,
        }


def _responses(row: Route, schemas: _Schemas, access: AccessWords) -> dict[str, Any]:
    responses: dict[str, Any] = {str(row.status): _success(row, schemas)}
    if row.method == "GET" and row.status == HTTPStatus.OK:
        responses["304"] = {"description": "The client has it already (If-None-Match)."}
    problems = sorted(set(_problems(row, access)), key=lambda kind: (kind.status, kind.code))
    for status, kinds in groupby(problems, key=lambda kind: kind.status):
        responses[str(status)] = schemas.refusal(list(kinds))
    return dict(sorted(responses.items()))


def _success(row: Route, schemas: _Schemas) -> dict[str, Any]:
    answered: dict[str, Any] = {"description": HTTPStatus(row.status).phrase}
    if isinstance(row.answer, Media):
        answered["content"] = {row.answer.media_type: {"schema": {}}}
    elif row.answer is not None:
        answered["content"] = {"application/json": {"schema": schemas.of(row.answer)}}
    return answered


def _problems(row: Route, access: AccessWords) -> Iterable[ProblemKind]:
    yield from ALWAYS_POSSIBLE
    yield from row.problems
    yield from access.problems
    if row.body is not None or row.takes is not None:
        yield from _BODY_PROBLEMS
    if row.query is not None:
        yield INVALID
    if row.method != "GET":
        yield FOREIGN_ORIGIN


def _refusal(kinds: Sequence[ProblemKind]) -> dict[str, Any]:
    codes = {"type": "object", "properties": {"code": {"enum": [kind.code for kind in kinds]}}}
    schema = {"allOf": [{"$ref": _REF.format(name=ProblemDetails.__name__)}, codes]}
    return {
        "description": " ".join(f"`{kind.code}`: {kind.title}." for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _refuse_equal_ids(paths: Mapping[str, Mapping[str, Any]]) -> None:
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    twice = {one for one in ids if ids.count(one) > 1}
    assert not twice, f"handlers of one tag need names of their own: {twice}"


def _with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """``Listing[Lot]`` is called ``LotListing`` instead of ``Listing_Lot_``."""

    def renamed(match: re.Match[str]) -> str:
        if match[1] is not None:
            return f"#/components/schemas/{match[2]}{match[1]}"
        return f'"{match[4]}{match[3]}":'

    text = _GENERIC.sub(renamed, msgspec.json.encode(document).decode())
    plain: dict[str, Any] = msgspec.json.decode(text)
    return plain
