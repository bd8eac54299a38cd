"""Questions and messages in Chromium: a reseller asks, the seller answers, open pages show it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from auction.catalog.questions import HideReason
from auction.ids import LotId, SaleId
from tests.acceptance.desk.test_from_stock_to_sale import sit_down
from tests.acceptance.resellers.hands import Hands, hands
from tests.acceptance.resellers.test_looks import look
from tests.browser import PHONE
from tests.seller_site import AtDesk, at_desk, until_found
from tests.site import Reseller, Site, open_site

# What a watcher waits for a message at most.
WITHIN_MS = 10_000
# An answer, also where no notice says that it came.
ANSWER_WITHIN_MS = 25_000


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole site."""
    async with open_site(database_url, tmp_path) as running:
        yield running


async def a_sale(site: Site, desk: AtDesk) -> SaleId:
    """A published sale of one lot, that everybody finds."""
    sale_id = await desk.sale(await desk.lot(), title="Kitchen returns")
    await desk.publish(sale_id)
    await until_found(site, sale_id)
    return sale_id


async def watch(visitor: Hands, path: str) -> Page:
    """Open a page, which must not be loaded again from here on."""
    await visitor.page.goto(f"{visitor.origin}{path}")
    await visitor.page.evaluate("window.sameDocument = true")
    return visitor.page


async def test_a_question_is_asked_answered_and_read_on_open_pages(
    site: Site, chromium: Browser
) -> None:
    desk = await at_desk(site)
    lot = f"/sales/{await a_sale(site, desk)}/lots/1"
    kestrel, wren = await site.reseller("Kestrel Resale"), await site.reseller("Wren Goods")
    async with AsyncExitStack() as windows:
        kim, eve, dana = [
            await windows.enter_async_context(hands(chromium, site.origin)) for _ in range(3)
        ]
        await kim.sign_in(kestrel)
        await eve.sign_in(wren)
        await kim.page.goto(f"{site.origin}{lot}")
        await kim.page.get_by_label("Ask the seller").fill("Are the boxes sealed?")
        await kim.page.get_by_role("button", name="Ask in public").click()
        await expect(kim.page.get_by_text("Your question is asked.")).to_be_visible()
        asker, reader = await watch(kim, lot), await watch(eve, lot)
        await reader.get_by_label("Ask the seller").fill("And how m")

        seller = await sit_down(dana, desk)
        await seller.get_by_role("link", name="Answer it").click()
        await expect(seller.get_by_text("Are the boxes sealed?").first).to_be_visible()
        await expect(seller.get_by_text("Kestrel")).to_have_count(0)
        await seller.get_by_label("Answer in public").fill("All but two of them.")
        await seller.get_by_role("button", name="Answer", exact=True).click()
        await expect(seller.get_by_text("The answer stands in public.")).to_be_visible()

        for page, yours in ((asker, 1), (reader, 0)):
            answers = page.locator("#questions")
            said = answers.get_by_text("All but two of them.")
            await expect(said).to_be_visible(timeout=ANSWER_WITHIN_MS)
            await expect(answers.get_by_text("You asked")).to_have_count(yours)
            news = page.locator("#questions-news")
            await expect(news).to_have_text("A question about this lot is answered.")
        await expect(asker.locator("#toasts")).to_contain_text("Your question about")
        await expect(reader.get_by_text("Kestrel")).to_have_count(0)
        typed = reader.get_by_label("Ask the seller")
        await expect(typed).to_have_value("And how m")
        assert await kim.is_same_document()
        assert await eve.is_same_document()


async def test_a_message_of_the_seller_is_on_open_pages_and_said_once(
    site: Site, chromium: Browser
) -> None:
    desk = await at_desk(site)
    sale_id = await a_sale(site, desk)
    async with AsyncExitStack() as windows:
        dana, eve, phone = [
            await windows.enter_async_context(hands(chromium, site.origin, **more))
            for more in ({}, {}, {"size": PHONE})
        ]
        board = await watch(eve, f"/sales/{sale_id}")
        lot = await watch(phone, f"/sales/{sale_id}/lots/1")
        await expect(board.locator("#messages")).to_be_hidden()
        seller = await sit_down(dana, desk)
        await seller.goto(f"{site.origin}/desk/sales/{sale_id}/live")
        for text in ("The dock closes at four.", "It opens again at seven."):
            await seller.get_by_role("textbox", name="Message").fill(text)
            await seller.get_by_role("button", name="Say it").click()
            await expect(seller.get_by_text("Everybody who watches is told.")).to_be_visible()
            for page in (board, lot):
                shown = page.locator("#messages").get_by_text(text)
                await expect(shown).to_be_visible(timeout=WITHIN_MS)
                said = page.locator("#toasts .toast").filter(has_text=text)
                await expect(said).to_have_count(1)
        assert await eve.is_same_document()
        assert await phone.is_same_document()


@pytest.mark.timeout(300)
async def test_questions_and_messages_have_no_serious_fault(site: Site, chromium: Browser) -> None:
    desk = await at_desk(site)
    sale_id = await a_sale(site, desk)
    kestrel = await site.reseller("Kestrel Resale")
    _, identity = await site.people.session(kestrel.person_id)
    ids = []
    for text in ("Are the boxes sealed?", "W" * 200, "Call 555 0100", "How old is the stock?"):
        asked = await site.house.resellers.questions.ask(identity, sale_id, LotId("1"), text)
        ids.append(asked.question_id)
    for version, text in enumerate(("All of them.", "All but two of them."), start=1):
        await desk.room.questions.answer(desk.seller, ids[0], version, text)
    await desk.room.questions.hide(desk.seller, ids[2], 1, HideReason.CONTACT_DETAILS)
    for text in ("The dock closes at four.", "It opens again at seven."):
        await desk.room.running.say(desk.seller, sale_id, text)
    public, own = f"/sales/{sale_id}", "/desk/questions"
    visits = {
        "lot-asked": f"{public}/lots/1",
        "questions": f"{public}/lots/1/questions",
        "board-said": public,
        "messages": f"{public}/messages",
    }
    desk_visits = {
        "desk-asked": "/desk",
        "desk-questions": own,
        "desk-questions-hidden": f"{own}?state=HIDDEN",
        "desk-questions-answered": f"{own}?state=ANSWERED&sale={sale_id}",
        "desk-question": f"{own}/{ids[0]}",
        "desk-question-hidden": f"{own}/{ids[2]}",
    }
    faults: list[str] = []
    seller = Reseller(desk.organisation_id, desk.person_id, desk.mail)
    for who, pages in ((kestrel, visits), (seller, desk_visits)):
        async with hands(chromium, site.origin, zone="America/New_York") as visitor:
            await visitor.sign_in(who)
            for name, path in pages.items():
                faults += await look(visitor, name, path)
    assert faults == [], "\n".join(faults)
