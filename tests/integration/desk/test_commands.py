"""``softclose desk publish`` and ``results`` against a running server."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from accounts.identity import Scope
from tests.desk_market import Sellers, a_planned_sale, desk_market
from tests.processes import Ended, softclose


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def run(sellers: Sellers, *words: str, scope: Scope | None = Scope.SELL) -> Ended:
    """A command as a process of its own, with a token of this scope."""
    variables: dict[str, str] = {}
    if scope is not None:
        program = await sellers.market.token(sellers.seller, scope)
        variables["SOFTCLOSE_TOKEN"] = program.headers["Authorization"].removeprefix("Bearer ")
    given = ("desk", *words, "--url", sellers.market.origin)
    return await asyncio.to_thread(softclose, *given, **variables)


async def test_a_sale_is_published_and_its_results_are_read(
    sellers: Sellers,
) -> None:
    sale = await a_planned_sale(sellers.seller, sellers.market.clock.now_us(), lots=2)
    sale_id = sale["sale_id"]
    said = await run(sellers, "publish", sale_id)
    assert said.code == 0, said
    assert "warning: Lot 1 has no photo" in said.out
    assert f"{sale_id}: published, 2 lots" in said.out
    again = await run(sellers, "publish", sale_id)
    assert again.code == 1
    assert "PUBLISHED_ALREADY" in again.err or "not ready" in again.err
    await sellers.market.caught_up()
    plain = await run(sellers, "results", sale_id)
    assert plain.code == 0, plain
    assert "sold       0 of 2 lots" in plain.out
    program = await run(sellers, "results", sale_id, "--json")
    assert json.loads(program.out)["totals"]["lots"] == 2
    table = await run(sellers, "results", sale_id, "--csv")
    assert len(table.out.splitlines()) >= 3


FILE = """Description,UPC,Qty,Unit Retail,Condition,Lot #
Toaster,036000291452,2,39.99,New,101
Kettle,012345678905,1,24.50,New,101
Blender,036000291452,3,80.00,Used Good,102
"""


@pytest.mark.parametrize(
    ("words", "lines"),
    [((), [3]), (("--make", "lines"), [1, 1, 1]), (("--lot-column", "Lot #"), [2, 1])],
)
async def test_a_file_becomes_lots_in_stock(
    sellers: Sellers, tmp_path: Path, words: tuple[str, ...], lines: list[int]
) -> None:
    (tmp_path / "returns.csv").write_text(FILE)
    said = await run(sellers, "import", str(tmp_path / "returns.csv"), "--json", *words)
    assert said.code == 0, said
    made = json.loads(said.out)
    assert [lot["lines"] for lot in made["lots"]] == lines
    stock = await sellers.seller.does("GET", "/desk/lots")
    assert {lot["draft_id"] for lot in stock["items"]} == {lot["draft_id"] for lot in made["lots"]}
    assert sum(lot["retail_minor"] for lot in made["lots"]) == 344_48


async def test_a_file_that_is_understood_wrongly_is_corrected(
    sellers: Sellers, tmp_path: Path
) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(FILE.replace("Description", "Thing").replace("Lot #", "Article"))
    said = await run(sellers, "import", str(file), "--map", "description=Thing")
    assert (said.code, said.out.count("draft-")) == (0, 1), said
    assert "3 lines, 6 units, 344.48 USD" in said.out


async def test_a_file_with_an_error_becomes_nothing(sellers: Sellers, tmp_path: Path) -> None:
    file = tmp_path / "returns.csv"
    file.write_text(FILE.replace(",3,80.00", ",many,80.00"))
    said = await run(sellers, "import", str(file))
    assert (said.code, said.out) == (1, "")
    assert "error: line 4, Qty: " in said.err
    file.write_bytes(b"\x00\x01" * 400)
    said = await run(sellers, "import", str(file))
    assert (said.code, said.out) == (2, ""), said
    assert "UNREADABLE_FILE: " in said.err
    assert (await sellers.seller.does("GET", "/desk/lots"))["items"] == []


async def test_what_is_wrong_is_a_line(
    sellers: Sellers,
) -> None:
    draft = await sellers.seller.does("POST", "/desk/sales", {}, status=201)
    bare = await run(sellers, "publish", draft["sale_id"])
    assert bare.code == 1
    assert "error: The sale has no lots" in bare.out
    assert "is not ready" in bare.err
    missing = await run(sellers, "results", "sale-none")
    assert (missing.code, missing.err.strip()) == (1, "softclose: NOT_FOUND: Not found")
    unscoped = await run(sellers, "results", "sale-none", scope=Scope.READ)
    assert "FORBIDDEN" in unscoped.err
    nobody = await run(sellers, "results", "sale-none", scope=None)
    assert "SOFTCLOSE_TOKEN" in nobody.err


def test_a_server_that_is_not_there_is_named() -> None:
    asked = ("desk", "results", "sale-1", "--url", "http://127.0.0.1:9")
    said = softclose(*asked, SOFTCLOSE_TOKEN="sc_x")
    assert said.code == 1
    assert "no answer from http://127.0.0.1:9" in said.err
    assert "sc_x" not in said.err
