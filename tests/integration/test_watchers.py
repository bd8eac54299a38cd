"""The load tests' watchers: that they understand any server, and find what is wrong with it."""

import time

import msgpack
import pytest

from load_tests.children import ChildFailed
from load_tests.peers import SPEECH, message
from load_tests.peers.nats import NATS_SPEECH
from load_tests.watchers import EventsLost, Seen, Speech, watching
from tests.scripted_sockets import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    frame,
    scripted_sockets,
)
from tests.waiting import until

RIGHT = range(1, 7)
# A speech with all that a gateway's has.
PACKED = Speech(
    sequence=b"\xa8sequence",
    at_us=b"\xa5at_us",
    text=False,
    packed=True,
    greetings=[b"hello", b"subscribe"],
    resume=b"since ",
    resume_end=b".",
    event=b"\x83\xa4type\xa5event",
    ready=b"\x83\xa4type\xaasubscribed",
    conflated=b"\x83\xa4type\xa9conflated",
    first=b"\xa4from",
    last=b"\xa2to",
    recovered=b"\xa9recovered\xc3",
)


def event(sequence: int, size: int = 150) -> bytes:
    return frame(message(sequence, time.time_ns() // 1_000, size))


def events(*sequences: int) -> bytes:
    return b"".join(map(event, sequences))


def packed(**fields: object) -> bytes:
    return frame(msgpack.packb(fields), BINARY)


def packed_events(*sequences: int) -> bytes:
    return b"".join(packed(type="event", at_us=1, sequence=number) for number in sequences)


async def seen_of(*pieces: bytes, until_sequence: int, speech: Speech = SPEECH) -> Seen:
    """What one watcher reports of a server that sends this."""
    async with (
        scripted_sockets(pieces) as server,
        watching(server.port, speech) as watchers,
    ):
        await watchers.open(1)
        await watchers.reach(until_sequence)
        return await watchers.seen()


async def test_every_watcher_sees_every_event_and_says_how_soon() -> None:
    async with (
        scripted_sockets([events(*RIGHT)]) as server,
        watching(server.port, SPEECH, addresses=3) as watchers,
    ):
        await watchers.open(20)
        await watchers.reach(RIGHT[-1])
        seen = (await watchers.seen()).whole(20 * len(RIGHT))
    assert seen.found["ready"] == 20
    assert seen.found["latency_us"]["count"] == seen.events
    assert 0 <= seen.ms("latency", "p50") <= seen.ms("latency", "p99") <= seen.ms("latency", "max")
    assert seen.found["spread_us"]["count"] == len(RIGHT)
    assert seen.found["early"] == 0
    assert 152 < seen.bytes_per_event < 200


@pytest.mark.parametrize(
    ("sequences", "wrong"),
    [
        ((1, 2, 4, 5), {"missing": 1}),
        ((1, 5), {"missing": 3}),
        ((1, 2, 2, 3), {"duplicates": 1}),
        ((1, 2, 3, 1, 2, 3), {"duplicates": 3}),
        ((1, 3, 2, 4), {"reordered": 1}),
        ((1, 4, 3, 2, 5), {"reordered": 2}),
        ((1, 3, 2, 2, 4), {"reordered": 1, "duplicates": 1}),
        ((2, 3), {"missing": 1}),
        ((1, 100), {"missing": 98}),
    ],
)
async def test_a_planted_fault_is_found(sequences: tuple[int, ...], wrong: dict[str, int]) -> None:
    seen = await seen_of(events(*sequences), until_sequence=sequences[-1])
    found = {name: seen.found[name] for name in ("missing", "duplicates", "reordered")}
    assert {name: count for name, count in found.items() if count} == wrong
    with pytest.raises(EventsLost):
        seen.whole()


async def test_a_delivery_too_few_is_found_by_the_count() -> None:
    seen = await seen_of(events(1, 2), until_sequence=2)
    with pytest.raises(EventsLost, match="2 deliveries, where 3"):
        seen.whole(3)


async def test_an_event_that_never_comes_ends_the_wait() -> None:
    async with (
        scripted_sockets([events(1, 2)]) as server,
        watching(server.port, SPEECH) as watchers,
    ):
        await watchers.open(1)
        with pytest.raises(ChildFailed, match="reach 3: no answer"):
            await watchers.reach(3, timeout_s=0.2)


async def test_messages_may_arrive_in_any_pieces() -> None:
    joined = events(*RIGHT)
    for size in (1, 7, 155, len(joined)):
        pieces = [joined[at : at + size] for at in range(0, len(joined), size)]
        (await seen_of(*pieces, until_sequence=RIGHT[-1])).whole(len(RIGHT))


async def test_large_small_and_fragmented_messages_are_understood() -> None:
    whole = message(3, 1, 300)
    fragments = [
        frame(whole[:100], final=False),
        frame(b"in between", PING),
        frame(whole[100:200], CONTINUATION, final=False),
        frame(whole[200:], CONTINUATION),
    ]
    sent = [event(1, 100), event(2, 70_000), *fragments, event(4, 126)]
    seen = (await seen_of(*sent, until_sequence=4)).whole(4)
    assert seen.found["pings"] == 1


async def test_pings_are_answered_with_what_they_hold() -> None:
    async with (
        scripted_sockets([frame(b"are you there", PING)]) as server,
        watching(server.port, SPEECH) as watchers,
    ):
        await watchers.open(1)
        await until(lambda: server.heard == [[(PONG, b"are you there")]])


async def test_a_server_that_closes_or_breaks_the_protocol_is_noted() -> None:
    goodbye = frame((4413).to_bytes(2, "big") + b"too slow", CLOSE)
    for end, noted in ((goodbye, {"4413": 1}), (b"\xff\xff\xff", {})):
        async with (
            scripted_sockets([events(1), end]) as server,
            watching(server.port, SPEECH) as watchers,
        ):
            await watchers.program.ask("open 1")
            await watchers.reach(99)  # who is gone is not waited for
            seen = await watchers.seen()
        assert seen.found["close_codes"] == noted
        with pytest.raises(EventsLost, match="'gone': 1"):
            seen.whole()


async def test_numbers_may_be_messagepack_of_any_width() -> None:
    for start in (1, 126, 254, 65_534, 2**32 - 2):
        begun = packed(type="subscribed", sequence=start, recovered=False)
        sent = [begun, packed_events(*range(start + 1, start + 5))]
        (await seen_of(*sent, until_sequence=start + 4, speech=PACKED)).whole(4)


async def test_who_comes_back_resumes_where_it_was() -> None:
    first = [packed(type="subscribed", sequence=7, recovered=False), packed_events(8, 9)]
    again = [packed(type="subscribed", sequence=12, recovered=True), packed_events(10, 11, 12)]
    async with (
        scripted_sockets(first, again) as server,
        watching(server.port, PACKED) as watchers,
    ):
        await watchers.open(1)
        await watchers.reach(9)
        await watchers.reconnect(1)
        await watchers.reach(12)
        seen = (await watchers.seen()).whole(5)
    assert seen.found["reconnects"] == 1
    assert server.heard[0] == [(BINARY, b"hello"), (BINARY, b"subscribe")]
    since = b"since \xcf" + (9).to_bytes(8, "big") + b"."
    assert server.heard[1] == [(BINARY, b"hello"), (BINARY, since)]


@pytest.mark.parametrize(
    ("again", "wrong"),
    [
        (
            [packed(type="subscribed", sequence=12, recovered=True), packed_events(11, 12)],
            "missing",
        ),
        ([packed(type="subscribed", sequence=9, recovered=True), packed_events(9, 12)], "duplicat"),
        ([packed(type="subscribed", sequence=11, recovered=False), packed_events(12)], "unrecov"),
        ([packed(type="conflated", **{"from": 10, "to": 12})], "conflated"),
    ],
)
async def test_who_comes_back_to_a_hole_finds_it(again: list[bytes], wrong: str) -> None:
    if wrong == "conflated":
        again = [packed(type="subscribed", sequence=9, recovered=True), *again]
    first = [packed(type="subscribed", sequence=7, recovered=False), packed_events(8, 9)]
    async with (
        scripted_sockets(first, again) as server,
        watching(server.port, PACKED) as watchers,
    ):
        await watchers.open(1)
        await watchers.reach(9)
        await watchers.reconnect(1)
        await watchers.reach(12)
        with pytest.raises(EventsLost, match=wrong):
            (await watchers.seen()).whole()


async def test_a_stalled_watcher_reads_no_more_and_is_not_waited_for() -> None:
    async with (
        scripted_sockets([events(*RIGHT)]) as server,
        watching(server.port, SPEECH, receive_bytes=4_096) as watchers,
    ):
        await watchers.open(3)
        await watchers.stall(2)
        await watchers.reach(RIGHT[-1])
        seen = await watchers.seen()
    assert (seen.found["ready"], seen.found["stalled"]) == (1, 2)


async def test_a_server_that_does_not_answer_the_handshake_is_tried_again() -> None:
    async with scripted_sockets([]) as server:
        port = server.port
    async with watching(port, SPEECH) as watchers:
        with pytest.raises(ChildFailed, match="no answer"):
            await watchers.program.ask("open 1", timeout_s=0.5)


async def test_nats_joins_and_splits_messages_at_will() -> None:
    said = b'INFO {"server_id":"X"}\r\nPING\r\nPONG\r\n'
    for number in RIGHT:
        payload = message(number, 1, 150)
        said += b"MSG lot 1 %d\r\n%s\r\n" % (len(payload), payload)
    for size in (3, 50, 173, len(said)):
        pieces = [frame(said[at : at + size], BINARY) for at in range(0, len(said), size)]
        async with (
            scripted_sockets(pieces) as server,
            watching(server.port, NATS_SPEECH) as watchers,
        ):
            await watchers.open(2)
            await watchers.reach(RIGHT[-1])
            (await watchers.seen()).whole(2 * len(RIGHT))
        assert [text for _, text in server.heard[0]] == [*NATS_SPEECH.greetings, b"PONG\r\n"]
