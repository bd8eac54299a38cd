"""Photos of a lot in Chromium: dropped and chosen, moved by keyboard, removed and brought back."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from auction.catalog.photo_worker import PhotoFile
from auction.catalog.photos import PhotoWorker
from auction.desk.photo_drafts import DraftPhoto
from tests.acceptance.resellers.hands import hands
from tests.browser import PHONE
from tests.pictures import a_photo
from tests.seller_site import AtDesk, at_desk
from tests.site import Reseller, Site, open_site

# What a person's hand does with files of another window.
DROP = """([names, bytes]) => {
    const carrier = new DataTransfer();
    for (const [place, name] of names.entries()) {
        const data = Uint8Array.from(bytes[place]);
        carrier.items.add(new File([data], name, { type: "image/jpeg" }));
    }
    const form = document.getElementById("photo-add");
    for (const type of ["dragenter", "dragover", "drop"])
        form.dispatchEvent(new DragEvent(type, { dataTransfer: carrier, bubbles: true }));
}"""


async def kept(desk: AtDesk, lot: str) -> list[DraftPhoto]:
    return list((await desk.room.photos.list(desk.seller.liquidator_id, lot)).items)


async def drop(page: Page, **files: bytes) -> None:
    names = [f"{name}.jpg" for name in files]
    await page.evaluate(DROP, [names, [list(data) for data in files.values()]])


async def test_photos_are_dropped_described_moved_removed_and_brought_back(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    good, bad = tmp_path / "wrap.jpg", tmp_path / "notes.jpg"
    good.write_bytes(a_photo("#118844", 900, 600))
    bad.write_bytes(b"Dear Ann")
    async with open_site(database_url, tmp_path / "data") as site:
        desk = await at_desk(site)
        lot = await desk.lot(title="Mixers")
        async with hands(chromium, site.origin) as visitor:
            page, window = visitor.page, visitor.window
            await visitor.sign_in(Reseller(desk.organisation_id, desk.person_id, desk.mail))
            await page.goto(f"{site.origin}/desk/lots/{lot}")
            await page.evaluate("window.sameDocument = true")
            await page.get_by_label("Title").fill("Not saved yet")
            await drop(page, front=a_photo("#336699", 900, 600), back=a_photo("#994411", 600, 900))
            said = page.locator("#lot-photos [role=status]")
            await expect(said).to_have_text("2 of 2 added.")
            await page.set_input_files("#field-photo", [bad, good])
            await expect(page.locator(".uploads .failed")).to_have_text(
                "notes.jpg: This is not a JPEG, PNG or WebP picture that can be read."
            )
            await expect(said).to_have_text("1 of 2 added. 1 not taken: see why below.")
            complaints = window.complaints
            assert ["422" in one for one in complaints] == [True], complaints
            complaints.clear()

            alt = page.get_by_label("What photo 3 shows")
            await alt.fill("The wrap")
            await alt.press("Tab")
            await expect(said).to_have_text("Saved.")
            await page.get_by_label("What photo 3 shows").press("Alt+ArrowLeft")
            await expect(said).to_have_text("The photo is at place 2 of 3.")
            await expect(page.get_by_label("What photo 2 shows")).to_be_focused()
            await page.get_by_role("button", name="Move photo 2 to the left").press("Enter")
            await expect(said).to_have_text("The photo is at place 1 of 3.")
            await expect(
                page.get_by_role("button", name="Move photo 1 to the left")
            ).to_be_focused()
            assert [photo.number for photo in await kept(desk, lot)] == [3, 1, 2]

            await page.get_by_role("button", name="Remove photo 2").click()
            back = page.get_by_role("button", name="Bring it back")
            await expect(back).to_be_focused()
            assert [photo.number for photo in await kept(desk, lot)] == [3, 2]
            assert await window.grave_faults() == []
            await window.screenshot("lot-photos")
            await back.press("Enter")
            await expect(said).to_have_text("The photo is back.")
            assert [(one.number, one.alt) for one in await kept(desk, lot)] == [
                (3, "The wrap"),
                (1, ""),
                (2, ""),
            ]
            assert await page.evaluate("window.sameDocument")
            await expect(page.get_by_label("Title")).to_have_value("Not saved yet")
            await page.set_viewport_size(PHONE)
            assert await window.overflow_px() == 0
            await window.screenshot("lot-photos-phone")
            await page.goto(f"{site.origin}/desk/lots/{lot}/preview")
            await window.screenshot("lot-photos-preview")
            await published(site, desk, lot, page)
            await window.screenshot("lot-photos-published")


async def test_a_cameras_picture_is_made_smaller_before_it_is_sent(
    database_url: str, tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, resize = list[int](), PhotoWorker.resize

    async def noted(worker: PhotoWorker, upload: bytes) -> list[PhotoFile]:
        taken.append(len(upload))
        return await resize(worker, upload)

    monkeypatch.setattr(PhotoWorker, "resize", noted)
    heavy, noise = tmp_path / "heavy.jpg", Image.effect_noise((3_000, 4_000), 80)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    noise.save(heavy, "JPEG", quality=90, exif=exif)
    assert heavy.stat().st_size > 4 * 2**20
    async with open_site(database_url, tmp_path / "data") as site:
        desk = await at_desk(site)
        lot = await desk.lot()
        async with hands(chromium, site.origin) as visitor:
            page = visitor.page
            await visitor.sign_in(Reseller(desk.organisation_id, desk.person_id, desk.mail))
            await page.goto(f"{site.origin}/desk/lots/{lot}")
            await page.set_input_files("#field-photo", heavy)
            said = page.locator("#lot-photos [role=status]")
            await expect(said).to_have_text("1 of 1 added.")
        assert [size < heavy.stat().st_size / 2 for size in taken] == [True], taken
        (photo,) = await kept(desk, lot)
        full = photo.file("full")
        assert (full.width, full.height) == (2_000, 1_500)


async def published(site: Site, desk: AtDesk, lot: str, page: Page) -> None:
    """A photo is added for good, by a click."""
    await desk.publish(await desk.sale(lot))
    await page.goto(f"{site.origin}/desk/lots/{lot}")
    await drop(page, later=a_photo("#775599", 900, 600))
    said = page.locator("#lot-photos [role=status]")
    await expect(said).to_have_text("One picture is chosen, not yet added.")
    await page.get_by_label("What they show").fill("The label")
    assert len(await kept(desk, lot)) == 3
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_text("Added after publishing, at")).to_be_visible()
    assert [photo.alt for photo in await kept(desk, lot)][-1] == "The label"
