"""Photos of lots over HTTP: uploads of all kinds, versions, files by digest, who sees them."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from auction.catalog.photo_worker import MAX_UPLOAD_BYTES
from tests.desk_market import Sellers, a_lot, a_published_sale, desk_market
from tests.market import Reseller
from tests.pictures import a_bomb, a_photo


@pytest.fixture
async def sellers(database_url: str) -> AsyncIterator[Sellers]:
    async with desk_market(database_url) as sellers:
        yield sellers


async def upload(
    by: Reseller, path: str, data: bytes | FormData, kind: str = "application/octet-stream"
) -> tuple[int, Any]:
    """What is answered to a file, or to a form."""
    headers = {**by.headers, "Origin": by.market.origin}
    if isinstance(data, bytes):
        headers["Content-Type"] = kind
    url = f"{by.market.origin}/api/v1{path}"
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    async with by.market.http.post(url, data=body, headers=headers) as answer:
        return answer.status, json.loads(await answer.read())


async def photos_path(by: Reseller) -> str:
    return f"/desk/lots/{(await a_lot(by))['draft_id']}/photos"


async def test_photos_are_uploaded_described_ordered_removed_and_brought_back(
    sellers: Sellers,
) -> None:
    by = sellers.seller
    path = await photos_path(by)
    status, made = await upload(by, f"{path}?alt=The%20front", a_photo())
    assert (status, made["version"]) == (201, 2)
    form = FormData()
    for name in ("back.jpg", "label.exe"):  # a name says nothing
        form.add_field("photo", a_photo("#ff0000"), filename=name, content_type="text/html")
    status, made = await upload(by, path, form)
    assert [photo["number"] for photo in made["items"]] == [1, 2, 3]
    described = await by.does("PATCH", f"{path}/2", {"alt": "The back"}, If_Match='"4"')
    ordered = await by.does("PUT", path, {"numbers": [2, 3, 1]}, If_Match='"5"')
    assert [photo["alt"] for photo in ordered["items"]] == ["The back", "", "The front"]
    stale = await by.does("DELETE", f"{path}/3", status=412, If_Match='"5"')
    assert (stale["code"], described["version"]) == ("CHANGED_MEANWHILE", 5)
    unsaid = await by.does("DELETE", f"{path}/3", status=428)
    assert unsaid["code"] == "PRECONDITION_REQUIRED"
    left = await by.does("DELETE", f"{path}/3", If_Match='"6"')
    assert [photo["number"] for photo in left["items"]] == [2, 1]
    back = await by.does("POST", f"{path}/3/bring-back")
    assert [photo["number"] for photo in back["items"]] == [2, 3, 1]
    assert await by.get(path) == back
    await by.does("PATCH", f"{path}/x", {"alt": ""}, status=404, If_Match='"8"')


HOSTILE = {
    "nothing": (b"", 422, "not a JPEG"),
    "a script": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "not a JPEG"),
    "a document": (b"%PDF-1.7\n%%EOF", 422, "not a JPEG"),
    "a bomb": (a_bomb(40_000, 40_000), 422, "60 million pixels"),
    "cut short": (a_photo()[:500], 422, "not a JPEG"),
    "20 MiB and a byte": (a_photo() + bytes(MAX_UPLOAD_BYTES), 422, "20 MiB"),
    "far more": (bytes(MAX_UPLOAD_BYTES + 2**17), 413, "bytes are taken"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_photo_is_refused_with_its_reason_and_nothing_is_kept(
    sellers: Sellers, name: str
) -> None:
    data, expected, reason = HOSTILE[name]
    path = await photos_path(sellers.seller)
    status, told = await upload(sellers.seller, path, data)
    assert (status, reason in told["detail"]) == (expected, True), told
    if len(data) < MAX_UPLOAD_BYTES:
        form = FormData()
        form.add_field("photo", a_photo(), filename="good.jpg")
        form.add_field("photo", data, filename="bad.jpg")
        status, told = await upload(sellers.seller, path, form)
        assert (status, told["place"]) == (422, "/photo/1"), told
    assert (await sellers.seller.get(path)) == {"version": 1, "items": []}
    assert await sellers.market.pool.fetchval("select count(*) from picture") == 0
    assert (await upload(sellers.seller, path, a_photo()))[0] == 201, "the next one is taken"


async def test_a_form_without_a_picture_and_other_bodies_are_refused(sellers: Sellers) -> None:
    path = await photos_path(sellers.seller)
    empty = FormData()
    empty.add_field("photo", b"", filename="")
    status, told = await upload(sellers.seller, path, empty)
    assert (status, told["detail"]) == (422, "Choose a picture.")
    status, told = await upload(sellers.seller, path, a_photo(), "image/jpeg")
    assert (status, told["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_file_is_for_who_may_see_the_draft_and_stays_as_it_is(sellers: Sellers) -> None:
    by, market = sellers.seller, sellers.market
    path = await photos_path(by)
    _, made = await upload(by, path, a_photo())
    other = await photos_path(sellers.rival)
    await upload(sellers.rival, other, a_photo("#ff0000"))
    href = made["items"][0]["files"][0]["href"].removeprefix("/api/v1")
    async with market.http.get(f"{market.origin}/api/v1{href}", headers=by.headers) as answer:
        picture = Image.open(io.BytesIO(await answer.read()))
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Cache-Control"].startswith("private")
        tag = answer.headers["ETag"]
    assert (picture.size, dict(picture.getexif())) == ((400, 300), {})
    assert (await by.send("GET", href, If_None_Match=tag))[0] == 304
    assert (await sellers.staff.send("GET", href))[0] == 200
    missing = "/desk/lots/nobodys-1/photo-files/" + href.rsplit("/", 1)[1]
    answers = [await sellers.rival.send("GET", one) for one in (href, missing)]
    assert answers[0] == answers[1] and answers[0][0] == 404
    digest = href.rsplit("/", 1)[1]
    # Not through a lot of one's own either.
    own = other.replace("/photos", f"/photo-files/{digest}")
    assert (await sellers.rival.send("GET", own))[0] == 404
    assert (await market.guest.send("GET", href))[0] == 401
    assert (await market.guest.send("GET", f"/photos/{digest}"))[0] == 404, "not published"


async def test_staff_upload_nothing(sellers: Sellers) -> None:
    path = await photos_path(sellers.seller)
    status, told = await upload(sellers.staff, path, a_photo())
    assert (status, told["code"]) == (403, "FORBIDDEN")


async def test_bidders_see_which_photos_were_added_after_publishing(sellers: Sellers) -> None:
    by, market = sellers.seller, sellers.market
    sale_id = await a_published_sale(sellers)
    lots = await by.get(f"/desk/sales/{sale_id}/lots")
    path = f"/desk/lots/{lots['items'][0]['draft_id']}/photos"
    seen = await market.guest.get(f"/sales/{sale_id}/lots/1")
    assert seen["photos"] == []
    before_us = market.clock.now_us()
    status, made = await upload(by, f"{path}?alt=Its%20back", a_photo())
    assert (status, made["items"][0]["added_later"]) == (201, True)
    seen = await market.guest.get(f"/sales/{sale_id}/lots/1")
    [photo] = seen["photos"]
    assert photo["alt"] == "Its back"
    assert before_us <= photo["added_at_us"] <= market.clock.now_us()
    assert seen["photo"] == photo
    href = photo["files"][0]["href"].removeprefix("/api/v1")
    assert (await market.guest.send("GET", href))[0] == 200
    refused = await by.does("DELETE", f"{path}/1", status=409, If_Match='"2"')
    assert refused["code"] == "PUBLISHED_ALREADY"
    await market.closes(sale_id)
    status, told = await upload(by, path, a_photo())
    assert (status, told["code"]) == (409, "NOT_NOW")


async def test_a_rival_is_answered_as_if_there_were_no_photos(sellers: Sellers) -> None:
    path = await photos_path(sellers.seller)
    await upload(sellers.seller, path, a_photo())
    before = await sellers.seller.get(path)
    asked: list[tuple[str, str, object]] = [
        ("GET", "", None),
        ("POST", "", None),
        ("PUT", "", {"numbers": [1]}),
        ("PATCH", "/1", {"alt": "Mine"}),
        ("DELETE", "/1", None),
        ("POST", "/1/bring-back", None),
    ]
    for method, more, body in asked:
        answers = [
            await sellers.rival.send(method, f"{one}{more}", body, If_Match='"2"')
            for one in (path, "/desk/lots/nobodys-1/photos")
        ]
        assert answers[0] == answers[1], (method, more)
        assert answers[0][0] == 404, (method, more, answers[0])
    assert await sellers.seller.get(path) == before
