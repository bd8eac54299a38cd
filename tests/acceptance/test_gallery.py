"""The components of pages: whole on a desk and on a phone, by day and by night, for everybody."""

from collections.abc import AsyncIterator
from itertools import product

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.acceptance.gallery.rooms import PAGES, gallery
from tests.browser import DESKTOP, PHONE, Scheme, window

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """The gallery's address."""
    async with TestServer(gallery()) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.mark.parametrize("path", [*PAGES, "/missing", "/broken"])
async def test_a_page_has_no_grave_fault_and_fits_its_window(
    site: str, chromium: Browser, path: str
) -> None:
    for (size, viewport), scheme in product(SIZES.items(), SCHEMES):
        async with window(chromium, size=viewport, scheme=scheme) as opened:
            await opened.page.goto(site + path)
            assert await opened.grave_faults() == [], f"{size}, {scheme}"
            assert await opened.overflow_px() == 0, f"{size}, {scheme}"
            await opened.screenshot(f"{path.strip('/') or 'calendar'}-{size}-{scheme}")
            opened.complaints = [c for c in opened.complaints if "status of 500" not in c]
