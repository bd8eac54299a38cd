"""``softclose log``: looking into a log, checking it, taking a sale's public chain out of it."""

import json
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from auction.log_postgres import PostgresLog
from foundation.database import connect
from softclose.replay import ebay
from softclose.replay.driver import Driver
from tests.in_process import here, here_beside
from tests.processes import Ended, softclose
from tests.serving import serving

# Two auctions: one with a private raise and a reserve that is met, one that passes.
BIDS: Final = (
    "auctionid,bid,bidtime,bidder,openbid\n"
    "S-7,4321.07,0.1,mark-ann,100\nS-7,300,0.2,mark-bob,100\nS-7,5432.18,0.3,mark-ann,100\n"
    "S-8,60,0.1,mark-cy,50\nS-8,70,0.2,mark-ann,50\n"
)
RESERVES: Final = "auctionid,reserve\nS-7,200\nS-8,6543.29\n"
MAXIMA: Final = ("432107", "543218", "654329")


@pytest.fixture
async def log_url(database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A database with the log of two auctions that have ended."""
    (tmp_path / "bids.csv").write_text(BIDS)
    (tmp_path / "reserves.csv").write_text(RESERVES)
    auctions = ebay.read_auctions(tmp_path / "bids.csv", tmp_path / "reserves.csv")
    log = PostgresLog(database_url)
    recording = ebay.recording_of(auctions, enforce_minimum=False)
    await Driver(log, recording).play(lambda _done, _whole: None)
    await log.close()
    yield database_url


async def log(url: str, *words: str | Path) -> Ended:
    return await here_beside("log", *words, SOFTCLOSE_DATABASE_URL=url)


async def verify_file(*words: str | Path) -> Ended:
    """Without any database."""
    return await here_beside("log", "verify", "--file", *words)


async def shown(url: str, *words: str) -> list[dict[str, Any]]:
    """The events that ``log show --json`` shows."""
    ended = await log(url, "show", "--json", *words)
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


async def rewrite(url: str, statement: str) -> None:
    """What somebody with all rights in the database can do to the log."""
    connection = await connect(url, name="test")
    try:
        await connection.execute("alter table log_event disable trigger all")
        await connection.execute(statement)
    finally:
        await connection.close()


# Show


async def test_events_are_shown_one_a_line_in_their_order(log_url: str) -> None:
    lines = (await log(log_url, "show", "--sale", "S-7")).out.splitlines()
    words = [line.split("  ")[4].split(" ")[0] for line in lines]
    assert words == [
        *("sale_scheduled", "lot_scheduled", "bidder_registered", "bidder_registered"),
        *("bid_placed", "bid_placed", "maximum_raised", "lot_sold", "sale_closed"),
    ]
    assert lines[4].split("  ")[1:4] == ["2000-01-01T02:24:00.000000Z", "S-7", "#3"]
    assert "price_minor=20000" in lines[4]
    assert lines[6].split("  ")[3] == "private"


async def test_maxima_reserves_and_secrets_are_hidden(log_url: str) -> None:
    for words in ((), ("--json",)):
        said = (await log(log_url, "show", *words)).out
        assert not [amount for amount in MAXIMA if amount in said]
    by_type = {event["type"]: event for event in await shown(log_url)}
    assert by_type["sale_scheduled"]["hidden"] == ["secret"]
    assert by_type["lot_scheduled"]["hidden"] == ["reserve_minor"]
    assert by_type["bid_placed"]["hidden"] == [
        *("bid_id", "maximum_minor", "freight_minor", "person_id"),
    ]
    assert by_type["maximum_raised"]["fields"] == {}


async def test_with_a_reason_they_are_shown_and_who_asked_is_kept(log_url: str) -> None:
    ended = await log(
        log_url, "show", "--sale", "S-7", "--reveal", "--reason", "a complaint by Ann"
    )
    assert [amount for amount in MAXIMA if f"maximum_minor={amount}" in ended.out] == [
        "432107",
        "543218",
    ]
    assert "reserve_minor=20000" in ended.out
    assert "secret=" in ended.out
    assert "[hidden]" not in ended.out
    connection = await connect(log_url, name="test")
    try:
        (kept,) = await connection.fetch("select * from reveal")
        assert (kept["reason"], kept["command"]) == ("a complaint by Ann", "log show")
        assert json.loads(kept["narrowed_to"]) == {"sale": "S-7", "after": 0, "limit": 1_000}
        assert kept["person"]
        assert kept["machine"]
        for statement in (
            "update reveal set reason = 'x'",
            "delete from reveal",
            "truncate reveal",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_nothing_is_shown_if_the_reason_cannot_be_kept(log_url: str) -> None:
    await rewrite(log_url, "alter table reveal rename to gone")
    shown_anyway = StringIO()
    with redirect_stdout(shown_anyway), pytest.raises(asyncpg.UndefinedTableError):
        await log(log_url, "show", "--reveal", "--reason", "why not")
    assert shown_anyway.getvalue() == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "--reveal"), "say why with --reason"),
        (("show", "--reveal", "--reason", "  "), "say why with --reason"),
        (("show", "--reason", "curious"), "--reason belongs to something that is revealed"),
        (("show", "--after", "3"), "name --sale or --shard"),
        (("show", "--shard", "64"), "64 is not in the range 0<=x<=63"),
        (("export", "S-7", "--out", "x", "--bidder", "mark-ann"), "say why with --reason"),
        (("verify", "--receipt", "00" * 32), "name it with --file"),
        (("verify", "--file", __file__, "--sale", "S-7"), "leave --sale away"),
        (("verify", "--file", __file__, "--receipt", "xyz"), "is not 64 hex digits"),
    ],
)
def test_what_does_not_go_together_is_one_line(words: tuple[str, ...], says: str) -> None:
    ended = here("log", *words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert says in ended.err


async def test_events_are_narrowed_down(log_url: str) -> None:
    everything = await shown(log_url)
    assert len(everything) == 17
    assert {event["sale_id"] for event in await shown(log_url, "--sale", "S-8")} == {"S-8"}
    shard = everything[0]["shard"]
    of_shard = await shown(log_url, "--shard", str(shard))
    assert of_shard == [event for event in everything if event["shard"] == shard]
    assert await shown(log_url, "--shard", str(shard), "--after", "2") == of_shard[2:]
    of_lot = await shown(log_url, "--sale", "S-7", "--lot", "1")
    assert [event["type"] for event in of_lot] == [
        *("lot_scheduled", "bid_placed", "bid_placed", "maximum_raised", "lot_sold"),
    ]
    assert await shown(log_url, "--sale", "S-7", "--lot", "9") == []


async def test_a_limit_says_that_there_is_more(log_url: str) -> None:
    ended = await log(log_url, "show", "--limit", "2")
    assert (ended.code, len(ended.out.splitlines())) == (0, 2)
    assert ended.err == "there is more: give --after or a larger --limit\n"
    assert (await log(log_url, "show", "--sale", "S-7", "--limit", "9")).err == ""


async def test_an_event_that_cannot_be_read_is_shown_as_that(log_url: str) -> None:
    await rewrite(log_url, "update log_event set body = 'x' where sale_id = 'S-7' and position = 2")
    lines = (await log(log_url, "show", "--sale", "S-7")).out.splitlines()
    assert len(lines) == 9
    assert "fault=" in lines[1]
    assert "fault" in (await shown(log_url, "--sale", "S-7"))[1]


# Verify


async def test_a_sound_log_is_said_to_be(log_url: str) -> None:
    ended = await log(log_url, "verify")
    assert ended.code == 0
    assert ended.out == "17 events of 2 sales (2 closed), 5 bids: all is well\n"
    assert (await log(log_url, "verify", "--sale", "S-8")).out == (
        "8 events of 1 sale (1 closed), 2 bids: all is well\n"
    )
    told = json.loads((await log(log_url, "verify", "--json")).out)
    assert told == {
        "shards": 2,
        "sales": 2,
        "closed_sales": 2,
        "events": 17,
        "bids": 5,
        "more_findings": 0,
        "findings": [],
        "sound": True,
    }


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "update log_event set body = set_byte(body, 40, get_byte(body, 40) # 1)"
            " where sale_id = 'S-7' and position = 5",
            "position 5 sale S-7: hash: ",
        ),
        (
            "delete from log_event where sale_id = 'S-7' and position = 5",
            "position 6 sale S-7: position: it follows position 4",
        ),
        (
            "delete from log_event where sale_id = 'S-7' and position = 9",
            "position 8: position: the log ends here, and its shard says at 9",
        ),
        (
            "update log_event set epoch = 7 where sale_id = 'S-7' and position = 5",
            "position 6 sale S-7: epoch: epoch 1 follows 7",
        ),
        (
            "update log_event set sale_id = 'S-8' where sale_id = 'S-7' and position = 5",
            "position 5 sale S-8: body: it says that it is of sale S-7",
        ),
        (
            "insert into log_event select shard, 10, epoch, sale_id, body from log_event"
            " where sale_id = 'S-7' and position = 6",
            "position 10 sale S-7: number: sequence 4 follows 6",
        ),
    ],
)
async def test_a_log_that_was_rewritten_is_found_out(
    statement: str, says: str, log_url: str
) -> None:
    await rewrite(log_url, statement)
    ended = await log(log_url, "verify")
    assert ended.code == 1
    assert says in ended.out
    assert " finding" in ended.out.splitlines()[-1]
    told = json.loads((await log(log_url, "verify", "--json")).out)
    assert told["sound"] is False
    assert len(told["findings"]) == len(ended.out.splitlines()) - 1


async def test_a_sale_that_is_not_there_is_one_line(log_url: str, tmp_path: Path) -> None:
    for words in (
        ("show", "--sale", "S-9"),
        ("verify", "--sale", "S-9"),
        ("export", "S-9", "--out", tmp_path / "x"),
    ):
        ended = await log(log_url, *words)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "softclose: the log holds no sale S-9\n"
    assert not (tmp_path / "x").exists()


# Export


async def test_an_export_is_checked_without_a_database(log_url: str, tmp_path: Path) -> None:
    file = tmp_path / "S-7.jsonl"
    ended = await log(log_url, "export", "S-7", "--out", file)
    assert (ended.code, ended.out) == (0, f"wrote {file}: 6 public events of sale S-7\n")
    assert b"mark-" not in file.read_bytes()
    checked = await verify_file(file)
    assert checked.code == 0
    assert checked.out.startswith("sale S-7 (closed): 6 events, 0 openings, last hash ")
    assert checked.out.endswith(": all is well\n")


async def test_a_bidder_gets_what_opens_the_own_commitments(log_url: str, tmp_path: Path) -> None:
    file = tmp_path / "S-7.jsonl"
    words = ("export", "S-7", "--out", file, "--bidder", "mark-ann", "--reason", "she asked")
    assert (await log(log_url, *words)).code == 0
    told = json.loads((await verify_file(file, "--json")).out)
    assert (told["sound"], told["openings"]) == (True, 3)
    connection = await connect(log_url, name="test")
    kept = await connection.fetchval("select narrowed_to from reveal where command = 'log export'")
    await connection.close()
    assert json.loads(kept) == {"sale": "S-7", "bidder": "mark-ann"}


async def test_receipts_are_looked_up_in_an_export(log_url: str, tmp_path: Path) -> None:
    file = tmp_path / "S-7.jsonl"
    await log(log_url, "export", "S-7", "--out", file)
    events = await shown(log_url, "--sale", "S-7")
    receipts = [event["hash"] or event["commitment"] for event in events]
    words = [word for receipt in receipts for word in ("--receipt", receipt)]
    assert (await verify_file(file, *words)).code == 0
    ended = await verify_file(file, "--receipt", "ab" * 32)
    assert ended.code == 1
    assert ended.out.startswith(f"the chain does not hold the receipt {'ab' * 32}\n")


async def test_a_changed_export_is_found_out(log_url: str, tmp_path: Path) -> None:
    file = tmp_path / "S-7.jsonl"
    await log(log_url, "export", "S-7", "--out", file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3] + lines[4:]))
    ended = await verify_file(file)
    assert ended.code == 1
    assert ended.out.startswith("line 4 sale S-7 sequence 4: number: sequence 4 follows 2\n")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"auctionid,bid\n1,2\n", b"\xff" * 30])
def test_a_file_that_is_no_export_is_found_out(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert here("log", "verify", "--file", tmp_path / "file").code == 1


# Where the log is


def test_without_an_installation_nothing_is_made(tmp_path: Path) -> None:
    ended = softclose("--data", tmp_path / "none", "log", "verify")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"softclose: there is no log in {tmp_path / 'none'}; ")
    assert not (tmp_path / "none").exists()


async def test_tables_of_another_version_are_one_line(empty_database_url: str) -> None:
    ended = await log(empty_database_url, "verify")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "run softclose migrate" in ended.err


def test_the_log_of_an_installation_is_checked_stopped_and_running(tmp_path: Path) -> None:
    assert softclose("--data", tmp_path, "migrate").code == 0
    empty = "0 events of 0 sales (0 closed), 0 bids: all is well\n"
    assert softclose("--data", tmp_path, "log", "verify").out == empty
    with serving(tmp_path) as served:
        served.gets_ready()
        assert softclose("--data", tmp_path, "log", "verify").out == empty
