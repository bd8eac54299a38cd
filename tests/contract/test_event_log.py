"""What ``EventLog`` promises, sentence by sentence, of the log in memory and in PostgreSQL."""

import asyncio
import time

from msgspec.structs import replace

from auction.ids import SHARDS, Shard
from auction.ports import (
    Batch,
    EventLog,
    LoggedEvent,
    ShardHead,
    Snapshot,
    StoredSnapshot,
)
from tests.contract.batches import OWNER, RIVAL, batch_of, bodies_of, sale_in, taken
from tests.contract.conftest import Place

HALF_A_MINUTE_US = 30_000_000


# --- Taking shards --------------------------------------------------------------------------


async def test_a_new_log_has_every_shard_at_position_nought(log: EventLog) -> None:
    assert await log.heads() == dict.fromkeys(map(Shard, range(SHARDS)), 0)
    (head,) = await taken(log, 0)
    assert (head.position, head.beat_at_us) == (0, None)


async def test_taking_raises_the_epoch_and_keeps_the_position(log: EventLog) -> None:
    (first,) = await taken(log, 7)
    await log.append(batch_of((first, [b"a", b"b"])))
    (second,) = await taken(log, 7)
    assert second.epoch > first.epoch
    assert second.position == 2


async def test_only_the_shards_asked_for_are_taken(log: EventLog) -> None:
    (kept,) = await taken(log, 3)
    assert [head.shard for head in await log.take([Shard(4)], RIVAL, back=False)] == [4]
    assert await log.append(batch_of((kept, [b"still mine"]))) == set()


async def test_taking_is_no_sign_of_life(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    await log.beat({head.shard: head.epoch}, 5_000, "somebody")
    for _ in range(2):
        (head,) = await taken(log, 1, owner=RIVAL)
        assert head.beat_at_us == 5_000


async def test_only_the_last_owner_takes_back(log: EventLog) -> None:
    mine, theirs = await taken(log, 1, 2)
    (theirs,) = await taken(log, 2, owner=RIVAL)
    back = await log.take([mine.shard, theirs.shard], OWNER, back=True)
    assert [(head.shard, head.position) for head in back] == [(1, 0)]
    assert back[0].epoch > mine.epoch
    assert await log.append(batch_of((theirs, [b"not disturbed"]))) == set()


async def test_nobody_takes_back_what_nobody_owned(log: EventLog) -> None:
    assert await log.take([Shard(9)], OWNER, back=True) == []


# --- Appending ------------------------------------------------------------------------------


async def test_events_are_read_as_they_were_written(log: EventLog) -> None:
    (head,) = await taken(log, 5)
    bodies = [b"", b"\0\xff" * 3, bytes(1_000_000)]
    await log.append(batch_of((head, bodies)))
    assert await log.read(Shard(5), 0, 10) == [
        LoggedEvent(Shard(5), position, head.epoch, sale_in(5), body)
        for position, body in enumerate(bodies, start=1)
    ]


async def test_positions_go_on_from_batch_to_batch(log: EventLog) -> None:
    (head,) = await taken(log, 5)
    for letter in (b"a", b"b", b"c"):
        assert await log.append(batch_of((head, [letter, letter]))) == set()
        head = replace(head, position=head.position + 2)
    assert await bodies_of(log, 5) == [b"a", b"a", b"b", b"b", b"c", b"c"]
    assert (await log.heads())[Shard(5)] == 6


async def test_one_append_writes_to_many_shards(log: EventLog) -> None:
    heads = await taken(log, *range(SHARDS))
    parts = [(head, [b"%d" % head.shard] * (head.shard % 3 + 1)) for head in heads]
    assert await log.append(batch_of(*parts)) == set()
    for head, bodies in parts:
        assert await bodies_of(log, head.shard) == bodies


async def test_an_empty_batch_is_harmless(log: EventLog) -> None:
    assert await log.append(Batch()) == set()
    assert sum((await log.heads()).values()) == 0


async def test_a_shard_under_an_old_epoch_is_left_out_and_the_rest_stands(log: EventLog) -> None:
    mine, lost = await taken(log, 1, 2)
    (theirs,) = await taken(log, 2, owner=RIVAL)
    assert await log.append(batch_of((mine, [b"a"]), (lost, [b"b", b"c"]))) == {2}
    assert await bodies_of(log, 1) == [b"a"]
    assert await bodies_of(log, 2) == []
    assert await log.append(batch_of((theirs, [b"d"]))) == set(), "its position did not move"


async def test_a_shard_at_another_position_is_left_out_and_the_rest_stands(log: EventLog) -> None:
    good, behind, ahead = await taken(log, 1, 2, 3)
    await log.append(batch_of((behind, [b"first"])))
    ahead = replace(ahead, position=4)
    parts = [(head, [b"x"]) for head in (behind, good, ahead)]
    assert await log.append(batch_of(*parts)) == {2, 3}
    assert await bodies_of(log, 1) == [b"x"]
    assert await bodies_of(log, 2) == [b"first"]
    assert await bodies_of(log, 3) == []


async def test_a_batch_that_is_sent_twice_is_written_once(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    batch = batch_of((head, [b"once"]))
    assert await log.append(batch) == set()
    assert await log.append(batch) == {1}
    assert await bodies_of(log, 1) == [b"once"]


async def test_of_two_appends_at_once_to_one_position_one_wins(place: Place) -> None:
    logs = [await place.open_log() for _ in range(2)]
    (head,) = await taken(logs[0], 1)
    for number in range(20):
        batches = [batch_of((head, [b"%d by %d" % (number, writer)])) for writer in range(2)]
        lost = await asyncio.gather(*map(append, logs, batches))
        assert sorted(map(len, lost)) == [0, 1]
        head = replace(head, position=head.position + 1)
    assert len(await bodies_of(logs[0], 1)) == 20


async def append(log: EventLog, batch: Batch) -> set[Shard]:
    """So that the appends of several logs can be started together."""
    return await log.append(batch)


async def test_an_owner_that_lost_its_shard_can_do_nothing_there(place: Place) -> None:
    old, new = await place.open_log(), await place.open_log()
    (lost,) = await taken(old, 6)
    (head,) = await taken(new, 6, owner=RIVAL)
    assert await old.append(batch_of((lost, [b"late"]))) == {6}
    assert await old.beat({Shard(6): lost.epoch}, 1, "somebody") == {6}
    assert await new.append(batch_of((head, [b"mine"]))) == set()
    assert await bodies_of(old, 6) == [b"mine"]


# --- Signs of life --------------------------------------------------------------------------


async def test_an_append_is_a_sign_of_life_of_its_shards_alone(log: EventLog) -> None:
    appended, _ = await taken(log, 1, 2)
    await log.append(batch_of((appended, [b"a"]), at_us=77))
    assert [head.beat_at_us for head in await taken(log, 1, 2)] == [77, None]


async def test_what_was_left_out_of_an_append_gave_no_sign_of_life(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    await log.append(batch_of((replace(head, position=3), [b"a"]), at_us=77))
    assert [head.beat_at_us for head in await taken(log, 1)] == [None]


async def test_a_beat_is_kept_for_owned_shards_and_names_the_lost(log: EventLog) -> None:
    mine, lost = await taken(log, 1, 2)
    await taken(log, 2, owner=RIVAL)
    assert await log.beat({head.shard: head.epoch for head in (mine, lost)}, 88, "somebody") == {2}
    assert [head.beat_at_us for head in await taken(log, 1, 2)] == [88, None]


# --- Reading --------------------------------------------------------------------------------


async def test_a_shard_is_read_in_order_from_a_position_and_up_to_a_limit(log: EventLog) -> None:
    one, other = await taken(log, 1, 2)
    await log.append(batch_of((one, [b"%d" % n for n in range(1, 10)]), (other, [b"x"])))
    assert [e.position for e in await log.read(Shard(1), 0, 4)] == [1, 2, 3, 4]
    assert [e.body for e in await log.read(Shard(1), 6, 4)] == [b"7", b"8", b"9"]
    assert await log.read(Shard(1), 9, 4) == []


async def test_a_sale_is_read_in_order_from_a_position_and_up_to_a_limit(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    batch = batch_of((head, [b"%d" % n for n in range(1, 10)]))
    batch.sale_ids = [sale_in(1, number=n % 2) for n in range(1, 10)]
    await log.append(batch)
    sale_id = sale_in(1, number=1)
    assert [e.position for e in await log.read_sale(sale_id, 0, 10)] == [1, 3, 5, 7, 9]
    assert [e.position for e in await log.read_sale(sale_id, 3, 2)] == [5, 7]
    assert {e.sale_id for e in await log.read_sale(sale_id, 0, 10)} == {sale_id}
    assert await log.read_sale(sale_in(1, number=2), 0, 10) == []


# --- Snapshots ------------------------------------------------------------------------------


def snapshot(
    head: ShardHead, position: int, state: bytes, accepted: bytes, after: int = 0
) -> Snapshot:
    return Snapshot(head.shard, position, after, state, accepted)


async def test_a_shard_without_a_snapshot_has_none(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    assert await log.save_snapshot(snapshot(head, 4, b"state", b"bids"), head.epoch)
    assert await log.load_snapshot(Shard(2)) is None


async def test_the_latest_state_is_loaded_with_all_segments_oldest_first(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    for after, position, letter in ((0, 9, b"a"), (9, 10, b"b"), (10, 100, b"c")):
        kept = snapshot(head, position, b"state " + letter, letter, after)
        assert await log.save_snapshot(kept, head.epoch)
    stored = await log.load_snapshot(Shard(1))
    assert stored == StoredSnapshot(100, b"state c", [b"a", b"b", b"c"])


async def test_a_segment_replaces_those_that_it_reaches_back_over(log: EventLog) -> None:
    (head,) = await taken(log, 1)
    for after, position, letter in ((0, 9, b"a"), (9, 10, b"b"), (10, 20, b"c"), (9, 20, b"d")):
        kept = snapshot(head, position, b"state " + letter, letter, after)
        assert await log.save_snapshot(kept, head.epoch)
    stored = await log.load_snapshot(Shard(1))
    assert stored == StoredSnapshot(20, b"state d", [b"a", b"d"])


async def test_a_snapshot_of_an_owner_that_lost_its_shard_is_refused(log: EventLog) -> None:
    (old,) = await taken(log, 1)
    (new,) = await taken(log, 1, owner=RIVAL)
    assert await log.save_snapshot(snapshot(new, 4, b"new", b"1"), new.epoch)
    assert not await log.save_snapshot(snapshot(old, 9, b"old", b"2"), old.epoch)
    assert await log.load_snapshot(Shard(1)) == StoredSnapshot(4, b"new", [b"1"])


# --- Time -----------------------------------------------------------------------------------


async def test_the_logs_clock_tells_microseconds_of_utc(log: EventLog) -> None:
    first_us, second_us = await log.clock_us(), await log.clock_us()
    assert first_us <= second_us
    assert abs(time.time_ns() // 1_000 - second_us) < HALF_A_MINUTE_US
