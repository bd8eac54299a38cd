"""Bytes from strangers on the socket: refused or answered, never read in two ways.

What looks like one request to us and like two to a proxy (smuggling) is refused by the parser;
the connection ends with it, so that nothing behind it is read.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from foundation.logs import LogFormat, LogLevel, configure_logs
from tests.http_room import Shelf, serving_shelf

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /api/v1/crates/crate-01 HTTP/1.1\r\n"
POST = b"POST /api/v1/crates HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
BODY = b'{"name":"a"}'
SMUGGLED = b"POST /shelf HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"

REFUSED = b'{"type":"/problems/BAD_REQUEST","title":"The request is not well formed",'

MALFORMED = {
    "two Hosts": GET + HOST + b"Host: evil.example\r\n\r\n",
    "two equal Hosts": GET + HOST + HOST + b"\r\n",
    "no Host": GET + b"\r\n",
    "a Host that is none": GET + b"Host: a b\r\n\r\n",
    "a Host with a path": GET + b"Host: 127.0.0.1/x\r\n\r\n",
    "a length and chunks": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "chunks and a length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + SMUGGLED,
    "two lengths": POST + b"Content-Length: 12\r\nContent-Length: 13\r\n\r\n" + BODY,
    "two lengths in one": POST + b"Content-Length: 12, 13\r\n\r\n" + BODY,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST + b"Content-Length: +12\r\n\r\n" + BODY,
    "a length in other digits": POST + "Content-Length: ١٢\r\n\r\n".encode() + BODY,
    "a length beyond all bounds": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a bare LF in the first line": GET[:-2] + b"\n" + HOST + b"\r\n",
    "a bare LF after a header": GET + b"Host: 127.0.0.1\nX-A: b\r\n\r\n",
    "a bare CR in a header": GET + b"Host: 127.0.0.1\rX-A: b\r\n\r\n",
    "a folded header": GET + HOST + b"X-A: b\r\n c\r\n\r\n",
    "a blank before the colon": GET + b"Host : 127.0.0.1\r\n\r\n",
    "a NUL in a header": GET + HOST + b"X-A: a\0b\r\n\r\n",
    "a header of 100 kB": GET + HOST + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "20,000 headers": GET + HOST + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
    "a path of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a broken chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/3.0": b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "a method in other letters": "GÉT / HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "an address instead of a path": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, from info on."""
    stream = io.StringIO()
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream)
    yield stream
    configure_logs(LogLevel.WARNING, LogFormat.JSON)


@pytest.fixture
async def at() -> AsyncIterator[tuple[str, int]]:
    """Where the room is served."""
    async with serving_shelf() as address:
        yield address


async def exchange(at: tuple[str, int], raw: bytes) -> bytes:
    """Everything that is answered to these bytes until the server closes, or says no more."""
    reader, writer = await asyncio.open_connection(*at)
    answered = b""
    try:
        writer.write(raw)
        async with asyncio.timeout(0.5):
            while part := await reader.read(65_536):
                answered += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answered


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_malformed_is_400_and_nothing_of_it_comes_back(
    at: tuple[str, int], log: io.StringIO, raw: bytes
) -> None:
    answered = await exchange(at, raw)
    status, _, rest = answered.partition(b"\r\n")
    assert status.endswith(b" 400 Bad Request"), answered[:500]
    assert answered.count(b"HTTP/") == 1  # what stood behind it was not read
    head, _, body = rest.partition(b"\r\n\r\n")
    assert body.startswith(REFUSED)
    assert b"aiohttp" not in head
    assert b"nosniff" in head
    for said in (b"evil", b"aaaa", b"smuggled"):
        assert said not in answered
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    assert len([line for line in told if line["logger"] == "softclose.http"]) == 1
    assert "Traceback" not in log.getvalue()
    assert "evil" not in log.getvalue()


async def test_the_room_goes_on_after_all_of_them(at: tuple[str, int]) -> None:
    await asyncio.gather(*(exchange(at, raw) for raw in MALFORMED.values()))
    answered = await exchange(at, GET + HOST + b"Connection: close\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200 OK")


async def test_pipelined_requests_are_answered_in_order(at: tuple[str, int]) -> None:
    one = GET + HOST + b"\r\n"
    other = GET.replace(b"01", b"02") + HOST + b"Connection: close\r\n\r\n"
    answered = await exchange(at, one * 3 + other)
    assert answered.count(b"HTTP/1.1 200 OK") == 4
    assert answered.index(b"crate-01") < answered.index(b"crate-02")


async def test_a_client_that_goes_in_the_middle_of_its_body_leaves_no_trace(
    log: io.StringIO,
) -> None:
    shelf = Shelf()
    async with serving_shelf(shelf) as at:
        reader, writer = await asyncio.open_connection(*at)
        head = b"POST /shelf HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n"
        form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\nsubject=hello"
        writer.write(head + form)
        await writer.drain()
        writer.transport.abort()
        await reader.read()
        await exchange(at, GET + HOST + b"Connection: close\r\n\r\n")
    assert shelf.enquiries == []
    assert "Traceback" not in log.getvalue()


async def test_a_body_that_is_announced_too_large_is_refused_unread(at: tuple[str, int]) -> None:
    answered = await exchange(at, POST + b"Content-Length: 99999999999\r\n\r\n{")
    assert b" 413 " in answered.partition(b"\r\n")[0]
    assert b"BODY_TOO_LARGE" in answered


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE", b"PURGE", b"PROPFIND"])
async def test_methods_that_nothing_takes_are_405(at: tuple[str, int], method: bytes) -> None:
    raw = method + GET[3:] + HOST + b"Connection: close\r\n\r\n"
    answered = await exchange(at, raw)
    assert answered.startswith(b"HTTP/1.1 405 "), answered[:200]
    assert b"METHOD_NOT_ALLOWED" in answered
