"""What a reseller does in a browser, and how a test looks over their shoulder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, expect

from tests.browser import DESKTOP, Window, window
from tests.site import SALE, Reseller

# What a browser says about a line that a test has cut.
_CUT = ("WebSocket connection to", "Failed to load resource: net::ERR_")

# Beyond what anything here takes on a busy machine; only a failure waits so long.
WITHIN_MS = 15_000
expect.set_options(timeout=WITHIN_MS)


class Hands:
    """A window in which somebody is at work."""

    def __init__(self, opened: Window, origin: str) -> None:
        self.window, self.page, self.origin = opened, opened.page, origin

    async def sign_in(self, reseller: Reseller) -> None:
        """By the form, as everybody does."""
        await self.page.goto(f"{self.origin}/sign-in")
        await self.page.get_by_label("Mail address").fill(reseller.mail)
        await self.page.get_by_label("Password", exact=True).fill(reseller.password)
        await self.page.get_by_role("button", name="Sign in").click()
        await expect(self.page.get_by_text("Account menu")).to_be_attached()

    async def register(self, sale_id: str = SALE) -> None:
        """For the sale, by its page."""
        await self.page.goto(f"{self.origin}/sales/{sale_id}/register")
        await self.page.get_by_label("I accept the terms").check()
        await self.page.get_by_role("button", name="Register", exact=True).click()
        await expect(self.page.get_by_text("You are registered.")).to_be_visible()

    async def open_lot(self, lot: str = "1", sale_id: str = SALE) -> None:
        """The lot's page, once it is live. From here on it must not be loaded again."""
        await self.page.goto(f"{self.origin}/sales/{sale_id}/lots/{lot}")
        await self.live()
        await self.page.evaluate("window.sameDocument = true")

    async def open_board(self, query: str = "") -> None:
        """The sale's board, once it is live."""
        await self.page.goto(f"{self.origin}/sales/{SALE}{query}")
        await self.live()
        await self.page.evaluate("window.sameDocument = true")

    async def live(self) -> None:
        """Wait until the scripts follow the sale and know the server's clock."""
        await expect(self.page.locator("[role=timer]").first).to_be_attached()

    async def bid(self, amount: str) -> None:
        """Type and send; a second look is confirmed."""
        await (
            self.page.get_by_label("Your max bid")
            .or_(self.page.get_by_label("Raise your max bid"))
            .fill(amount)
        )
        await self.page.locator("form[data-live] button[type=submit]").click()
        careful = self.page.get_by_role("button", name="Yes, bid up to")
        if await careful.is_visible():
            await careful.click()

    @property
    def standing(self) -> Locator:
        """Where the viewer stands, in words."""
        return self.page.locator("#bid-box .standing")

    @property
    def price(self) -> Locator:
        """The current bid."""
        return self.page.locator("#bid-box .price.big")

    @property
    def outcome(self) -> Locator:
        """What came of the last bid."""
        return self.page.locator(".outcome")

    @property
    def banner(self) -> Locator:
        """What the page says of its line."""
        return self.page.locator("#connection")

    async def is_same_document(self) -> bool:
        """Whether the page was never loaded again."""
        return await self.page.evaluate("window.sameDocument === true") is True

    def forgive_cuts(self) -> None:
        """Complaints of the browser about lines that the test has cut are no faults."""
        complaints = self.window.complaints
        complaints[:] = [one for one in complaints if not one.startswith(_CUT)]


@asynccontextmanager
async def hands(browser: Browser, origin: str, **looks: object) -> AsyncIterator[Hands]:
    """Somebody new in a window of their own."""
    async with window(browser, **({"size": DESKTOP} | looks)) as opened:  # type: ignore[arg-type]
        yield Hands(opened, origin)
