"""The HTTP kit over real sockets: what comes in, what goes out, and what is logged about it."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from foundation.http.application import application
from foundation.http.connections import answering
from foundation.http.pages import PageContext, Visitor
from foundation.http.problems import FORBIDDEN
from foundation.http.reading import MAX_BODY
from foundation.http.routes import Route
from foundation.logs import LogFormat, LogLevel, configure_logs
from tests.http_room import CRATES, Shelf, serving_shelf

JSON = {"Content-Type": "application/json"}
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, from debug on."""
    stream = io.StringIO()
    configure_logs(LogLevel.DEBUG, LogFormat.JSON, stream)
    yield stream
    configure_logs(LogLevel.WARNING, LogFormat.JSON)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the room."""
    async with client_of() as session:
        yield session


@asynccontextmanager
async def client_of(
    shelf: Shelf | None = None, **options: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving_shelf(shelf, **options) as at, to(*at) as session:
        yield session


def to(host: str, port: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://{host}:{port}")


async def problem(answer: aiohttp.ClientResponse) -> tuple[int, str, str | None]:
    """The status, the code and the place of a refusal that is one."""
    assert answer.content_type == "application/problem+json"
    body = await answer.json(content_type=None)
    assert body["status"] == answer.status
    assert body["type"] == f"/problems/{body['code']}"
    return answer.status, body["code"], body.get("place")


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


# --- answers ---------------------------------------------------------------------------------


async def test_a_value_is_answered_as_json_and_never_kept_for_others(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/api/v1/crates/crate-03") as answer:
        assert answer.status == 200
        assert await answer.json() == {"name": "crate-03", "weight_g": 7}
        assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_who_has_the_bytes_already_gets_304(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/v1/crates/crate-03") as answer:
        tag = answer.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        async with client.get(
            "/api/v1/crates/crate-03", headers={"If-None-Match": given}
        ) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["ETag"] == tag
    async with client.get("/api/v1/crates/crate-04", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200


async def test_head_is_answered_like_get_without_a_body(client: aiohttp.ClientSession) -> None:
    async with client.head("/api/v1/crates/crate-03") as answer:
        assert answer.status == 200
        assert answer.headers["ETag"]
        assert await answer.read() == b""


async def test_every_answer_carries_the_headers_of_the_house(
    client: aiohttp.ClientSession,
) -> None:
    for path in ("/api/v1/crates", "/shelf", "/nowhere", "/api/v1/breaks", "/metrics"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert len(answer.headers["X-Request-Id"]) == 16
            assert "Cache-Control" in answer.headers
            assert "Server" not in answer.headers


async def test_only_with_a_public_https_address_browsers_are_told_to_stay_with_it() -> None:
    for origin, told in (("https://softclose.example", True), ("http://softclose.example", False)):
        async with client_of(public_origin=origin) as client, client.get("/shelf") as answer:
            assert ("Strict-Transport-Security" in answer.headers) is told
            sockets = origin.replace("http", "ws", 1)
            assert f" {sockets};" in answer.headers["Content-Security-Policy"]


# --- bodies ----------------------------------------------------------------------------------

BODIES = [
    (b'{"name": "a", "color": 1}', (422, "INVALID", "/color")),
    (b'{"name": "a", "labels": [{"text": "x"}, {"text": "y", "z": 1}]}',
     (422, "INVALID", "/labels/1/z")),
    (b'{"name": "a", "labels": [{}]}', (422, "INVALID", "/labels/0/text")),
    (b'{"weight_g": 1}', (422, "INVALID", "/name")),
    (b'{"name": ""}', (422, "INVALID", "/name")),
    (b'{"name": 5}', (422, "INVALID", "/name")),
    (b'{"name": "a", "weight_g": "5"}', (422, "INVALID", "/weight_g")),
    (b'{"name": "a", "weight_g": true}', (422, "INVALID", "/weight_g")),
    (b'{"name": "a", "weight_g": 1.5}', (422, "INVALID", "/weight_g")),
    (b'{"name": "a", "weight_g": 9223372036854775808}', (422, "INVALID", "/weight_g")),
    (b'{"name": "a", "weight_g": 1e400}', (400, "MALFORMED", None)),
    (b'{"name": "a\\u0000b"}', (422, "INVALID", "/name")),
    (b'{"name": "\\ud800"}', (400, "MALFORMED", None)),
    (b'{"name": "a", "name": "b"}', (400, "MALFORMED", None)),
    (b'{"name": NaN}', (400, "MALFORMED", None)),
    (b"[" * 10_000, (400, "MALFORMED", None)),
    (b'{"name": "\xff"}', (400, "MALFORMED", None)),
    (b"[]", (422, "INVALID", "")),
    (b"", (400, "MALFORMED", None)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "refusal"), BODIES, ids=lambda it: repr(it)[:40])
async def test_a_body_that_is_not_as_it_must_be_is_refused_with_the_place(
    client: aiohttp.ClientSession, body: bytes, refusal: tuple[int, str, str | None]
) -> None:
    async with client.post("/api/v1/crates", data=body, headers=JSON) as answer:
        status, code, place = await problem(answer)
        assert (status, code, place or "") == (*refusal[:2], refusal[2] or "")


async def test_a_good_body_makes_something(client: aiohttp.ClientSession) -> None:
    async with client.post("/api/v1/crates", json={"name": "äpfel", "weight_g": 5}) as answer:
        assert answer.status == 201
        assert await answer.json() == {"name": "äpfel", "weight_g": 5}


async def test_a_body_over_the_bound_is_413_announced_or_not(
    client: aiohttp.ClientSession,
) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 10_000

    for body in (b" " * (MAX_BODY + 1), in_chunks()):
        async with client.post("/api/v1/crates", data=body, headers=JSON) as answer:
            assert await problem(answer) == (413, "BODY_TOO_LARGE", None)
    fitting = b'{"name": "a"}'.ljust(MAX_BODY)
    async with client.post("/api/v1/crates", data=fitting, headers=JSON) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_another_content_type_is_415(client: aiohttp.ClientSession, kind: str) -> None:
    async with client.post(
        "/api/v1/crates", data=b'{"name": "a"}', headers={"Content-Type": kind}
    ) as answer:
        assert await problem(answer) == (415, "UNSUPPORTED_MEDIA_TYPE", None)


async def test_a_packed_body_is_415(client: aiohttp.ClientSession) -> None:
    async with client.post(
        "/api/v1/crates", data=b"xyz", headers={**JSON, "Content-Encoding": "gzip"}
    ) as answer:
        assert await problem(answer) == (415, "UNSUPPORTED_MEDIA_TYPE", None)


async def test_a_rooms_own_refusal_has_its_code(client: aiohttp.ClientSession) -> None:
    async with client.post("/api/v1/crates", json={"name": "one too many"}) as answer:
        assert await problem(answer) == (409, "NO_MORE_CRATES", None)
        assert (await answer.json(content_type=None))["detail"] == "All 25 places are taken."


# --- queries and lists -----------------------------------------------------------------------

QUERIES = [
    ("color=1", "?color"),
    ("limit=0", "?limit"),
    ("limit=201", "?limit"),
    ("limit=ten", "?limit"),
    ("limit=1&limit=2", "?limit"),
    ("limit=99999999999999999999", "?limit"),
    ("cursor=", "?cursor"),
    ("cursor=%00", "?cursor"),
    ("cursor=abc", "?cursor"),
    ("cursor=" + "a" * 2_000, "?cursor"),
]


@pytest.mark.parametrize(("query", "place"), QUERIES)
async def test_a_query_that_is_not_as_it_must_be_is_refused_with_its_parameter(
    client: aiohttp.ClientSession, query: str, place: str
) -> None:
    async with client.get(f"/api/v1/crates?{query}") as answer:
        assert await problem(answer) == (422, "INVALID", place)


async def test_following_the_cursors_shows_each_row_once(client: aiohttp.ClientSession) -> None:
    seen: list[str] = []
    query: dict[str, str] = {"limit": "10"}
    while True:
        async with client.get("/api/v1/crates", params=query) as answer:
            shown = await answer.json()
        seen += [item["name"] for item in shown["items"]]
        if shown["next_cursor"] is None:
            break
        query["cursor"] = shown["next_cursor"]
    assert seen == CRATES


# --- what is not there, or breaks ------------------------------------------------------------


async def test_what_does_not_exist_answers_with_the_same_bytes_everywhere(
    client: aiohttp.ClientSession,
) -> None:
    bodies = set()
    for path in ("/api/v1/crates/none", "/api/v1/nowhere", "/api/v1/crates/x/y", "/static/a/b"):
        async with client.get(path) as answer:
            assert await problem(answer) == (404, "NOT_FOUND", None)
            bodies.add(await answer.read())
    assert len(bodies) == 1


async def test_a_method_that_is_not_taken_is_405_and_says_which_are(
    client: aiohttp.ClientSession,
) -> None:
    async with client.delete("/api/v1/crates") as answer:
        assert await problem(answer) == (405, "METHOD_NOT_ALLOWED", None)
        assert answer.headers["Allow"] == "GET,HEAD,POST"


async def test_a_defect_is_500_without_a_word_and_logged_with_the_requests_id(
    client: aiohttp.ClientSession, log: io.StringIO
) -> None:
    async with client.get("/api/v1/breaks?token=tell-nobody") as answer:
        assert await problem(answer) == (500, "INTERNAL", None)
        text = await answer.text()
        request_id = answer.headers["X-Request-Id"]
    assert "hunter2" not in text
    assert "Traceback" not in text
    failed = next(line for line in lines(log) if line["event"] == "request_failed")
    assert failed["request_id"] == request_id
    assert "hunter2" in str(failed["exception"])
    assert "tell-nobody" not in log.getvalue()


async def test_without_a_database_it_is_503_and_when_to_come_back(
    client: aiohttp.ClientSession, log: io.StringIO
) -> None:
    async with client.get("/api/v1/away") as answer:
        assert await problem(answer) == (503, "UNAVAILABLE", None)
        assert answer.headers["Retry-After"] == "2"
    away = next(line for line in lines(log) if line["event"] == "request_unavailable")
    assert "exception" not in away


async def test_one_line_tells_about_a_request_and_nothing_that_was_in_it(
    client: aiohttp.ClientSession, log: io.StringIO
) -> None:
    async with client.post("/api/v1/crates?x=in-the-query", json={"name": "in-the-body"}) as answer:
        request_id = answer.headers["X-Request-Id"]
    (told,) = [line for line in lines(log) if line["event"] == "request"]
    assert told["method"] == "POST"
    assert told["route"] == "/api/v1/crates"
    assert told["status"] == 201
    assert told["address"] == "127.0.0.1"
    assert told["request_id"] == request_id
    assert isinstance(told["ms"], float)
    assert "in-the" not in log.getvalue()


async def test_a_path_with_line_breaks_forges_no_line(
    client: aiohttp.ClientSession, log: io.StringIO
) -> None:
    async with client.get("/nowhere%0d%0a%7B%22event%22:%22forged%22%7D") as answer:
        assert await problem(answer) == (400, "BAD_REQUEST", None)
    assert [line["event"] for line in lines(log) if line["logger"] == "softclose.http"] == [
        "request"
    ]
    assert "forged" not in log.getvalue()


async def test_the_type_of_a_problem_leads_to_a_page_about_it(
    client: aiohttp.ClientSession,
) -> None:
    for code, title in (("INVALID", "A value is not as it must be"), ("NO_MORE_CRATES", "full")):
        async with client.get(f"/problems/{code}") as answer:
            assert answer.status == 200
            assert title in await answer.text()
    async with client.get("/problems/NO_SUCH_CODE") as answer:
        assert await problem(answer) == (404, "NOT_FOUND", None)


# --- where it comes from ---------------------------------------------------------------------

FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://{here}"[:-1] + "}.evil.example"},
    {"Origin": "http://{here}@evil.example"},
    {"Origin": "http://{here}/"},
    {"Origin": "ftp://{here}"},
    {"Origin": "http://[broken"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://{here}"},
    {"Cookie": "__Host-session=stolen"},  # a browser too old to say where from
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_change_from_another_site_is_403(headers: dict[str, str]) -> None:
    async with serving_shelf() as (host, port), to(host, port) as client:
        said = {k: v.replace("{here}", f"{host}:{port}") for k, v in headers.items()}
        said.setdefault("Cookie", "__Host-session=theirs")
        async with client.post("/api/v1/crates", json={"name": "a"}, headers=said) as answer:
            assert await problem(answer) == (403, "FOREIGN_ORIGIN", None)
        async with client.get("/api/v1/crates", headers=said) as answer:
            assert answer.status == 200  # looking changes nothing


async def test_a_change_from_our_own_page_or_a_program_is_taken() -> None:
    async with serving_shelf() as (host, port), to(host, port) as client:
        here = f"http://{host}:{port}"
        for headers in (
            {"Origin": here, "Cookie": "a=b"},
            {"Origin": here, "Sec-Fetch-Site": "same-origin", "Cookie": "a=b"},
            {"Sec-Fetch-Site": "same-origin", "Cookie": "a=b"},
            {"Authorization": "Bearer sc_x"},
        ):
            async with client.post("/api/v1/crates", json={"name": "a"}, headers=headers) as answer:
                assert answer.status == 201, headers


async def test_behind_a_proxy_only_the_public_address_is_ours() -> None:
    async with client_of(public_origin="https://softclose.example") as client:
        for origin, status in (
            ("https://softclose.example", 201),
            ("http://softclose.example", 403),
            (str(client._base_url).rstrip("/"), 403),
        ):
            headers = {"Origin": origin, "Cookie": "a=b"}
            async with client.post("/api/v1/crates", json={"name": "a"}, headers=headers) as answer:
                assert answer.status == status, origin


async def test_a_websocket_with_a_cookie_is_opened_by_our_own_pages_only(
    client: aiohttp.ClientSession,
) -> None:
    headers = {"Cookie": "a=b", "Origin": "http://evil.example"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/shelf", headers=headers)
    assert refused.value.status == 403


async def test_what_the_guard_refuses_no_handler_sees() -> None:
    shelf = Shelf()

    async def nobody(_request: web.Request, route: Route) -> None:
        raise FORBIDDEN(route.summary)

    form = {"subject": "hello"}
    async with client_of(shelf, guard=nobody) as client, client.post("/shelf", data=form) as answer:
        assert await problem(answer) == (403, "FORBIDDEN", None)
    assert shelf.enquiries == []


# --- pages and forms -------------------------------------------------------------------------


async def test_a_browser_gets_refusals_as_pages(client: aiohttp.ClientSession) -> None:
    for path, status, words in (("/nowhere", 404, "Not found"), ("/breaks", 500, "went wrong")):
        async with client.get(path, headers=BROWSER) as answer:
            text = await answer.text()
            assert (answer.status, answer.content_type) == (status, "text/html")
            assert words in text
            assert "hunter2" not in text
            assert (answer.headers["X-Request-Id"] in text) is (status == 500)
    async with client.get("/api/v1/nowhere", headers=BROWSER) as answer:
        assert await problem(answer) == (404, "NOT_FOUND", None)


async def test_what_is_put_into_a_page_is_escaped(client: aiohttp.ClientSession) -> None:
    async with client.get("/shelf") as answer:
        assert 'value="&lt;b&gt;"' in await answer.text()


async def test_a_bad_form_comes_back_with_messages_and_what_was_typed(
    client: aiohttp.ClientSession,
) -> None:
    form = {"subject": " <i ", "copies": "many"}
    async with client.post("/shelf", data=form) as answer:
        text = await answer.text()
        assert answer.status == 422
    assert 'value="&lt;i"' in text
    assert 'href="#field-subject">Subject: At least 3 characters.' in text
    assert 'aria-describedby="hint-subject error-subject" aria-invalid="true"' in text
    assert "Enter a whole number." in text


async def test_a_good_form_leads_on_with_a_message_that_is_shown_once() -> None:
    shelf = Shelf()
    async with client_of(shelf) as client:
        form = {"subject": "Apples", "copies": "2", "urgent": "on"}
        async with client.post("/shelf", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/shelf")
            kept = answer.headers["Set-Cookie"]
        for part in ("__Host-flash=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in kept
        cookie = {"Cookie": kept.partition(";")[0]}
        async with client.get("/shelf", headers=cookie) as answer:
            assert "Thank you &amp; see you &lt;soon&gt;." in await answer.text()
            assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert [(e.subject, e.copies, e.urgent, e.picture) for e in shelf.enquiries] == [
        ("Apples", 2, True, None)
    ]


async def test_a_message_that_somebody_has_played_with_is_not_shown(
    client: aiohttp.ClientSession,
) -> None:
    for value in ("x", "eyJ0ZXh0IjoxfQ==", "%ff"):
        async with client.get("/shelf", headers={"Cookie": f"__Host-flash={value}"}) as answer:
            assert answer.status == 200
            assert "flash" not in await answer.text()


async def test_an_upload_arrives_whole_and_without_its_folders() -> None:
    shelf = Shelf()
    async with client_of(shelf) as client:
        named = rb'form-data; name="picture"; filename="..\../etc/a.png"'
        body = (
            b'--x\r\nContent-Disposition: form-data; name="subject"\r\n\r\nApples\r\n'
            b"--x\r\nContent-Disposition: "
            + named
            + b"\r\nContent-Type: image/png\r\n\r\n"
            + b"\x89PNG" * 9
            + b"\r\n--x--\r\n"
        )
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        async with client.post(
            "/shelf", data=body, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 303
    (enquiry,) = shelf.enquiries
    assert enquiry.picture is not None
    assert enquiry.picture.file_name == "a.png"
    assert enquiry.picture.media_type == "image/png"
    assert enquiry.picture.data == b"\x89PNG" * 9


async def test_an_upload_over_the_bound_is_413(client: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"subject": "Apples"})
    form.add_field("picture", b"x" * 200_000, filename="a.png")
    async with client.post("/shelf", data=form) as answer:
        assert await problem(answer) == (413, "BODY_TOO_LARGE", None)


@pytest.mark.parametrize(
    ("kind", "body", "refusal"),
    [
        ("application/x-www-form-urlencoded", b"subject=%ff", (400, "MALFORMED", None)),
        ("application/x-www-form-urlencoded", b"subject=a%00b", (400, "MALFORMED", None)),
        ("application/x-www-form-urlencoded", b"\xff", (400, "MALFORMED", None)),
        ("application/x-www-form-urlencoded", b"a=1&" * 600, (400, "MALFORMED", None)),
        ("application/x-www-form-urlencoded", b"color=1", (422, "INVALID", "/color")),
        ("application/x-www-form-urlencoded", b"copies=1&copies=2", (422, "INVALID", "/copies")),
        ("multipart/form-data", b"", (400, "MALFORMED", None)),
        ("multipart/form-data; boundary=x", b"--y\r\n", (400, "MALFORMED", None)),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\na\r\n--x--", (400, "MALFORMED", None)),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a\x01"\r\n\r\na\r\n--x--',
            (400, "MALFORMED", None),
        ),
        ("text/plain", b"subject=abc", (415, "UNSUPPORTED_MEDIA_TYPE", None)),
    ],
    ids=repr,
)
async def test_what_no_form_of_ours_sends_is_refused(
    client: aiohttp.ClientSession, kind: str, body: bytes, refusal: tuple[int, str, str | None]
) -> None:
    async with client.post("/shelf", data=body, headers={"Content-Type": kind}) as answer:
        assert await problem(answer) == refusal


async def test_the_shell_shows_who_is_signed_in() -> None:
    shell = PageContext(visitor=Visitor("Ann <A> Lee", "Lee & Sons"), sign_out="/sign-out")
    shown = client_of(context_of=lambda _request: shell)
    async with shown as client, client.get("/shelf") as answer:
        text = await answer.text()
    assert "Ann &lt;A&gt; Lee" in text
    assert "Lee &amp; Sons" in text
    assert ">AL</span>" in text
    assert 'action="/sign-out"' in text


async def test_who_is_lost_is_still_known() -> None:
    known = web.RequestKey("known", str)

    async def guard(request: web.Request, route: Route) -> None:
        request[known] = f"Ann, asked for {route.access}"

    def shell(request: web.Request) -> PageContext:
        return PageContext(visitor=Visitor(request.get(known, "nobody"), ""))

    site = client_of(guard=guard, context_of=shell, lost="looking")
    async with site as client, client.get("/nowhere", headers=BROWSER) as answer:
        assert answer.status == 404
        assert "Ann, asked for looking" in await answer.text()


# --- static files, metrics, connections ------------------------------------------------------


async def static_url(client: aiohttp.ClientSession, name: str) -> str:
    async with client.get("/shelf") as answer:
        text = await answer.text()
    end = text.index(name) + len(name)
    return text[text.rindex('"', 0, end) + 1 : end]


async def test_static_files_are_kept_for_ever_and_packed(client: aiohttp.ClientSession) -> None:
    url = await static_url(client, "foundation/static/css/base.css")
    async with client.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert answer.headers["Content-Encoding"] == "gzip"
        tag = answer.headers["ETag"]
        packed = await answer.text()
    async with client.get(url, headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.text() == packed
    async with client.get(url, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_a_page_from_before_a_deployment_gets_its_files_but_does_not_keep_them(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/static/0123456789abcdef/foundation/static/page.js") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../../../../etc/passwd",
        "/static/x/..%2f..%2f..%2fetc%2fpasswd",
        "/static/x/foundation/static/../../foundation/mail.py",
        "/static/x/foundation/static/..%5cmail.py",
        "/static/x//etc/passwd",
        "/static/x/foundation/static/css",
        "/static/x/foundation/mail.py",
    ],
)
async def test_no_path_leads_out_of_the_static_folders(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(URL(path, encoded=True)) as answer:
        assert await problem(answer) == (404, "NOT_FOUND", None)


async def test_the_manifest_names_icons_that_are_there(client: aiohttp.ClientSession) -> None:
    async with client.get("/site.webmanifest") as answer:
        manifest = await answer.json(content_type="application/manifest+json")
    for icon in manifest["icons"]:
        async with client.get(icon["src"]) as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")


async def test_metrics_count_by_route_and_are_for_those_who_may() -> None:
    here, elsewhere = [ip_network("127.0.0.0/8")], [ip_network("192.0.2.0/24")]
    async with client_of(metrics_clients=here) as client:
        for name in ("crate-01", "crate-02", "none"):
            async with client.get(f"/api/v1/crates/{name}"):
                pass
        async with client.get("/metrics") as answer:
            text = await answer.text()
        counted = 'softclose_http_requests_total{method="GET",route="/api/v1/crates/{name}",status='
        assert f'{counted}"200"}} 2.0' in text
        assert f'{counted}"404"}} 1.0' in text
        assert "crate-01" not in text
        assert "softclose_event_loop_lag_seconds_bucket" in text
        async with client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}) as answer:
            assert answer.status == 404  # through a proxy that nobody trusts
    closed = client_of(metrics_clients=elsewhere)
    async with closed as client, client.get("/metrics") as answer:
        assert await problem(answer) == (404, "NOT_FOUND", None)


async def test_a_body_that_does_not_arrive_is_given_up(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.http.reading.BODY_TIMEOUT_S", 0.05)
    never = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await never.wait()

    async with client.post("/api/v1/crates", data=slowly(), headers=JSON) as answer:
        assert await problem(answer) == (408, "BODY_TOO_SLOW", None)


async def test_between_two_applications_on_a_socket_nobody_is_turned_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        async with answering(listener, application()):
            pass
        async with to(*listener.getsockname()) as client:
            waiting = asyncio.create_task(client.get("/shelf"))
            await asyncio.sleep(0)
            async with answering(listener, application([Shelf().mount()])), await waiting as answer:
                assert answer.status == 200


async def test_where_something_was_made_is_told_in_plain_characters(
    client: aiohttp.ClientSession,
) -> None:
    for name, told in (("äpfel 2", "%C3%A4pfel%202"), ("a\r\nX: y", "a%0D%0AX:%20y")):
        async with client.post("/api/v1/crates", json={"name": name}) as answer:
            assert answer.status == 201
            assert answer.headers["Location"] == f"/api/v1/crates/{told}"
            assert "X" not in answer.headers
