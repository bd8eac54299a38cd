"""The photos of a lot on pages without scripts: forms, versions, and what bidders will see."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData

from auction.desk.photo_drafts import DraftPhotos
from foundation.http.problems import NOT_FOUND
from tests.accounts_site import Client
from tests.pictures import a_photo
from tests.seller_site import AtDesk, at_desk
from tests.site import Site, open_site
from tests.visiting import visitor


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(site: Site) -> AtDesk:
    return await at_desk(site)


@pytest.fixture
async def dana(site: Site, desk: AtDesk) -> AsyncIterator[Client]:
    async with visitor(site, desk.person_id) as client:
        yield client


async def now(desk: AtDesk, draft_id: str) -> DraftPhotos:
    return await desk.room.photos.list(desk.seller.liquidator_id, draft_id)


async def upload(dana: Client, path: str, **files: bytes) -> str:
    """Where a form with these files leads to, with its message."""
    form = FormData()
    for name, data in files.items():
        form.add_field("photo", data, filename=f"{name}.jpg")
    form.add_field("alt", "")
    answer = await dana.post(path, form)
    assert answer.status == 303, answer.text
    return (await dana.get(answer.location.partition("#")[0])).text


async def test_photos_are_added_and_changed_by_forms(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot(title="Mixers")
    path = f"/desk/lots/{lot}"
    text = await upload(dana, f"{path}/photos", front=a_photo(), back=a_photo("#ff0000"))
    assert "2 photos are added." in text
    for part in ('alt="Mixers, photo 1"', 'aria-label="Move photo 2 to the left"'):
        assert part in text
    said = {"do": "describe", "version": "3", "alt": "The back"}
    assert (await dana.post(f"{path}/photos/2", said)).location == f"{path}#photos"
    await dana.post(f"{path}/photos/2", {"do": "left", "version": "4"})
    assert [photo.alt for photo in (await now(desk, lot)).items] == ["The back", ""]
    late = await dana.post(f"{path}/photos/2", {"do": "remove", "version": "4"})
    assert "Somebody has changed this" in (await dana.get(late.location.partition("#")[0])).text
    gone = await dana.post(f"{path}/photos/2", {"do": "remove", "version": "5"})
    assert gone.location == f"{path}?removed=2#photos"
    assert "Bring it back" in (await dana.get(f"{path}?removed=2")).text
    await dana.post(f"{path}/photos/2", {"do": "back", "version": "6"})
    assert [photo.number for photo in (await now(desk, lot)).items] == [2, 1]
    at_the_end = await dana.post(f"{path}/photos/1", {"do": "right", "version": "7"})
    assert at_the_end.status == 303


async def test_a_file_that_will_not_do_is_named_and_nothing_is_added(
    desk: AtDesk, dana: Client
) -> None:
    lot = await desk.lot()
    text = await upload(dana, f"/desk/lots/{lot}/photos", front=a_photo(), notes=b"Dear Ann")
    assert "notes.jpg: This is not a JPEG, PNG or WebP picture that can be read." in text
    assert "Nothing was added." in text
    assert (await now(desk, lot)).items == []
    assert "Choose a picture." in await upload(dana, f"/desk/lots/{lot}/photos")


async def test_previews_and_the_grid_show_photos(desk: AtDesk, dana: Client) -> None:
    lot, bare = await desk.lot(title="Mixers"), await desk.lot(title="Bare")
    for colour, alt in (("#336699", "The front"), ("#ff0000", "The back")):
        await desk.room.photos.add(desk.seller, lot, alt, [a_photo(colour)])
    grid = await dana.get("/desk/lots")
    assert grid.text.count('class="grid-photo"') == 1
    preview = await dana.get(f"/desk/lots/{lot}/preview")
    assert 'alt="The front"' in preview.text and 'alt="The back"' in preview.text
    assert "No photos of this lot" in (await dana.get(f"/desk/lots/{bare}/preview")).text
    sale_id = await desk.sale(lot, bare)
    assert (await dana.get(f"/desk/sales/{sale_id}/preview")).text.count("preview-photo") == 1
    checks = await dana.get(f"/desk/sales/{sale_id}/publish")
    assert f'href="/desk/lots/{bare}#photos"' in checks.text
    assert f'href="/desk/lots/{lot}#photos"' not in checks.text


async def test_parts_of_a_split_lot_say_whose_photos_they_have(desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot()
    await desk.room.photos.add(desk.seller, lot, "", [a_photo()])
    split = await dana.post(f"/desk/lots/{lot}/split", {"version": "1"})
    assert "remove those that show other pallets" in (await dana.get(split.location)).text


async def test_bidders_read_when_a_photo_was_added(site: Site, desk: AtDesk, dana: Client) -> None:
    lot = await desk.lot(title="Mixers")
    await desk.room.photos.add(desk.seller, lot, "The front", [a_photo()])
    sale_id = await desk.sale(lot)
    await desk.publish(sale_id)
    page = await dana.get(f"/desk/lots/{lot}")
    assert "it can neither be changed nor removed" in page.text
    assert "Move photo" not in page.text
    assert "Added after publishing" not in page.text
    await upload(dana, f"/desk/lots/{lot}/photos", back=a_photo("#ff0000"))
    assert "Added after publishing, at" in (await dana.get(f"/desk/lots/{lot}")).text
    async with visitor(site, None) as guest:
        seen = await told(guest, f"/sales/{sale_id}/lots/1")
    assert 'alt="The front"' in seen and 'alt="Mixers, photo 2"' in seen
    assert seen.count("Added after publishing at") == 1


async def told(guest: Client, path: str) -> str:
    """A page of bidders, once the board has the lot."""
    async with asyncio.timeout(15):
        while (page := await guest.get(path)).status == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return page.text


async def test_another_liquidators_photos_are_those_of_no_lot(
    site: Site, desk: AtDesk, dana: Client
) -> None:
    lot = await desk.lot()
    rival = await at_desk(site, "Rival", "ann@rival.example")
    async with visitor(site, rival.person_id) as ann:
        for draft_id in (lot, "draft-none"):
            for answer in (
                await ann.get(f"/desk/lots/{draft_id}/photos"),
                await ann.post(f"/desk/lots/{draft_id}/photos/1", {"do": "back", "version": "1"}),
            ):
                assert answer.status == NOT_FOUND.status
    assert (await dana.get(f"/desk/lots/{lot}/photos")).status == 200
