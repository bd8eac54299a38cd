"""The page of recalls: what is pasted, what is found, and what is withdrawn."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auction.ids import SaleId
from tests.accounts_site import Client
from tests.catalogue import a_line, with_check_digit
from tests.desk import a_lot_draft
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor

TOASTER = with_check_digit("00412345678")


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    """A liquidator."""
    return await at_desk(site)


@pytest.fixture
async def dana(site: Site, desk: AtDesk) -> AsyncIterator[Client]:
    """Its seller's browser."""
    async with visitor(site, desk.person_id) as client:
        yield client


async def toasters(desk: AtDesk, title: str) -> str:
    lines = [a_line(1), a_line(2, gtin=TOASTER, quantity=3, brand="Grill & Co")]
    return (await desk.room.lots.create(desk.seller, a_lot_draft(title=title), lines)).draft_id


async def one_in_a_sale(desk: AtDesk, dana: Client) -> SaleId:
    """Lot 1 of a published sale and a lot in stock hold toasters."""
    sale_id = await desk.sale(await toasters(desk, "Breakfast"))
    await desk.publish(sale_id)
    await toasters(desk, "=Kitchen")
    async with asyncio.timeout(10):  # tables follow the log by moments
        while "Still to close" not in (await found(dana)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return sale_id


async def found(dana: Client) -> str:
    return (await dana.post("/desk/recalls", {"brands": "GRILL & co"})).text


async def test_several_lines_are_pasted_and_the_open_lots_withdrawn(
    desk: AtDesk, dana: Client
) -> None:
    assert "Nothing was recalled yet." in (await dana.get("/desk/recalls")).text
    sale_id = await one_in_a_sale(desk, dana)
    named = {"gtins": f"{TOASTER.lstrip('0')}\r\n\r\n {TOASTER} ", "lpns": "LPN-X\nLPN-Y"}
    page = (await dana.post("/desk/recalls", named)).text
    for part in ("Breakfast", "=Kitchen", "Withdraw 1 lot", "This cannot be undone."):
        assert part in page
    nothing = await dana.post("/desk/recalls/withdraw", named)
    assert nothing.status == 422 and 'id="error-reason"' in nothing.text
    assert "Withdraw 1 lot" in nothing.text
    board = await desk.room.boards.look(sale_id)
    assert board is not None and board.lots[0].status == "LIVE"
    done = await dana.post("/desk/recalls/withdraw", {**named, "reason": "They catch fire."})
    assert done.status == 200 and "1 lot withdrawn." in done.text
    board = await desk.room.boards.look(sale_id)
    assert board is not None and board.lots[0].status == "WITHDRAWN"
    past = (await dana.get("/desk/recalls")).text
    assert "They catch fire." in past and "lot 1 withdrawn" in past


async def test_what_was_found_is_a_file_that_no_spreadsheet_runs(
    desk: AtDesk, dana: Client
) -> None:
    await one_in_a_sale(desk, dana)
    sheet = await dana.post("/desk/recalls/csv", {"gtins": TOASTER})
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="recall.csv"'
    rows = list(csv.reader(io.StringIO(sheet.body.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Where", "Lot", "Title", "State"]
    assert [row[2:6] for row in rows[1:]] == [
        ["Breakfast", "still to close", "2", "3"],
        ["'=Kitchen", "draft", "2", "3"],
    ]


@pytest.mark.parametrize(
    ("named", "place", "said"),
    [
        ({}, "gtins", "Name at least one"),
        ({"gtins": "036000291453"}, "gtins", "is no GTIN"),
        ({"brands": "x" * 81}, "brands", "longer than 80"),
        ({"lpns": "\n".join(f"L{n}" for n in range(501))}, "lpns", "At most 500 lines"),
    ],
)
async def test_what_names_nothing_is_said_at_its_field(
    dana: Client, named: dict[str, str | list[str]], place: str, said: str
) -> None:
    for path in ("", "/csv", "/withdraw"):
        answer = await dana.post(f"/desk/recalls{path}", {**named, "reason": "Fire."})
        assert answer.status == 422, path
        assert f'id="error-{place}"' in answer.text and said in answer.text


async def test_a_rival_finds_and_withdraws_nothing_of_it(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    sale_id = await one_in_a_sale(desk, dana)
    rival = await at_desk(site, "Prairie Liquidation", "ann@prairie.example")
    async with visitor(site, rival.person_id) as ann:
        asked = {"gtins": TOASTER, "reason": "Fire."}
        assert "0 lots found" in (await ann.post("/desk/recalls", asked)).text
        assert "so nothing was withdrawn" in (await ann.post("/desk/recalls/withdraw", asked)).text
    board = await desk.room.boards.look(sale_id)
    assert board is not None and board.lots[0].status == "LIVE"
    assert "Nothing was recalled yet." in (await dana.get("/desk/recalls")).text
