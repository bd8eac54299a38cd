"""The catalogue's tables: what is published stays, and is found as it is asked for."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from msgspec.structs import astuple, replace

from auction.catalog.goods import Condition, FreightTerms, ManifestLine, lowest, manifest_sha256
from auction.catalog.listings import (
    AlreadyPublished,
    LotFilter,
    LotKey,
    LotOrder,
    NotReady,
    NotYours,
    find_lots,
    lot_key,
    lots_of,
    pickup_address,
    publish_lots,
    publish_sale,
    read_lot,
    read_lots,
    read_sale,
    save_lot,
    save_sale,
)
from auction.catalog.manifests import (
    BadManifest,
    GroupBy,
    LineFilter,
    LineKey,
    LineOrder,
    PreviewLine,
    groups,
    page_of_lines,
    read_manifest,
    save_manifest,
    totals,
)
from auction.catalog.photo_worker import PhotoFile
from auction.catalog.photos import add_photo, photos_of
from auction.commands import CloseDue, WithdrawalCause
from auction.ids import LiquidatorId, LotId, SaleId
from auction.terms import LotKind, SaleAudience
from foundation.database import AnyConnection, connect
from tests.builders import a_lot, admit, at, bid, register, withdraw
from tests.catalogue import (
    PUBLISHED_US,
    Boarded,
    a_described_lot,
    a_line,
    a_sale,
    list_lots,
    with_check_digit,
)

S1, ONE = SaleId("S-1"), LotId("1")


SAID = ", ".join(name for name in ManifestLine.__struct_fields__ if name != "line")
COPY_OF_A_LINE = (
    f"insert into manifest_line (sale_id, lot_id, line, {SAID}) "  # noqa: S608 - its fields
    f"select sale_id, lot_id, 2, {SAID} from manifest_line where lot_id = '1'"
)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AnyConnection]:
    connection = await connect(database_url, name="tests")
    yield connection
    await connection.close()


# Writing and freezing


async def test_a_lot_is_read_as_it_was_written_with_what_its_manifest_says(
    connection: AnyConnection,
) -> None:
    lines = [
        a_line(1, condition=Condition.LIKE_NEW),
        a_line(2, condition=Condition.SALVAGE, quantity=1, brand="Oakrow", unit_msrp_minor=99_99),
        a_line(3, condition=Condition.NEW, quantity=3, unit_msrp_minor=5_00, brand=""),
    ]
    written = a_described_lot(
        restrictions=("no marketplaces", "export only"),
        freight_terms=FreightTerms.FIXED,
        freight_fixed_minor=250_00,
    )
    await list_lots(connection, written, lines=lines)
    await Boarded(connection).opens(a_lot("1"))
    lot = await read_lot(connection, S1, ONE)
    assert lot is not None
    private = {"company", "street"}
    for name in set(written.__struct_fields__) - private:
        assert getattr(lot, name) == getattr(written, name), name
    assert (lot.lines, lot.units, lot.msrp_minor) == (3, 6, 79_98 + 99_99 + 15_00)
    assert lot.condition is Condition.SALVAGE is lowest(line.condition for line in lines)
    assert lot.brands == "Oakrow, Brindle"
    assert lot.manifest_sha256 == manifest_sha256("USD", lines)
    assert (lot.board.status, lot.board.next_minimum_minor) == ("LIVE", 100_00)
    assert not private & set(lot.__struct_fields__)
    address = await pickup_address(connection, S1, ONE)
    assert address is not None
    assert (address.company, address.street) == (written.company, written.street)


async def test_a_draft_is_written_again_and_found_by_nobody(connection: AnyConnection) -> None:
    await list_lots(connection, a_described_lot(), publish=False)
    await list_lots(connection, a_described_lot(title="Toasters"), publish=False)
    await Boarded(connection).opens(a_lot("1"))
    assert await read_lot(connection, S1, ONE) is None
    assert await read_sale(connection, S1) is None
    await publish_sale(connection, S1, PUBLISHED_US)
    assert await read_lot(connection, S1, ONE) is None
    await publish_lots(connection, S1, [ONE], PUBLISHED_US)
    lot = await read_lot(connection, S1, ONE)
    assert lot is not None and lot.title == "Toasters"


async def test_a_published_lot_that_the_log_does_not_have_is_not_found(
    connection: AnyConnection,
) -> None:
    await list_lots(connection, a_described_lot())
    assert await read_lot(connection, S1, ONE) is None
    assert await lots_of(connection, S1, None, 10) == []


TOUCHES = (
    "update lot_listing set title = 'Gold bars'",
    "update lot_listing set published_at_us = null",
    "delete from lot_listing",
    "truncate lot_listing cascade",
    "update manifest_line set quantity = 1",
    "delete from manifest_line",
    "truncate manifest_line",
    COPY_OF_A_LINE,
    "update lot_photo set alt = 'gold'",
    "delete from lot_photo_file",
    "delete from lot_photo",
    "truncate lot_photo cascade",
    "insert into lot_photo values ('S-1', '1', 9, 'another')",
    "insert into lot_photo values ('S-1', '1', 9, 'of before', 1)",
    "insert into lot_photo_file values ('S-1', '1', 1, 'page', 'image/webp', 4, 3, sha256('y'))",
    "update lot_photo_file set sha256 = sha256('y')",
    "update picture set bytes = 'z'",
    "delete from picture",
    "truncate picture cascade",
    "update manifest_line set lot_id = '2', line = 9 where lot_id = '1'",
    "update manifest_line set lot_id = '1' where lot_id = '2' and line = 2",
)


async def test_the_tables_themselves_keep_what_is_published(
    connection: AnyConnection, subtests: pytest.Subtests
) -> None:
    await list_lots(connection, a_described_lot(), publish=False)
    await save_lot(connection, a_described_lot("2"))
    await save_manifest(connection, S1, LotId("2"), [a_line(1), a_line(2)])
    await connection.execute("insert into lot_photo values ('S-1', '1', 1, 'a pallet')")
    await connection.execute("insert into picture values (sha256('x'), 'x'), (sha256('y'), 'y')")
    await connection.execute(
        "insert into lot_photo_file values ('S-1', '1', 1, 'tile', 'image/webp', 4, 3, sha256('x'))"
    )
    await publish_lots(connection, S1, [ONE], PUBLISHED_US)
    before = await everything(connection)
    for statement in TOUCHES:
        with subtests.test(statement):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(statement)
            assert await everything(connection) == before


async def test_a_published_lot_takes_later_photos_that_stay_too(
    connection: AnyConnection,
) -> None:
    await list_lots(connection, a_described_lot())
    files = [
        PhotoFile("tile", "image/webp", 4, 3, b"x"),
        PhotoFile("page", "image/webp", 4, 3, b"x"),
    ]
    async with connection.transaction():
        number = await add_photo(
            connection, S1, ONE, "its back", files, added_at_us=PUBLISHED_US + 1
        )
    [photo] = (await photos_of(connection, S1, [ONE]))[ONE]
    assert (photo.number, photo.added_at_us, len(photo.files)) == (number, PUBLISHED_US + 1, 2)
    assert (await read_lot_digest(connection)) == manifest_sha256("USD", [a_line()])
    for statement in (
        "update lot_photo set alt = 'gold'",
        "update lot_photo set added_at_us = null",
        "delete from lot_photo_file",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(statement)
    with pytest.raises(AlreadyPublished):
        async with connection.transaction():
            await add_photo(connection, S1, ONE, "its front", files)


async def read_lot_digest(connection: AnyConnection) -> bytes:
    digest: bytes = await connection.fetchval("select manifest_sha256 from lot_listing")
    return digest


async def everything(connection: AnyConnection) -> list[Any]:
    tables = ("lot_listing", "manifest_line", "lot_photo", "lot_photo_file")
    return [await connection.fetch(f"select * from {t} order by 1, 2, 3") for t in tables]  # noqa: S608


async def test_a_draft_beside_a_published_lot_is_written_on(connection: AnyConnection) -> None:
    await list_lots(connection, a_described_lot())
    await save_lot(connection, a_described_lot("2"))
    async with connection.transaction():
        await save_manifest(connection, S1, LotId("2"), [a_line()])
        await save_manifest(connection, S1, LotId("2"), [a_line(1), a_line(2)])
    assert (await totals(connection, S1, LotId("2"))).lines == 2


async def test_what_is_published_is_refused_by_its_name(connection: AnyConnection) -> None:
    await list_lots(connection, a_described_lot())
    with pytest.raises(AlreadyPublished):
        await save_lot(connection, a_described_lot(title="Gold bars"))
    with pytest.raises(AlreadyPublished):
        async with connection.transaction():
            await save_manifest(connection, S1, ONE, [a_line()])
    with pytest.raises(AlreadyPublished):
        await publish_lots(connection, S1, [ONE], PUBLISHED_US)


async def test_lots_without_a_manifest_are_not_published(connection: AnyConnection) -> None:
    await list_lots(connection, a_described_lot("1"), publish=False)
    await save_lot(connection, a_described_lot("2"))
    with pytest.raises(NotReady, match="lot 2, 9"):
        async with connection.transaction():
            await publish_lots(connection, S1, [LotId("1"), LotId("2"), LotId("9")], PUBLISHED_US)
    await save_lot(connection, a_described_lot("1", title="still a draft"))
    with pytest.raises(NotReady, match="no lot 9"):
        await save_manifest(connection, S1, LotId("9"), [a_line()])


async def test_the_words_of_a_sale_may_change_and_not_its_liquidator(
    connection: AnyConnection,
) -> None:
    await list_lots(connection, a_described_lot())
    await save_sale(connection, a_sale(pickup_terms="By appointment only."))
    with pytest.raises(NotYours):
        await save_sale(connection, a_sale(liquidator_id=LiquidatorId("another")))
    entry = await read_sale(connection, S1)
    assert entry is not None
    assert entry.details == a_sale(pickup_terms="By appointment only.")


# Sales


async def a_year(connection: AnyConnection) -> None:
    """Six sales, opening in this order: two over, one going on, two to come, one of a group."""
    for number in range(6):
        audience = SaleAudience.GROUP if number == 5 else SaleAudience.PUBLIC
        sale = a_sale(f"S-{number}", opens_at_us=at("10:00") + number // 2)
        lots = [a_described_lot(lot, f"S-{number}") for lot in "12"]
        await list_lots(connection, *lots, sale=sale)
        if number in (3, 4):
            continue  # scheduled later: the board does not have them yet
        house = Boarded(connection, f"S-{number}")
        await house.opens(a_lot("1"), a_lot("2", "17:00"), audience=audience)
        if audience is not SaleAudience.PUBLIC:
            await house.does(replace(admit("A"), sale_id=SaleId(f"S-{number}")))
        await house.does(replace(register("A"), sale_id=SaleId(f"S-{number}")))
        await house.does(replace(bid("A", 500_00), sale_id=SaleId(f"S-{number}")), when="12:00")
        await house.does(CloseDue(sale_id=SaleId(f"S-{number}")), when="16:30")
        if number < 2:
            gone = withdraw("2", WithdrawalCause.RECALL)
            await house.does(replace(gone, sale_id=SaleId(f"S-{number}")))


async def test_a_sale_is_read_with_what_became_of_its_lots(connection: AnyConnection) -> None:
    await a_year(connection)
    found = [await read_sale(connection, SaleId(f"S-{number}")) for number in (2, 3, 0)]
    going_on, to_come, over = (one for one in found if one is not None)
    assert [(e.lots, e.unended, e.sold, e.is_over()) for e in (going_on, to_come, over)] == [
        (2, 1, 1, False),
        (0, 0, 0, False),
        (2, 0, 1, True),
    ]
    assert (going_on.units, going_on.msrp_minor, going_on.currency) == (4, 2 * 79_98, "USD")
    assert (going_on.first_end_us, going_on.last_end_us) == (at("16:00"), at("17:00"))
    assert going_on.categories == ("Kitchen",)


async def test_a_sale_of_a_group_is_read_by_its_id_and_not_listed(
    connection: AnyConnection,
) -> None:
    await a_year(connection)
    hidden = await read_sale(connection, SaleId("S-5"))
    assert hidden is not None and hidden.lots == 2
    everywhere = await find_lots(connection, LotFilter(), LotOrder.PLACE, None, 100)
    assert {lot.sale_id for lot in everywhere} == {"S-0", "S-1", "S-2"}
    chosen = LotFilter(hidden=(SaleId("S-5"), SaleId("S-2")))
    with_it = await find_lots(connection, chosen, LotOrder.PLACE, None, 100)
    assert {lot.sale_id for lot in with_it} == {"S-0", "S-1", "S-2", "S-5"}
    assert len(await lots_of(connection, SaleId("S-5"), None, 10)) == 2


# Lots


async def a_market(connection: AnyConnection) -> None:
    """Two sales with seven lots that differ in everything that can be asked for."""
    lots = [
        a_described_lot("1"),
        a_described_lot("2", category="Tools", title="Cordless drills", region="TX"),
        a_described_lot("3", kind=LotKind.TRUCKLOAD, pallets=24),
        a_described_lot("12A", place=12, description="A generator that roars like thunder"),
    ]
    await list_lots(connection, *lots, lines=[a_line(1, brand="Thornwick")])
    others = [a_described_lot(str(n), "S-2", place=4 - n, category="Toys") for n in (1, 2, 3)]
    fine = [a_line(1, condition=Condition.NEW, unit_msrp_minor=500_00)]
    sale = a_sale("S-2", liquidator_id=LiquidatorId("other"))
    await list_lots(connection, *others, sale=sale, lines=fine)
    first, second = Boarded(connection), Boarded(connection, "S-2")
    await first.opens(a_lot("1"), a_lot("2", "17:00"), a_lot("3", "15:00"), a_lot("12A", "19:00"))
    ends = [a_lot("1", "16:30"), a_lot("2", "14:00"), a_lot("3", "18:00", opening_minor=50_00)]
    await second.opens(*ends, liquidator=LiquidatorId("other"))
    await first.does(register("A"))
    await first.does(bid("A", 900_00, "2"), when="12:00")
    await first.does(CloseDue(sale_id=S1), when="15:00")


async def found(connection: AnyConnection, order: LotOrder, **wanted: Any) -> list[str]:
    lots = await find_lots(connection, LotFilter(**wanted), order, None, 100)
    return [f"{lot.sale_id[2:]}/{lot.lot_id}" for lot in lots]


FOUND: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "1/1 1/2 1/3 1/12A 2/3 2/2 2/1"),
    ({"sale_id": "S-2"}, "2/3 2/2 2/1"),
    ({"sale_id": "S-9"}, ""),
    ({"categories": ("Tools", "Toys")}, "1/2 2/3 2/2 2/1"),
    ({"categories": ()}, ""),
    ({"conditions": (Condition.NEW,)}, "2/3 2/2 2/1"),
    ({"kinds": (LotKind.TRUCKLOAD,)}, "1/3"),
    ({"regions": ("TX",)}, "1/2"),
    ({"liquidators": ("other",)}, "2/3 2/2 2/1"),
    ({"most_price_minor": 60_00}, "2/3"),
    ({"least_msrp_minor": 80_00}, "2/3 2/2 2/1"),
    ({"unended": True, "sale_id": "S-1"}, "1/1 1/2 1/12A"),
    ({"text": "drill"}, "1/2"),
    ({"text": "thunder"}, "1/12A"),
    ({"text": "Thornwick -drills"}, "1/1 1/3 1/12A"),
    ({"text": '"roars like"'}, "1/12A"),
    ({"text": "toys or drills"}, "1/2 2/3 2/2 2/1"),
    ({"text": "'); drop table lot_listing; --"}, ""),
    ({"text": '"unfinished & (!'}, ""),
    ({"text": ""}, ""),
    ({"text": "Prairie"}, ""),
    ({"text": "joliet", "kinds": (LotKind.PALLET,), "regions": ("TX",)}, "1/2"),
)


async def test_lots_are_found_by_what_is_asked_for(
    connection: AnyConnection, subtests: pytest.Subtests
) -> None:
    await a_market(connection)
    for wanted, lots in FOUND:
        with subtests.test(str(wanted)):
            assert await found(connection, LotOrder.PLACE, **wanted) == lots.split()


async def test_lots_come_in_the_order_that_is_asked_for(connection: AnyConnection) -> None:
    await a_market(connection)
    assert await found(connection, LotOrder.ENDING) == [
        "2/2",
        "1/3",
        "1/1",
        "2/1",
        "1/2",
        "2/3",
        "1/12A",
    ]
    assert (await found(connection, LotOrder.LOWEST_PRICE))[0] == "2/3"
    assert (await found(connection, LotOrder.LOWEST_PRICE))[-1] == "1/2"
    assert (await found(connection, LotOrder.HIGHEST_MSRP))[:3] == ["2/1", "2/2", "2/3"]


async def test_a_list_of_lots_goes_on_where_a_page_ended(
    connection: AnyConnection, subtests: pytest.Subtests
) -> None:
    await a_market(connection)
    for order in LotOrder:
        with subtests.test(order.value):
            await goes_on(connection, order)


async def goes_on(connection: AnyConnection, order: LotOrder) -> None:
    whole = await find_lots(connection, LotFilter(), order, None, 100)
    for size in (1, 2, 3, 7):
        seen, after = [], None
        while page := await find_lots(connection, LotFilter(), order, after, size):
            seen += page
            after = lot_key(order, page[-1])
        assert seen == whole
    with pytest.raises(ValueError, match="another order"):
        other = LotOrder.PLACE if order is not LotOrder.PLACE else LotOrder.ENDING
        await find_lots(connection, LotFilter(), order, LotKey(other, 0, S1, ONE), 1)


async def test_lots_are_read_by_their_ids_in_the_order_of_the_asking(
    connection: AnyConnection,
) -> None:
    await a_market(connection)
    asked = [("S-2", "1"), ("S-1", "12A"), ("S-9", "1"), ("S-1", "1")]
    lots = await read_lots(connection, [(SaleId(sale), LotId(lot)) for sale, lot in asked])
    assert [(lot.sale_id, lot.lot_id) for lot in lots] == [asked[0], asked[1], asked[3]]


# Manifests


def a_mixed_manifest(seed: int, lines: int) -> list[ManifestLine]:
    rng = random.Random(seed)
    return [
        a_line(
            line,
            description=rng.choice(
                ["Kettle, 1.7 l", "Mixer 100% steel", "toaster_oven", "Fan\\Heater", "Blender"]
            ),
            brand=rng.choice(["", "Brindle", "oakrow", "Thornwick"]),
            category=rng.choice(["Kitchen", "Home", ""]),
            condition=rng.choice(list(Condition)),
            quantity=rng.randrange(1, 9),
            unit_msrp_minor=rng.choice([0, 1_99, 39_99, 120_00]),
            pallet=rng.choice(["P1", "P2", "p3", ""]),
        )
        for line in range(1, lines + 1)
    ]


async def a_lot_with(connection: AnyConnection, lines: list[ManifestLine]) -> None:
    await list_lots(connection, a_described_lot(), lines=lines, publish=False)


async def test_a_manifest_is_read_as_it_was_written(connection: AnyConnection) -> None:
    lines = a_mixed_manifest(1, 300)
    await a_lot_with(connection, lines)
    assert await read_manifest(connection, S1, ONE) == lines
    assert await read_manifest(connection, S1, LotId("9")) == []


async def test_a_manifest_that_is_none_is_refused_whole(connection: AnyConnection) -> None:
    await a_lot_with(connection, [a_line()])
    for lines, says in [
        ([], "from 1 to 20000 lines"),
        ([a_line(1), a_line(3)], "line 2: it is numbered 3"),
        ([a_line(1, gtin="036000291453")], "line 1: 036000291453 is no GTIN"),
    ]:
        with pytest.raises(BadManifest, match=says):
            await save_manifest(connection, S1, ONE, lines)
    assert (await totals(connection, S1, ONE)).lines == 1


async def test_what_tells_single_pieces_apart_is_not_in_a_preview(
    connection: AnyConnection,
) -> None:
    lines = a_mixed_manifest(2, 20)
    await a_lot_with(connection, lines)
    assert not {"lpn", "serial"} & set(PreviewLine.__struct_fields__)
    page = await page_of_lines(
        connection, S1, ONE, LineFilter(), LineOrder.LINE, descending=False, after=None, limit=50
    )
    assert "LPNX" not in repr(page) and "SN0" not in repr(page)
    for text in ("LPNX000001", "SN00000001"):
        assert (await totals(connection, S1, ONE, LineFilter(text=text))).lines == 0


WANTED: dict[str, tuple[LineFilter, Callable[[ManifestLine], bool]]] = {
    "everything": (LineFilter(), lambda line: True),
    "a word": (LineFilter(text="KETTLE"), lambda line: "Kettle" in line.description),
    "two words": (
        LineFilter(text="thornwick  steel"),
        lambda line: line.brand == "Thornwick" and "steel" in line.description,
    ),
    "per cent": (LineFilter(text="100%"), lambda line: "100%" in line.description),
    "underscore": (LineFilter(text="r_o"), lambda line: "r_o" in line.description),
    "backslash": (LineFilter(text="n\\h"), lambda line: "Fan\\Heater" in line.description),
    "white space": (LineFilter(text="  "), lambda line: True),
    "a quote": (LineFilter(text="';--"), lambda line: False),
    "a category": (LineFilter(categories=("Home",)), lambda line: line.category == "Home"),
    "no category": (LineFilter(categories=("",)), lambda line: line.category == ""),
    "none": (LineFilter(categories=()), lambda line: False),
    "grades": (
        LineFilter(conditions=(Condition.NEW, Condition.SALVAGE)),
        lambda line: line.condition in ("NEW", "SALVAGE"),
    ),
    "brands": (
        LineFilter(brands=("oakrow", "Brindle")),
        lambda line: line.brand in ("oakrow", "Brindle"),
    ),
    "all": (
        LineFilter(text="e", brands=("oakrow",), categories=("Home", ""), pallets=("P1", "p3")),
        lambda line: (
            line.brand == "oakrow" and line.category != "Kitchen" and line.pallet in ("P1", "p3")
        ),
    ),
}


async def test_lines_are_found_summed_and_grouped_as_by_hand(
    connection: AnyConnection, subtests: pytest.Subtests
) -> None:
    lines = a_mixed_manifest(3, 200)
    await a_lot_with(connection, lines)
    for name, (wanted, fits) in WANTED.items():
        with subtests.test(name):
            await as_by_hand(connection, wanted, [line for line in lines if fits(line)])


async def as_by_hand(
    connection: AnyConnection, wanted: LineFilter, kept: list[ManifestLine]
) -> None:
    page = await page_of_lines(
        connection, S1, ONE, wanted, LineOrder.LINE, descending=False, after=None, limit=500
    )
    assert [line.line for line in page.lines] == [line.line for line in kept]
    total = await totals(connection, S1, ONE, wanted)
    assert astuple(total) == (
        len(kept),
        sum(line.quantity for line in kept),
        sum(line.extended_msrp_minor for line in kept),
    )
    for by in GroupBy:
        grouped = await groups(connection, S1, ONE, by, wanted)
        expected: dict[str, list[ManifestLine]] = {}
        for line in kept:
            expected.setdefault(str(getattr(line, by.lower())), []).append(line)
        assert {g.key: (g.lines, g.units, g.msrp_minor) for g in grouped} == {
            key: (
                len(some),
                sum(line.quantity for line in some),
                sum(line.extended_msrp_minor for line in some),
            )
            for key, some in expected.items()
        }
        assert [g.msrp_minor for g in grouped] == sorted(g.msrp_minor for g in grouped)[::-1]


def sorted_by(order: LineOrder, line: ManifestLine) -> object:
    match order:
        case LineOrder.LINE:
            return line.line
        case LineOrder.CONDITION:
            return list(Condition).index(line.condition)
        case LineOrder.UNIT_MSRP:
            return line.unit_msrp_minor
        case LineOrder.EXTENDED_MSRP:
            return line.extended_msrp_minor
    value = getattr(line, order.lower())
    return value.lower().encode() if isinstance(value, str) else value


async def test_lines_are_sorted_and_paged(
    connection: AnyConnection, subtests: pytest.Subtests
) -> None:
    lines = a_mixed_manifest(4, 60)
    await a_lot_with(connection, lines)
    for order in LineOrder:
        for descending in (False, True):
            with subtests.test(f"{order} {descending}"):
                await is_sorted_and_paged(connection, lines, order, descending=descending)


async def is_sorted_and_paged(
    connection: AnyConnection, lines: list[ManifestLine], order: LineOrder, *, descending: bool
) -> None:
    expected = sorted(
        lines,
        key=lambda line: (sorted_by(order, line), line.line),
        reverse=descending,
    )
    for size in (1, 7, 100):
        seen: list[PreviewLine] = []
        after: LineKey | None = None
        while True:
            page = await page_of_lines(
                connection,
                S1,
                ONE,
                LineFilter(),
                order,
                descending=descending,
                after=after,
                limit=size,
            )
            if not page.lines:
                break
            seen += page.lines
            after = page.keys[-1]
        assert [line.line for line in seen] == [line.line for line in expected]


async def test_a_key_of_another_order_is_refused(connection: AnyConnection) -> None:
    await a_lot_with(connection, [a_line()])
    for key in (
        LineKey(LineOrder.BRAND, descending=False, value="b", line=1),
        LineKey(LineOrder.LINE, descending=True, value=1, line=1),
        LineKey(LineOrder.LINE, descending=False, value="1", line=1),
    ):
        with pytest.raises(ValueError, match="another order"):
            await page_of_lines(
                connection,
                S1,
                ONE,
                LineFilter(),
                LineOrder.LINE,
                descending=False,
                after=key,
                limit=1,
            )


async def test_ten_thousand_lines_are_written_and_read_in_time(
    connection: AnyConnection,
) -> None:
    """So that a truckload by the piece is no trouble: within the statement's time-out."""
    lines = [a_line(n, gtin=with_check_digit(f"04{n:09}")) for n in range(1, 10_001)]
    await a_lot_with(connection, lines)
    assert (await totals(connection, S1, ONE, LineFilter(text="toaster"))).lines == 10_000
