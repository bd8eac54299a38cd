"""kill -9 under load: what was acknowledged is in the log, and an id gets one verdict."""

import hashlib
import hmac
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import pytest

from auction.ids import SHARDS
from auction.verdicts import Acceptance
from foundation.database import connect
from tests.processes import environment

KILLS = 50
# Enough for the process to start, take its shards and send again what it sent before.
START_WITHIN_S = 60.0
ACCEPTED = {str(code) for code in Acceptance}
# Few, so that kills fall into the first appends after a start as well as into later ones.
MOST_BIDS_BETWEEN_KILLS = 40


@dataclass
class Logged:
    """The log as an outsider reads it, without the engine's code."""

    bids: dict[str, list[tuple[int | None, str]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def run_until_killed(
    dsn: str, history: Path, chance: random.Random, *options: str, seed: int
) -> None:
    """Start the process, let some bids be told after it serves, and kill it."""
    words = [dsn, str(history), str(seed), *options]
    seen = len(history.read_bytes()) if history.exists() else 0
    with subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.bidding_process", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment({}),
    ) as process:
        wanted = chance.randrange(1, MOST_BIDS_BETWEEN_KILLS)
        deadline_s = time.monotonic() + START_WITHIN_S
        while not _told_enough(history, seen, wanted):
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() < deadline_s, "it does not come to serve"
        process.kill()


def _told_enough(history: Path, seen: int, wanted: int) -> bool:
    if not history.exists():
        return False
    with history.open("rb") as file:
        file.seek(seen)
        new = file.read()
    _, serves, after = new.partition(b'"serving"')
    return bool(serves) and after.count(b'"told"') >= wanted


def lines_of(history: Path) -> list[dict[str, Any]]:
    """The history; a last line that the kill cut short was never written whole."""
    lines = history.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line.endswith(b"}")]


async def read_log(dsn: str) -> Logged:
    """Every bid's places in the log; gaps, broken hashes and commitments as faults."""
    logged = Logged()
    connection = await connect(dsn, name="checker")
    try:
        rows = await connection.fetch("select shard, position, body from log_event order by 1, 2")
    finally:
        await connection.close()
    positions = [0] * SHARDS
    heads: dict[str, tuple[int, bytes]] = {}
    for shard, position, body in rows:
        if position != positions[shard] + 1:
            logged.faults.append(f"shard {shard}: {position} follows {positions[shard]}")
        positions[shard] = position
        _read_event(logged, heads, position, body)
    return logged


def _read_event(
    logged: Logged, heads: dict[str, tuple[int, bytes]], position: int, body: bytes
) -> None:
    _, public, private, commitment, hash_ = msgpack.unpackb(body)
    fields = msgpack.unpackb(private)
    key = hmac.digest(bytes(32), position.to_bytes(8, "big"), "sha256")  # the sales' secret
    if hmac.digest(key, private, "sha256") != commitment:
        logged.faults.append(f"position {position}: commitment")
    if public is not None:
        fields |= msgpack.unpackb(public)
        sequence, head = heads.get(fields["sale_id"], (0, bytes(32)))
        if fields["sequence"] != sequence + 1:
            logged.faults.append(f"{fields['sale_id']}: sequence {fields['sequence']}")
        if hashlib.sha256(head + public + commitment).digest() != hash_:
            logged.faults.append(f"{fields['sale_id']}: hash at {fields['sequence']}")
        heads[fields["sale_id"]] = fields["sequence"], hash_
    if "bid_id" in fields:
        place = fields.get("sequence"), (hash_ or commitment).hex()
        logged.bids.setdefault(fields["bid_id"], []).append(place)


def faults_of(lines: list[dict[str, Any]], logged: Logged) -> list[str]:
    """Where what was told and what is in the log do not agree."""
    faults = list(logged.faults)
    faults += [f"bid {bid} is in the log twice" for bid, at in logged.bids.items() if len(at) > 1]
    sent = {line["sent"]["bid_id"] for line in lines if "sent" in line}
    faults += [f"bid {bid} was never sent" for bid in logged.bids.keys() - sent]
    verdicts: dict[str, tuple[str, int | None, str]] = {}
    for line in lines:
        if line.get("code") not in ACCEPTED:
            continue
        bid, verdict = line["told"], (line["code"], line["sequence"], line["receipt"])
        if verdicts.setdefault(bid, verdict) != verdict:
            faults.append(f"bid {bid} was told {verdicts[bid]} and {verdict}")
        if logged.bids.get(bid, [None])[0] != verdict[1:]:
            faults.append(f"bid {bid} was acknowledged at {verdict[1:]} and is not there")
    return faults


@pytest.mark.timeout(540)  # fifty starts of a process on a busy machine
async def test_fifty_kills_lose_and_double_nothing(database_url: str, tmp_path: Path) -> None:
    history, chance = tmp_path / "history", random.Random(9)
    for number in range(KILLS):
        run_until_killed(database_url, history, chance, seed=number)
    lines = lines_of(history)
    counts = Counter("told" if "told" in line else "other" for line in lines)
    assert counts["told"] > KILLS * 5, "the load was too light to show anything"
    assert sum("serving" in line for line in lines) == KILLS
    assert faults_of(lines, await read_log(database_url)) == []


@pytest.mark.timeout(300)
async def test_an_engine_that_answers_early_is_caught(database_url: str, tmp_path: Path) -> None:
    history, chance = tmp_path / "history", random.Random(9)
    for number in range(20):
        run_until_killed(database_url, history, chance, "--answer-early", seed=number)
        if faults_of(lines_of(history), await read_log(database_url)):
            return
    pytest.fail("the harness does not notice verdicts that leave before their batch is durable")
