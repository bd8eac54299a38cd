"""A simulator with a folder comes back as it was, whatever killed it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import stripe

from settlement.stripe_simulator import Damaged, journal, simulator
from settlement.stripe_simulator.journal import NAME
from settlement.stripe_simulator.store import Store
from tests.processes import environment
from tests.stripe_places import StillClock, client_of

HELD: stripe.params.PaymentIntentCreateParams = {
    "amount": 5_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "capture_method": "manual",
    "confirm": True,
}


@contextmanager
def process(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A simulator of its own; killed when the block ends."""
    command = [sys.executable, "-m", "settlement.stripe_simulator", str(folder)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment({}))
    assert running.stdout is not None
    try:
        yield running.stdout.readline().decode().strip(), running
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


async def test_nothing_that_was_answered_is_lost_by_a_kill(tmp_path: Path) -> None:
    with process(tmp_path) as (url, running):
        async with client_of(url) as client:
            intent = await client.v1.payment_intents.create_async(HELD, {"idempotency_key": "k"})
            await client.v1.payment_intents.capture_async(intent.id)
        os.kill(running.pid, signal.SIGKILL)
    with process(tmp_path) as (url, _):
        async with client_of(url) as client:
            seen = await client.v1.payment_intents.retrieve_async(intent.id)
            again = await client.v1.payment_intents.create_async(HELD, {"idempotency_key": "k"})
            balance = await client.v1.balance.retrieve_async()
    assert seen.status == "succeeded"
    assert (again.id, again.status) == (intent.id, "requires_capture")
    assert balance.pending[0].amount == 5_000 - 175


async def test_its_time_and_what_is_to_come_go_on(tmp_path: Path) -> None:
    clock = StillClock()
    async with simulator(tmp_path, clock=clock) as running, client_of(running.url) as client:
        intent = await client.v1.payment_intents.create_async(HELD)
        await running.control.move(days=6)
        before = await running.control.now()
    async with simulator(tmp_path, clock=clock) as running, client_of(running.url) as client:
        assert await running.control.now() == before
        await running.control.move(days=1)
        seen = await client.v1.payment_intents.retrieve_async(intent.id)
    assert seen.status == "canceled"


async def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    made = []
    for _ in range(3):
        async with simulator(tmp_path) as running, client_of(running.url) as client:
            made += [(await client.v1.customers.create_async({})).id for _ in range(3)]
    assert len(set(made)) == 9


async def test_a_torn_last_record_is_dropped(tmp_path: Path) -> None:
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        kept = await client.v1.customers.create_async({})
        torn = await client.v1.customers.create_async({})
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes()[:-20])
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        there = await client.v1.customers.list_async({})
        assert [row.id for row in there.data] == [kept.id]
        again = await client.v1.customers.create_async({})
    assert again.id == torn.id  # nobody was told of the first
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        assert len((await client.v1.customers.list_async({})).data) == 2


async def test_damage_before_the_end_is_refused_with_its_line(tmp_path: Path) -> None:
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        for _ in range(3):
            await client.v1.customers.create_async({})
    file = tmp_path / NAME
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"{]\n" + b"".join(lines[2:]))
    with pytest.raises(Damaged, match="line 2 is damaged"):
        async with simulator(tmp_path):
            pass


async def test_two_simulators_do_not_share_a_folder(tmp_path: Path) -> None:
    async with simulator(tmp_path):
        with pytest.raises(Damaged, match="in use"):
            async with simulator(tmp_path):
                pass


async def test_a_long_journal_is_rewritten_without_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        buyer = (await client.v1.customers.create_async({})).id
        for number in range(20):
            await client.v1.customers.update_async(buyer, {"description": str(number)})
    before = (tmp_path / NAME).stat().st_size
    monkeypatch.setattr(journal, "COMPACT_BYTES", before - 1)
    for _ in range(2):
        async with simulator(tmp_path) as running, client_of(running.url) as client:
            assert (await client.v1.customers.retrieve_async(buyer)).description == "19"
            made = await client.v1.customers.create_async({})
            with pytest.raises(Damaged, match="in use"):
                async with simulator(tmp_path):
                    pass
    async with simulator(tmp_path) as running, client_of(running.url) as client:
        await client.v1.customers.retrieve_async(made.id)
    assert list(tmp_path.iterdir()) == [tmp_path / NAME]


def test_a_full_disk_leaves_no_half_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    kept, store = journal.Journal(tmp_path), Store()
    store.keep_in(kept)
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, line: really(file, line[: len(line) // 2]))
        with pytest.raises(Damaged, match="the disk is full"):
            store.commit([("customer", "cus_1", {"id": "cus_1"})], [])
    assert store.find("customer", "cus_1") is None
    store.commit([("customer", "cus_2", {"id": "cus_2"})], [])
    kept.close()
    again = journal.Journal(tmp_path)
    replayed = Store()
    again.load(replayed)
    again.close()
    assert [row["id"] for row in replayed.oldest_first("customer")] == ["cus_2"]
