"""Photos of drafts: added, described, put in order, removed and brought back, copied, published."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from auction.catalog import photos as catalogue_photos
from auction.catalog.photos import StoredPhoto, photos_of, read_photo
from auction.desk import photo_drafts
from auction.desk.lots import Lots
from auction.desk.photo_drafts import DraftPhotos
from auction.desk.photos import Photos
from auction.desk.refusals import Refusal, Refused
from auction.desk.sale_drafts import DraftState
from auction.desk.seller import Seller
from auction.ids import LotId, SaleId
from auction.ports import OutcomeUnknown
from foundation.database import Pool
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_line
from tests.desk import SELLER, Desk, a_desk, a_lot_draft
from tests.integration.desk.test_publishing import once
from tests.pictures import a_photo

DANA = Seller(SELLER, STAFF_MEMBER)
ONE = LotId("1")


class Bench:
    """A draft, and how its photos are changed on the version that they have now."""

    def __init__(self, photos: Photos, draft_id: str, pool: Pool) -> None:
        self.photos, self.draft_id, self.pool = photos, draft_id, pool

    async def add(self, *alts: str) -> DraftPhotos:
        for alt in alts:
            await self.photos.add(DANA, self.draft_id, alt, [a_photo(f"#33{len(alt):02x}99")])
        return await self.now()

    async def now(self, draft_id: str = "") -> DraftPhotos:
        return await self.photos.list(SELLER, draft_id or self.draft_id)

    async def alts(self, draft_id: str = "") -> list[str]:
        return [photo.alt for photo in (await self.now(draft_id)).items]

    async def remove(self, number: int) -> DraftPhotos:
        version = (await self.now()).version
        return await self.photos.remove(DANA, self.draft_id, version, number)

    async def pictures(self) -> int:
        async with self.pool.acquire() as connection:
            count: int = await connection.fetchval("select count(*) from picture")
        return count


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with a_desk(database_url) as desk:
        yield desk


@pytest.fixture
async def bench(desk: Desk) -> AsyncIterator[Bench]:
    photos = Photos(desk.pool, lambda: desk.now_us)
    yield Bench(photos, await desk.lot(), desk.pool)
    await photos.close()


@pytest.fixture
def lots(desk: Desk) -> Lots:
    return Lots(desk.pool, lambda: desk.now_us)


async def publish(desk: Desk, sale_id: SaleId) -> DraftState:
    version = await desk.version(sale_id)
    return await desk.publishing.publish(SELLER, sale_id, version, STAFF_MEMBER)


async def listed(desk: Desk, sale_id: SaleId) -> list[StoredPhoto]:
    async with desk.pool.acquire() as connection:
        return (await photos_of(connection, sale_id, [ONE])).get(ONE, [])


async def test_photos_stand_in_the_order_in_which_they_came(bench: Bench) -> None:
    photos = await bench.add("front", "label")
    assert [(photo.number, photo.alt) for photo in photos.items] == [(1, "front"), (2, "label")]
    assert photos.version == 3
    assert [len(photo.files) for photo in photos.items] == [6, 6]
    page = photos.items[0].file("page")
    media_type, data = await bench.photos.file(SELLER, bench.draft_id, page.sha256)
    assert (media_type, data[8:12]) == ("image/webp", b"WEBP")
    assert b"CAMERA-MAKER" not in data


async def test_several_come_together_or_not_at_all(bench: Bench) -> None:
    with pytest.raises(Refused, match="BAD_PHOTO") as refused:
        await bench.photos.add(DANA, bench.draft_id, "", [a_photo(), b"<svg/>", a_photo()])
    assert refused.value.field == "photo/1"
    assert refused.value.message.startswith("This is not a JPEG, PNG or WebP picture")
    assert (await bench.now(), await bench.pictures()) == (DraftPhotos(1, []), 0)
    added = await bench.photos.add(DANA, bench.draft_id, "", [a_photo(), a_photo("#ff0000")])
    assert len(added.items) == 2


async def test_photos_are_described_and_put_in_order(bench: Bench) -> None:
    photos, draft_id = await bench.add("front", "label", "wrap"), bench.draft_id
    photos = await bench.photos.describe(DANA, draft_id, photos.version, 2, "the label")
    photos = await bench.photos.order(DANA, draft_id, photos.version, [3, 1, 2])
    assert [photo.alt for photo in photos.items] == ["wrap", "front", "the label"]
    for numbers in ([3, 1], [3, 1, 2, 2], [1, 2, 9]):
        with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
            await bench.photos.order(DANA, draft_id, photos.version, numbers)
    with pytest.raises(Refused, match="NOT_FOUND"):
        await bench.photos.describe(DANA, draft_id, photos.version, 9, "nothing")
    assert await bench.now() == photos


async def test_a_removed_photo_comes_back_to_its_place(bench: Bench) -> None:
    photos = await bench.add("front", "label", "wrap")
    photos = await bench.remove(2)
    assert [photo.alt for photo in photos.items] == ["front", "wrap"]
    with pytest.raises(Refused, match="NOT_FOUND"):
        await bench.remove(2)
    photos = await bench.photos.bring_back(DANA, bench.draft_id, 2)
    assert [photo.alt for photo in photos.items] == ["front", "label", "wrap"]
    with pytest.raises(Refused, match="NOT_FOUND"):
        await bench.photos.bring_back(DANA, bench.draft_id, 2)
    await bench.remove(3)
    assert [one.number for one in (await bench.add("again")).items] == [1, 2, 7], (
        "3 is not given again"
    )


async def test_who_changes_older_photos_is_told(bench: Bench) -> None:
    photos, draft_id = await bench.add("front", "label"), bench.draft_id
    stale = photos.version - 1
    for again in (
        bench.photos.describe(DANA, draft_id, stale, 1, "other"),
        bench.photos.order(DANA, draft_id, stale, [2, 1]),
        bench.photos.remove(DANA, draft_id, stale, 1),
    ):
        with pytest.raises(Refused, match="CHANGED_MEANWHILE"):
            await again
    assert await bench.now() == photos


async def test_two_that_change_the_same_photos_at_once_change_them_once(bench: Bench) -> None:
    photos = await bench.add("front", "label")
    results = await asyncio.gather(
        *(
            bench.photos.order(DANA, bench.draft_id, photos.version, [2, 1]),
            bench.photos.remove(DANA, bench.draft_id, photos.version, 1),
            bench.photos.describe(DANA, bench.draft_id, photos.version, 1, "x"),
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DraftPhotos) for result in results) == 1


async def test_a_lot_has_so_many_photos(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_drafts, "MAX_PHOTOS", 2)
    await bench.add("front", "label")
    with pytest.raises(Refused, match="TOO_MANY"):
        await bench.add("wrap")
    await bench.remove(1)
    await bench.add("wrap")
    with pytest.raises(Refused, match="TOO_MANY"):
        await bench.photos.bring_back(DANA, bench.draft_id, 1)
    assert await bench.alts() == ["label", "wrap"]


async def test_those_removed_long_ago_are_forgotten_with_their_pictures(
    bench: Bench, lots: Lots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_drafts, "MAX_REMOVED", 1)
    await bench.add("front", "a label")
    copy = await lots.copy(DANA, bench.draft_id, lines=True)
    await bench.add("in this lot only")
    before = await bench.pictures()
    for number in (1, 3, 2):
        await bench.remove(number)
    # Of the two that are forgotten, the copy still shows one.
    assert await bench.pictures() == before - 2
    assert await bench.alts(copy.draft_id) == ["front", "a label"]
    with pytest.raises(Refused, match="NOT_FOUND"):
        await bench.photos.bring_back(DANA, bench.draft_id, 3)
    assert len((await bench.photos.bring_back(DANA, bench.draft_id, 2)).items) == 1


async def test_too_many_at_once_are_told_to_come_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_photos, "MAX_WAITING", 0)
    with pytest.raises(Refused, match="BUSY"):
        await bench.add("front")


async def test_a_copy_of_the_articles_has_the_photos_and_one_of_the_words_has_none(
    bench: Bench, lots: Lots
) -> None:
    await bench.add("front", "a label")
    whole = await lots.copy(DANA, bench.draft_id, lines=True)
    words = await lots.copy(DANA, bench.draft_id, lines=False)
    assert await bench.alts(whole.draft_id) == ["front", "a label"]
    assert await bench.alts(words.draft_id) == []
    assert (await bench.now(whole.draft_id)).version == 3
    assert await bench.pictures() == 4, "copies show the same pictures"


async def test_parts_have_the_photos_of_the_whole_and_a_whole_those_of_its_parts(
    bench: Bench, lots: Lots, desk: Desk
) -> None:
    whole = Bench(
        bench.photos, await desk.lot(None, [a_line(1), a_line(2, pallet="P2")]), desk.pool
    )
    await whole.add("both pallets")
    await bench.add("front")
    first, second = await lots.split(DANA, whole.draft_id, 1)
    assert await bench.alts(first.draft_id) == await bench.alts(second.draft_id) == ["both pallets"]
    joined = await lots.join(DANA, [bench.draft_id, first.draft_id])
    assert await bench.alts(joined.draft_id) == ["front", "both pallets"]
    numbers = [photo.number for photo in (await bench.now(joined.draft_id)).items]
    assert numbers == [1, 2]


async def test_published_photos_are_those_of_the_draft_in_their_order(
    bench: Bench, desk: Desk
) -> None:
    photos = await bench.add("front", "", "gone")
    await bench.photos.order(DANA, bench.draft_id, photos.version, [2, 1, 3])
    await bench.remove(3)
    sale_id = await desk.sale(bench.draft_id)
    assert await publish(desk, sale_id) is DraftState.PUBLISHED
    found = await listed(desk, sale_id)
    assert [(photo.number, photo.alt) for photo in found] == [
        (1, "Kitchen appliances, photo 1"),
        (2, "front"),
    ]
    assert [photo.added_at_us for photo in found] == [None, None]
    for photo, drafted in zip(found, (await bench.now()).items, strict=True):
        assert photo.files == drafted.files
        async with desk.pool.acquire() as connection:
            assert await read_photo(connection, photo.file("full").sha256) is not None


async def test_published_photos_are_added_to_while_the_bidding_goes_on_and_stay(
    bench: Bench, desk: Desk
) -> None:
    photos = await bench.add("front")
    sale_id = await desk.sale(bench.draft_id)
    await publish(desk, sale_id)
    draft_id, version = bench.draft_id, photos.version
    for change in (
        bench.photos.describe(DANA, draft_id, version, 1, "gold"),
        bench.photos.order(DANA, draft_id, version, [1]),
        bench.photos.remove(DANA, draft_id, version, 1),
        bench.photos.bring_back(DANA, draft_id, 1),
    ):
        with pytest.raises(Refused, match="PUBLISHED_ALREADY"):
            await change
    later = await bench.add("its back", "")
    assert [photo.added_later for photo in later.items] == [False, True, True]
    found = await listed(desk, sale_id)
    assert [photo.alt for photo in found] == ["front", "its back", "Kitchen appliances, photo 3"]
    assert found[0].added_at_us is None and found[1].added_at_us == later.items[1].added_at_us
    await ended(desk, sale_id)
    with pytest.raises(Refused, match="NOT_NOW") as refused:
        await bench.add("too late")
    assert "has ended" in refused.value.message
    assert len(await listed(desk, sale_id)) == 3


async def ended(desk: Desk, sale_id: SaleId) -> None:
    """The board has it that the lot ended."""
    async with desk.pool.acquire() as connection:
        await connection.execute(
            "insert into lot_board (sale_id, lot_id, liquidator_id, currency, kind, title, status,"
            " opening_minor, next_minimum_minor, reserve, bid_count, extensions, opens_at_us,"
            " closes_at_us, audience) values ($1, '1', 'x', 'USD', 'PALLET', 'x', 'PASSED', 1, 1,"
            " 'NONE', 0, 0, 0, $2, 'PUBLIC')",
            sale_id,
            2**60,
        )


async def test_a_sale_that_is_just_being_published_takes_no_photos(
    bench: Bench, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auction.desk.publishing.RETRY_AFTER_S", ())
    await bench.add("front")
    sale_id = await desk.sale(bench.draft_id)

    async def away(_: object) -> None:
        raise OutcomeUnknown

    desk.engine.before = away
    assert await publish(desk, sale_id) is DraftState.PUBLISHING
    with pytest.raises(Refused, match="NOT_NOW"):
        await bench.add("in between")
    desk.engine.before = None
    await once(desk.publishing)
    await bench.add("after")
    assert [photo.alt for photo in await listed(desk, sale_id)] == ["front", "after"]


async def test_a_photo_waits_for_a_publishing_that_has_begun_and_is_refused(
    bench: Bench, desk: Desk
) -> None:
    await bench.add("front")
    sale_id = await desk.sale(bench.draft_id)
    async with desk.pool.acquire() as publishing, publishing.transaction():
        await publishing.execute(
            "update sale_draft set state = 'PUBLISHING', publishing = '{}' where sale_id = $1",
            sale_id,
        )
        adding = asyncio.create_task(bench.add("in between"))
        async with asyncio.timeout(10):
            while not await desk.pool.fetchval(_SOMEBODY_WAITS):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    with pytest.raises(Refused, match="NOT_NOW"):
        await adding
    assert await bench.alts() == ["front"]


_SOMEBODY_WAITS = """
select exists (
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
)
"""


Asked = Callable[[Photos, Seller, str], Coroutine[Any, Any, object]]
ALL_THAT_CAN_BE_ASKED: dict[str, Asked] = {
    "list": lambda photos, by, lot: photos.list(by.liquidator_id, lot),
    "file": lambda photos, by, lot: photos.file(by.liquidator_id, lot, bytes(32)),
    "add": lambda photos, by, lot: photos.add(by, lot, "", [a_photo()]),
    "describe": lambda photos, by, lot: photos.describe(by, lot, 2, 1, "mine"),
    "order": lambda photos, by, lot: photos.order(by, lot, 2, [1]),
    "remove": lambda photos, by, lot: photos.remove(by, lot, 2, 1),
    "bring back": lambda photos, by, lot: photos.bring_back(by, lot, 1),
}


@pytest.mark.parametrize("what", ALL_THAT_CAN_BE_ASKED)
async def test_photos_of_anothers_lot_are_those_of_one_that_does_not_exist(
    bench: Bench, rival: Seller, what: str
) -> None:
    before = await bench.add("front")
    for draft_id in (bench.draft_id, "draft-none"):
        with pytest.raises(Refused) as refused:
            await ALL_THAT_CAN_BE_ASKED[what](bench.photos, rival, draft_id)
        assert (refused.value.refusal, refused.value.field) == (Refusal.NOT_FOUND, "")
    assert await bench.photos.firsts(rival.liquidator_id, [bench.draft_id]) == {}
    assert await bench.now() == before


async def test_the_first_photo_stands_for_a_lot(bench: Bench, desk: Desk) -> None:
    bare = await desk.lot(a_lot_draft(title="Without"))
    photos = await bench.add("front", "label")
    await bench.photos.order(DANA, bench.draft_id, photos.version, [2, 1])
    firsts = await bench.photos.firsts(SELLER, [bench.draft_id, bare])
    assert {draft_id: photo.alt for draft_id, photo in firsts.items()} == {bench.draft_id: "label"}
