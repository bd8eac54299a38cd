"""The way out to one client: what is written arrives once, whole and in order, or not at all."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from bidder_gateway import link as link_module
from bidder_gateway.encodings import PING
from bidder_gateway.link import MAX_WAITING_BYTES
from tests.links import Ends, fill, link_ends
from tests.waiting import until


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    with link_ends() as made:
        yield made


async def test_what_the_socket_takes_is_with_the_kernel_at_once(ends: Ends) -> None:
    link, peer = await ends.link()
    link.write(b"one")
    link.write(b"two")
    assert (peer.read(), link.clear, link.ready, ends.blocked) == (b"onetwo", True, True, [])


async def test_what_it_does_not_take_follows_in_order_once_the_client_reads(ends: Ends) -> None:
    link, peer = await ends.link()
    large = bytes(range(256)) * 1_024
    link.write(large)
    assert (link.clear, link.ready, ends.blocked) == (False, False, [link])
    link.write(b"verdict")
    link.write(b"notice")
    assert not link.unblock()
    await until(lambda: (peer.read(), link.unblock())[1])
    peer.read()
    assert peer.stream == large + b"verdictnotice"
    assert (link.ready, ends.blocked) == (True, [link])
    link.write(b"event")
    assert peer.read() == b"event"


async def test_what_was_there_before_the_link_comes_first(ends: Ends) -> None:
    """Answers of HTTP that the client did not read before it opened its WebSocket."""
    before = bytes(range(256)) * 1_024
    link, peer = await ends.link(before=before)
    assert (link.clear, link.ready, ends.blocked) == (False, False, [link])
    peer.read()  # there is room again, and the transport has not noticed
    link.write(b"welcome")
    await until(lambda: (peer.read(), link.unblock())[1])
    peer.read()
    assert peer.stream == before + b"welcome"


async def test_what_waited_may_fill_the_socket_again(ends: Ends) -> None:
    link, peer = await ends.link()
    fill(link)
    waiting = bytes(range(200)) * 300
    link.write(waiting)
    await until(lambda: not (peer.read() or link.left))
    assert not link.unblock()
    assert ends.blocked == [link, link]
    await until(lambda: (peer.read(), link.unblock())[1])
    peer.read()
    assert peer.stream.endswith(waiting)


async def test_what_waits_is_bounded(ends: Ends) -> None:
    link, _ = await ends.link()
    fill(link)
    dead = []
    for data in (b"x" * MAX_WAITING_BYTES, b"x"):
        link.write(data)
        dead.append(link.dead)
    assert dead == [False, True]
    assert not link.unblock()


async def test_what_has_gone_out_does_not_count_towards_the_bound(ends: Ends) -> None:
    link, peer = await ends.link()
    for _ in range(3):
        fill(link)
        link.write(b"x" * MAX_WAITING_BYTES)
        assert not link.dead
        await until(lambda: (peer.read(), link.unblock())[1])


async def test_a_client_that_is_gone_is_written_to_no_more(ends: Ends) -> None:
    link, peer = await ends.link()
    peer.close()
    link.write(b"one")
    assert (link.dead, link.ready) == (True, False)
    link.write(b"two")


async def test_a_number_that_another_socket_was_given_is_not_written_to(ends: Ends) -> None:
    """The transport closes its descriptor a turn of the loop after it says that it closes."""
    link, _ = await ends.link()
    ends.transports[0].close()
    await asyncio.sleep(0.001)
    others = [socket.socketpair() for _ in range(4)]
    try:
        assert link.fd in [sock.fileno() for pair in others for sock in pair], "nothing is shown"
        link.write(b"for somebody else")
        assert link.dead
        for pair in others:
            for sock in pair:
                sock.settimeout(0)
                with pytest.raises(BlockingIOError):
                    sock.recv(1)
    finally:
        for pair in others:
            for sock in pair:
                sock.close()


async def test_a_link_that_has_died_writes_nothing_though_the_client_is_there(ends: Ends) -> None:
    link, peer = await ends.link()
    link.die()
    link.write(b"after the goodbye")
    link.ping(0.0, 0)
    assert peer.read() == b""


async def test_a_ping_is_not_what_pings_are_sent_for(ends: Ends) -> None:
    link, peer = await ends.link()
    link.write(b"event")
    assert link.wrote
    link.ping(7.0, 5)
    assert (link.wrote, link.ponged) == (False, False)
    assert (link.pinged_at_s, link.pinged_at_event) == (7.0, 5)
    link.pong(b"data")
    assert peer.read() == b"event" + PING + b"\x8a\x04data"


async def test_who_is_aborted_is_cut_off_and_written_to_no_more(ends: Ends) -> None:
    link, _ = await ends.link()
    link.abort()
    assert (link.dead, link.aborted, ends.transports[0].is_closing()) == (True, True, True)


async def test_bytes_of_two_writers_never_mix(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever part of each write the kernel takes, the stream is what was written."""
    parts = iter([1, 0, 5, 2, 0, 7, 3] * 1_000)

    def partly(fd: int, data: bytes) -> int:
        return os.write(fd, data[:part]) if (part := next(parts)) else 0

    monkeypatch.setattr(link_module, "send", partly)
    link, peer = await ends.link()
    sent = b""
    for number in range(200):
        data = b"%d " % number * (number % 7 + 1)
        sent += data
        link.write(data)
        if number % 9 == 0:
            await until(lambda: (peer.read(), link.unblock())[1])
    await until(link.unblock)
    peer.read()
    assert peer.stream == sent
