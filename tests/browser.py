"""Chromium for tests of pages: what a person sees, what screen readers meet, what went wrong.

The fixture ``chromium`` is in conftest. Without Chromium such a test is skipped, and says what to
install; with CI=true it fails instead.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}

Scheme = Literal["light", "dark"]

ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",  # it does not start as root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Pictures of the pages that tests look at are kept there, when somebody wants to see them.
SCREENSHOTS: Final = "SOFTCLOSE_TEST_SCREENSHOTS"

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# What passes is not told, and style sheets are not fetched once more.
_RUN_AXE = "axe.run({resultTypes: ['violations'], preload: false})"
_GRAVE = frozenset({"serious", "critical"})


def chromium_path() -> str:
    """Where Chromium is; skips the test without one, or fails it where nothing may be skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing = "needs Chromium: as root, run apt-get install chromium fonts-dejavu-core"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """A browser for the block; a second in all, so that each test has its own."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


class Window:
    """A page of a browser of its own (own cookies), and everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self._expects: tuple[str, ...] = ()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def expects(self, *parts: str) -> None:
        """From now on what the browser says with one of these parts is no complaint."""
        self._expects += parts

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            known = any(part in message.text for part in self._expects)
            (self.expected if known else self.complaints).append(message.text)

    async def grave_faults(self) -> list[str]:
        """What axe-core finds serious or critical, each with the elements that have it."""
        if not await self.page.evaluate("typeof axe !== 'undefined'"):
            await self.page.evaluate(_AXE.read_text())
        found: dict[str, Any] = await self.page.evaluate(_RUN_AXE)
        return [
            f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']]}"
            for fault in found["violations"]
            if fault["impact"] in _GRAVE
        ]

    async def overflow_px(self) -> int:
        """How far the page is wider than its window; people hate to scroll sideways."""
        wider: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    async def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page, if somebody asked for pictures."""
        if folder := os.environ.get(SCREENSHOTS):
            Path(folder).mkdir(parents=True, exist_ok=True)
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@asynccontextmanager
async def window(
    browser: Browser, *, size: ViewportSize = DESKTOP, scheme: Scheme = "light", zone: str = "UTC"
) -> AsyncIterator[Window]:
    """A window without cookies; at the end of the block nothing may have gone wrong in it."""
    context = await browser.new_context(
        viewport=size,
        color_scheme=scheme,
        timezone_id=zone,
        locale="en-US",
        has_touch=size["width"] < 600,
        reduced_motion="reduce",
    )
    try:
        opened = Window(await context.new_page())
        yield opened
        assert opened.complaints == []
    finally:
        await context.close()
