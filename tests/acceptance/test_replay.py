"""``softclose replay`` as its users meet it: files in, a file out, one line, an exit code.

The recorded auctions themselves are not part of the project: those tests skip without them.
"""

import asyncio
import csv
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from foundation.database import connect
from softclose.embedded_postgres import EmbeddedPostgres
from tests.in_process import here
from tests.processes import Ended, environment, softclose

BIDS: Final = (
    "item,auctionid,bid,bidtime,bidder,openbid\n"
    "watch,7,500,0.1,ann,100\nwatch,7,300,0.2,bob,100\nwatch,8,50,0.5,cy,60\n"
)
RESULTS: Final = (
    "auctionid,outcome,hammer_price,winner,bids\n7,sold,305.00,ann,2\n8,sold,50.00,cy,1\n"
)
OLD: Final = "what was there before\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with good bids and results of an earlier run."""
    (tmp_path / "bids.csv").write_text(BIDS)
    (tmp_path / "results.csv").write_text(OLD)
    return tmp_path


def replay(server: EmbeddedPostgres, *words: str | Path) -> Ended:
    """Run it in scratch databases of the test run's server."""
    return here("replay", *words, SOFTCLOSE_DATABASE_URL=server.dsn)


def databases(server: EmbeddedPostgres) -> set[str]:
    async def names() -> set[str]:
        connection = await connect(server.dsn, name="test")
        try:
            return {row[0] for row in await connection.fetch("select datname from pg_database")}
        finally:
            await connection.close()

    return asyncio.run(names())


def test_a_replay_writes_results_and_says_so_in_one_line(
    postgres: EmbeddedPostgres, files: Path
) -> None:
    ended = replay(postgres, "ebay", files / "bids.csv", "--out", files / "results.csv")
    assert (ended.code, (files / "results.csv").read_text()) == (0, RESULTS)
    said = ended.out.splitlines()
    assert len(said) == 1
    assert said[0].startswith("2 lots: 2 sold, 0 passed; 3 bids, 3 accepted; 0 extensions; ")
    assert said[0].endswith(f" s; wrote {files / 'results.csv'}")


def test_without_a_server_it_brings_its_own_and_leaves_nothing(files: Path) -> None:
    (files / "tmp").mkdir()
    out = files / "results.csv"
    ended = softclose("replay", "ebay", files / "bids.csv", "--out", out, TMPDIR=str(files / "tmp"))
    assert (ended.code, out.read_text()) == (0, RESULTS)
    assert list((files / "tmp").iterdir()) == []


def test_the_scratch_database_is_gone_afterwards(postgres: EmbeddedPostgres, files: Path) -> None:
    before = databases(postgres)
    out = files / "results.csv"
    words = ("ebay", files / "bids.csv", "--out", out, "--database-url", postgres.dsn)
    assert here("replay", *words).code == 0
    assert databases(postgres) == before


def test_reserves_and_the_minimum_are_asked_for_by_options(
    postgres: EmbeddedPostgres, files: Path
) -> None:
    (files / "reserves.csv").write_text("auctionid,reserve\n7,1000\n")
    words = ("ebay", files / "bids.csv", "--reserves", files / "reserves.csv", "--enforce-minimum")
    assert replay(postgres, *words, "--out", files / "results.csv").code == 0
    assert (files / "results.csv").read_text() == (
        "auctionid,outcome,hammer_price,winner,bids\n7,passed,500.00,,1\n8,passed,,,0\n"
    )


def test_a_maxsold_sale_is_replayed(postgres: EmbeddedPostgres, files: Path) -> None:
    (files / "lots.csv").write_text(
        "item_id,starting_bid,scheduled_end\n1,1.0,2025-11-20T21:00:00-0500\n"
    )
    (files / "bids.csv").write_text(
        "item_id,seq,time_of_bid,amount\n1,1,2025-11-20T20:59:59-0500,7\n"
    )
    words = ("maxsold", files / "bids.csv", files / "lots.csv", "--out", files / "results.csv")
    assert replay(postgres, *words).code == 0
    assert (files / "results.csv").read_text() == (
        "item_id,outcome,hammer_price,end_in_force,extensions\n"
        "1,sold,7.00,2025-11-20T21:01:59-05:00,1\n"
    )


# Faults: one line, exit code 2, and no results but those that were there


def test_a_bad_row_is_one_line_and_the_old_results_stay(
    postgres: EmbeddedPostgres, files: Path
) -> None:
    with (files / "bids.csv").open("a") as bids:
        bids.write("watch,8,abc,0.6,dee,60\n")
    ended = replay(postgres, "ebay", files / "bids.csv", "--out", files / "results.csv")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"softclose: {files / 'bids.csv'}:5: column bid: 'abc' is not an amount such as 177.50\n"
    )
    assert (files / "results.csv").read_text() == OLD
    assert sorted(file.name for file in files.iterdir()) == ["bids.csv", "results.csv"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere.csv", "--out", "results.csv"), "File 'nowhere.csv' does not exist"),
        ((".", "--out", "results.csv"), "File '.' is a directory"),
        (("bids.csv",), "Missing option '--out'"),
        (("bids.csv", "--out", "none/results.csv"), "none/results.csv: there is no folder "),
        (("bids.csv", "--out", "bids.csv"), "bids.csv is also what is read"),
        (("bids.csv", "--out", "link.csv"), "link.csv is also what is read"),
        (("bids.csv", "--out", "."), "File '.' is a directory"),
        (("bids.csv", "--out", "/dev/null"), "/dev/null is not a file"),
        (
            ("bids.csv", "--out", "results.csv", "--database-url", "mysql://x"),
            "SOFTCLOSE_DATABASE_URL: must start with postgresql://",
        ),
    ],
)
def test_what_cannot_be_read_or_written_is_said_before_any_work(
    words: tuple[str, ...], says: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "link.csv").symlink_to("bids.csv")
    monkeypatch.chdir(files)
    ended = here("replay", "ebay", *words)
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert (files / "bids.csv").read_text() == BIDS
    assert (files / "results.csv").read_text() == OLD


def test_results_that_are_a_link_are_written_where_it_points(
    postgres: EmbeddedPostgres, files: Path
) -> None:
    (files / "link.csv").symlink_to("results.csv")
    assert replay(postgres, "ebay", files / "bids.csv", "--out", files / "link.csv").code == 0
    assert (files / "link.csv").is_symlink()
    assert (files / "results.csv").read_text() == RESULTS


def test_a_server_that_cannot_be_reached_is_one_line(files: Path) -> None:
    url = "postgresql://someone:hidden@127.0.0.1:1/x"
    words = ("ebay", files / "bids.csv", "--out", files / "results.csv", "--database-url", url)
    ended = here("replay", *words)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "hidden" not in ended.err
    assert (files / "results.csv").read_text() == OLD


def test_an_interrupted_replay_puts_everything_away(
    postgres: EmbeddedPostgres, files: Path
) -> None:
    with (files / "bids.csv").open("a") as bids:
        bids.writelines(f"watch,{n},5,{n / 50_000},ann,1\n" for n in range(1_000, 51_000))
    before = databases(postgres)
    words = ["replay", "ebay", str(files / "bids.csv"), "--out", str(files / "results.csv")]
    command = [sys.executable, "-c", "from softclose.cli import main; main()", *words]
    variables = environment({"SOFTCLOSE_DATABASE_URL": postgres.dsn})
    with subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process:
        while databases(postgres) == before:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert process.returncode == 130
    assert databases(postgres) == before
    assert (files / "results.csv").read_text() == OLD
    assert sorted(file.name for file in files.iterdir()) == ["bids.csv", "results.csv"]


# Auctions that really happened

Rows = dict[str, dict[str, str]]


def read(file: Path, key: str) -> Rows:
    with file.open(newline="") as lines:
        return {row[key]: row for row in csv.DictReader(lines)}


def ebay_results(server: EmbeddedPostgres, folder: Path, *words: str | Path) -> Rows:
    out = folder / "results.csv"
    ended = replay(server, "ebay", *words, "--out", out)
    assert ended.code == 0, ended.err
    return read(out, "auctionid")


def test_ebay_auctions_end_at_the_second_maximum_and_an_increment(
    postgres: EmbeddedPostgres, shared_data: Path, tmp_path: Path
) -> None:
    """To the cent, on bids whose winner's maximum was lifted: there the second decides."""
    expected = read(shared_data / "ebay" / "expected_dev.csv", "auctionid")
    results = ebay_results(postgres, tmp_path, shared_data / "ebay" / "bids_lifted_dev.csv")
    strong = {key: row for key, row in expected.items() if row["cls"] == "strong"}
    assert len(strong) == 251
    assert {key: row_of(results[key]) for key in strong} == {
        key: ("sold", row["expected_price_winner_lifted"], row["winner"])
        for key, row in strong.items()
    }


def test_ebay_auctions_end_at_their_recorded_prices(
    postgres: EmbeddedPostgres, shared_data: Path, tmp_path: Path
) -> None:
    expected = read(shared_data / "ebay" / "expected_dev.csv", "auctionid")
    results = ebay_results(postgres, tmp_path, shared_data / "ebay" / "bids_dev.csv")
    matching = {key: row for key, row in expected.items() if row["matches"] == "1"}
    assert len(matching) == 319
    assert {key: row_of(results[key]) for key in matching} == {
        key: ("sold", row["recorded_price"], row["winner"]) for key, row in matching.items()
    }


def test_ebay_auctions_with_a_reserve_end_at_it(
    postgres: EmbeddedPostgres, shared_data: Path, tmp_path: Path
) -> None:
    expected = read(shared_data / "ebay" / "expected_dev.csv", "auctionid")
    implied = {key: row for key, row in expected.items() if row["cls"] == "reserve_implied"}
    reserves = [f"{key},{row['implied_reserve']}\n" for key, row in implied.items()]
    (tmp_path / "reserves.csv").write_text("auctionid,reserve\n" + "".join(reserves))
    words = (shared_data / "ebay" / "bids_dev.csv", "--reserves", tmp_path / "reserves.csv")
    results = ebay_results(postgres, tmp_path, *words)
    assert len(implied) == 13
    assert {key: row_of(results[key])[:2] for key in implied} == {
        key: ("sold", row["recorded_price"]) for key, row in implied.items()
    }


def row_of(row: dict[str, str]) -> tuple[str, str, str]:
    return row["outcome"], row["hammer_price"], row["winner"]


def test_maxsold_lots_end_at_their_prices_and_times(
    postgres: EmbeddedPostgres, shared_data: Path, tmp_path: Path
) -> None:
    folder, out = shared_data / "maxsold", tmp_path / "results.csv"
    words = ("maxsold", folder / "bids_dev.csv", folder / "lots_dev.csv", "--out", out)
    ended = replay(postgres, *words)
    assert ended.code == 0, ended.err
    results, lots = read(out, "item_id"), read(folder / "lots_dev.csv", "item_id")
    assert len(lots) == 67
    for item_id, lot in lots.items():
        result = results[item_id]
        assert float(result["hammer_price"] or 0) == float(lot["final_price"]), item_id
        end = datetime.fromisoformat(result["end_in_force"])
        assert end == datetime.fromisoformat(lot["final_end_time"]), item_id
        assert (int(result["extensions"]) > 0) == (lot["bidding_extended"] == "True"), item_id
