"""Photos: what is taken in, what comes out, and what a hostile picture can do."""

import asyncio
import io
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from auction.catalog import photos
from auction.catalog.listings import AlreadyPublished, NotReady, publish_lots
from auction.catalog.photo_worker import MAX_UPLOAD_BYTES, PhotoFile
from auction.catalog.photos import (
    MAX_PHOTOS,
    MAX_WAITING,
    BadPhoto,
    PhotoWorker,
    TooManyPhotos,
    add_photo,
    photos_of,
    read_photo,
)
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection, connect
from tests.catalogue import PUBLISHED_US, a_described_lot, list_lots
from tests.pictures import a_bomb
from tests.waiting import until

S1, ONE = SaleId("S-1"), LotId("1")
MARKER = b"Planted: 41.5250 N 88.0817 W"


@pytest.fixture
async def worker() -> AsyncIterator[PhotoWorker]:
    worker = PhotoWorker()
    yield worker
    await worker.close()


def a_picture(width: int = 1_600, height: int = 1_200, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue."""
    picture = Image.new("RGB", (width, height), "#0000c0")
    picture.paste("#c00000", (0, 0, width // 2, height))
    return picture.convert(mode)


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def decoded(file: PhotoFile) -> Image.Image:
    return Image.open(io.BytesIO(file.data))


async def test_a_picture_becomes_three_sizes_in_two_formats(worker: PhotoWorker) -> None:
    files = await worker.resize(encoded(a_picture(3_000, 2_000)))
    assert {(file.size, file.media_type, file.width, file.height) for file in files} == {
        (size, media_type, width, height)
        for size, width, height in (
            ("full", 2_000, 1_333),
            ("page", 1_000, 667),
            ("tile", 400, 267),
        )
        for media_type in ("image/webp", "image/jpeg")
    }
    for file in files:
        picture = decoded(file)
        assert picture.size == (file.width, file.height)
        assert picture.format == file.media_type.rpartition("/")[2].upper()
        assert picture.getpixel((5, 5))[0] > 150  # type: ignore[index]


async def test_a_small_picture_is_not_blown_up(worker: PhotoWorker) -> None:
    files = await worker.resize(encoded(a_picture(300, 200), "PNG"))
    assert {(file.width, file.height) for file in files} == {(300, 200)}


@pytest.mark.parametrize("with_profile", [False, True])
@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
async def test_nothing_of_an_upload_is_left_but_its_pixels(
    worker: PhotoWorker, form: str, with_profile: bool
) -> None:
    exif = Image.Exif()
    exif[0x010E] = MARKER.decode()
    exif.get_ifd(0x8825)[2] = (41.0, 31.0, 30.0)
    said = PngInfo()
    said.add_text("comment", MARKER.decode())
    options: dict[str, Any] = {"exif": exif.tobytes(), "comment": MARKER, "pnginfo": said}
    if with_profile:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        options["icc_profile"] = profile.tobytes()
    upload = encoded(a_picture(), form, **options) + MARKER
    assert upload.count(MARKER) == (2 if form == "WEBP" else 3)
    for file in await worker.resize(upload):
        picture = decoded(file)
        assert MARKER not in file.data
        assert not picture.getexif()
        assert not {"exif", "icc_profile", "comment", "xmp"} & picture.info.keys()


async def test_a_camera_that_was_turned_is_turned_back(worker: PhotoWorker) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right: red is up then
    files = await worker.resize(encoded(a_picture(), exif=exif.tobytes()))
    full = next(decoded(file) for file in files if file.size == "full")
    assert full.size == (1_200, 1_600)
    assert full.getpixel((600, 100))[0] > 150  # type: ignore[index]
    assert full.getpixel((600, 1_500))[2] > 150  # type: ignore[index]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "LA"])
async def test_pictures_of_every_kind_become_plain_colours(worker: PhotoWorker, mode: str) -> None:
    picture = a_picture(400, 300, mode)
    form = "JPEG" if mode == "CMYK" else "PNG"
    for file in await worker.resize(encoded(picture, form)):
        assert decoded(file).mode == "RGB"


async def test_what_is_transparent_becomes_white(worker: PhotoWorker) -> None:
    files = await worker.resize(encoded(Image.new("RGBA", (300, 300), (255, 0, 0, 0)), "PNG"))
    pixel = decoded(files[0]).getpixel((9, 9))
    assert isinstance(pixel, tuple) and min(pixel) > 250


HOSTILE = {
    "nothing": (b"", "not a JPEG"),
    "text": (b"GET / HTTP/1.1\r\n" * 50, "not a JPEG"),
    "html that claims to be a picture": (b"\xff\xd8\xff<script>" * 9, "not a JPEG"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG"),
    "a gif": (encoded(a_picture(300, 300), "GIF"), "not a JPEG"),
    "a tiff": (encoded(a_picture(300, 300), "TIFF"), "not a JPEG"),
    "cut short": (encoded(a_picture())[:2_000], "not a JPEG"),
    "a png cut short": (encoded(a_picture(), "PNG")[:-3_000], "not a JPEG"),
    "too small": (encoded(a_picture(199, 900)), "less than 200 pixels"),
    "a bomb": (a_bomb(40_000, 40_000), "60 million pixels"),
    "a smaller bomb": (a_bomb(10_000, 10_000), "60 million pixels"),
    "a thin one": (a_bomb(500_000, 8), "less than 200"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_picture_is_refused_and_the_next_one_is_taken(
    worker: PhotoWorker, name: str
) -> None:
    upload, says = HOSTILE[name]
    with pytest.raises(BadPhoto, match=says):
        await worker.resize(upload)
    assert len(await worker.resize(encoded(a_picture(300, 300)))) == 6


async def test_damaged_pictures_end_nothing(worker: PhotoWorker) -> None:
    rng, good = random.Random(7), encoded(a_picture(400, 300), "WEBP")
    for _ in range(40):
        damaged = bytearray(good)
        for _ in range(rng.randrange(1, 9)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with suppress(BadPhoto):
            await worker.resize(bytes(damaged))
    assert len(await worker.resize(good)) == 6


async def test_an_upload_that_is_too_large_is_not_even_handed_over(worker: PhotoWorker) -> None:
    with pytest.raises(BadPhoto, match="20 MiB"):
        await worker.resize(bytes(MAX_UPLOAD_BYTES + 1))
    assert worker._child is None


async def test_a_picture_that_takes_too_long_is_given_up_with_its_child(
    worker: PhotoWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "PATIENCE_S", 0.0)
    with pytest.raises(BadPhoto, match="could not be decoded"):
        await worker.resize(encoded(a_picture()))
    monkeypatch.undo()
    assert len(await worker.resize(encoded(a_picture(300, 300)))) == 6


async def test_a_child_that_dies_is_replaced(worker: PhotoWorker) -> None:
    await worker.resize(encoded(a_picture(300, 300)))
    child = worker._child
    assert child is not None
    os.kill(child.pid, 9)
    await child.wait()
    assert len(await worker.resize(encoded(a_picture(300, 300)))) == 6
    assert worker._child is not child


async def test_an_answer_that_nobody_waits_for_is_not_the_next_ones(worker: PhotoWorker) -> None:
    asking = asyncio.create_task(worker.resize(encoded(a_picture(2_000, 2_000))))
    await until(lambda: worker._child is not None)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    files = await worker.resize(encoded(a_picture(300, 200)))
    assert {(file.width, file.height) for file in files} == {(300, 200)}


async def test_too_many_uploads_are_told_to_come_back(worker: PhotoWorker) -> None:
    picture = encoded(a_picture(300, 300))
    asked = [worker.resize(picture) for _ in range(MAX_WAITING + 3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers].count(TooManyPhotos) == 3
    assert [type(answer) for answer in answers].count(list) == MAX_WAITING


async def test_the_child_knows_nothing_of_the_parents_settings(
    worker: PhotoWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTCLOSE_DATABASE_URL", "postgresql://secret")
    await worker.resize(encoded(a_picture(300, 300)))
    assert worker._child is not None
    with open(f"/proc/{worker._child.pid}/environ", "rb") as environ:  # noqa: ASYNC230, PTH123
        assert b"secret" not in environ.read()


# The tables


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AnyConnection]:
    connection = await connect(database_url, name="tests")
    yield connection
    await connection.close()


def some_files(number: int) -> list[PhotoFile]:
    return [
        PhotoFile(size, media_type, edge, edge, f"{size} {media_type} {number}".encode())
        for size, edge in (("full", 900), ("page", 600), ("tile", 300))
        for media_type in ("image/webp", "image/jpeg")
    ]


async def test_photos_are_read_as_they_were_stored_and_found_by_their_digest(
    connection: AnyConnection,
) -> None:
    await list_lots(connection, a_described_lot(), publish=False)
    for number in (1, 2):
        async with connection.transaction():
            alt = f"view {number} of a pallet"
            assert await add_photo(connection, S1, ONE, alt, some_files(number)) == number
    digest = sha256(b"tile image/webp 2").digest()
    assert await read_photo(connection, digest) is None, "a draft's"
    await publish_lots(connection, S1, [ONE], PUBLISHED_US)
    assert await read_photo(connection, digest) == ("image/webp", b"tile image/webp 2")
    assert await read_photo(connection, bytes(32)) is None
    stored = await photos_of(connection, S1, [ONE, LotId("2")])
    assert list(stored) == [ONE]
    first, second = stored[ONE]
    assert (first.number, first.alt) == (1, "view 1 of a pallet")
    assert second.file("tile").sha256 == digest
    assert second.file("full", "image/jpeg").width == 900
    assert [file.width for file in first.files] == [300, 300, 600, 600, 900, 900]


async def test_a_lot_has_so_many_photos_and_a_published_one_no_more(
    connection: AnyConnection,
) -> None:
    await list_lots(connection, a_described_lot(), publish=False)
    for number in range(MAX_PHOTOS):
        await add_photo(connection, S1, ONE, "a view", some_files(number))
    with pytest.raises(TooManyPhotos):
        async with connection.transaction():
            await add_photo(connection, S1, ONE, "one more", some_files(99))
    with pytest.raises(NotReady):
        await add_photo(connection, S1, LotId("9"), "a view", some_files(1))
    await publish_lots(connection, S1, [ONE], PUBLISHED_US)
    with pytest.raises(AlreadyPublished):
        async with connection.transaction():
            await add_photo(connection, S1, ONE, "a nicer view", some_files(98))
    assert len((await photos_of(connection, S1, [ONE]))[ONE]) == MAX_PHOTOS
