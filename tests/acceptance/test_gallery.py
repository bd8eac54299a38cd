"""The components of pages: whole on a desk and on a phone, by day and by night, for everybody."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Request, expect

from tests.acceptance.gallery.rooms import PAGES, gallery
from tests.browser import DESKTOP, PHONE, Scheme, Window, window

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

TOUCH_PX = 44


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """The gallery's address."""
    async with TestServer(gallery()) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def desk(site: str, chromium: Browser) -> AsyncIterator[Window]:
    """A window on a desk, on the gallery's first page."""
    async with window(chromium) as opened:
        await opened.page.goto(site)
        yield opened


async def look_at(opened: Window, name: str) -> None:
    """On a desk and on a phone, by day and by night."""
    for (size, viewport), scheme in product(SIZES.items(), SCHEMES):
        await opened.page.set_viewport_size(viewport)
        await opened.page.emulate_media(color_scheme=scheme)
        assert await opened.grave_faults() == [], f"{size}, {scheme}"
        assert await opened.overflow_px() == 0, f"{size}, {scheme}"
        await opened.screenshot(f"{name}-{size}-{scheme}")


@pytest.mark.parametrize("path", [*PAGES, "/missing", "/broken"])
async def test_a_page_has_no_grave_fault_and_fits_its_window(
    site: str, chromium: Browser, path: str
) -> None:
    async with window(chromium) as opened:
        opened.expects("status of 404", "status of 500")
        await opened.page.goto(site + path)
        await look_at(opened, path.strip("/") or "calendar")


async def test_a_form_that_came_back_has_no_grave_fault(site: str, chromium: Browser) -> None:
    async with window(chromium) as opened:
        opened.expects("status of 422")
        await opened.page.goto(f"{site}/apply")
        await opened.page.get_by_role("button", name="Send for approval").click()
        await expect(opened.page.get_by_role("alert")).to_be_focused()
        await look_at(opened, "apply-refused")


async def test_the_check_finds_faults_that_are_there(desk: Window) -> None:
    await desk.page.evaluate(
        """() => {
            document.querySelector("main").innerHTML =
                "<button type='button'></button><img src='/x.png'><input>";
        }"""
    )
    desk.expects("status of 404")
    found = " ".join(await desk.grave_faults())
    for fault in ("button-name", "image-alt", "label"):
        assert fault in found


@pytest.mark.parametrize("path", PAGES)
async def test_what_is_touched_is_large_enough(site: str, chromium: Browser, path: str) -> None:
    async with window(chromium, size=PHONE) as opened:
        await opened.page.goto(site + path)
        small = await opened.page.evaluate(
            """(least) => [...document.querySelectorAll(
                "button, .button, select, textarea, summary, .main-nav a, .tabs a, .chips a, " +
                ".menu li > a, label.choice, input:not([type=checkbox], [type=radio])"
            )].filter((element) => {
                const box = element.getBoundingClientRect();
                return box.width && (box.height < least - 0.5 || box.width < least - 0.5);
            }).map((element) => element.outerHTML.slice(0, 120))""",
            TOUCH_PX,
        )
        assert small == []


# --- the Content-Security-Policy -------------------------------------------------------------


async def test_live_parts_work_under_the_policy_of_the_house(site: str, desk: Window) -> None:
    page = desk.page
    await page.goto(f"{site}/live")
    await expect(page.locator("#price")).to_have_text("$615")
    await page.get_by_role("button", name="Raise").click()
    await expect(page.locator("#price")).to_have_text("$640")
    await expect(page.locator("#escaped")).to_have_text("<b>text stays text</b>")
    await expect(page).to_have_title("640 · Live")
    drawn = await page.evaluate(
        "document.querySelector('#raise .icon use').getBoundingClientRect().width"
    )
    assert drawn > 5  # the icon came from the sprite


async def test_inline_script_and_style_do_not_run(desk: Window) -> None:
    desk.expects("Content Security Policy", "Refused to")
    ran = await desk.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const styled = document.createElement("p");
            styled.setAttribute("style", "color: rgb(1, 2, 3)");
            document.body.append(styled);
            const handler = document.createElement("button");
            handler.setAttribute("onclick", "window.ran = true");
            document.body.append(handler);
            handler.click();
            return [window.ran, getComputedStyle(styled).color === "rgb(1, 2, 3)"];
        }"""
    )
    assert ran == [None, False]
    assert len(desk.expected) >= 3


# --- the keyboard and screen readers ---------------------------------------------------------


async def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(desk: Window) -> None:
    page = desk.page
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()


async def test_what_has_the_focus_is_seen(desk: Window) -> None:
    page = desk.page
    for _ in range(8):
        await page.keyboard.press("Tab")
        outline = await page.evaluate(
            """() => {
                const style = getComputedStyle(document.activeElement);
                return [style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        assert outline[0] == "solid"
        assert outline[1] >= 3


async def test_a_dialog_takes_the_focus_and_gives_it_back(site: str, desk: Window) -> None:
    page = desk.page
    await page.goto(f"{site}/sale")
    opener = page.get_by_role("button", name="Terms")
    dialog = page.get_by_role("dialog", name="Terms of this sale")
    await opener.click()
    await expect(dialog).to_be_visible()
    assert await dialog.evaluate("(element) => element.contains(document.activeElement)")
    assert await desk.grave_faults() == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(opener).to_be_focused()
    await opener.click()
    await page.get_by_role("button", name="I agree").click()
    await expect(dialog).to_be_hidden()
    await opener.click()
    await page.mouse.click(5, 5)
    await expect(dialog).to_be_hidden()


async def test_the_account_menu_closes_on_escape_and_elsewhere(desk: Window) -> None:
    page = desk.page
    menu = page.locator("details.menu")
    out = page.get_by_role("button", name="Sign out")
    await menu.locator("summary").click()
    await expect(out).to_be_visible()
    assert await desk.grave_faults() == []
    await page.keyboard.press("Escape")
    await expect(out).to_be_hidden()
    await expect(menu.locator("summary")).to_be_focused()
    await menu.locator("summary").click()
    await page.get_by_role("heading", name="Open now").click()
    await expect(out).to_be_hidden()


async def test_the_navigation_says_where_we_are(site: str, desk: Window) -> None:
    current = desk.page.get_by_role("navigation", name="Main").locator("[aria-current]")
    await expect(current).to_have_text("Sales")
    await desk.page.goto(f"{site}/bids")
    await expect(current).to_have_text("My bids")


async def test_on_a_phone_the_present_entry_of_the_navigation_is_in_view(
    site: str, chromium: Browser
) -> None:
    async with window(chromium, size=PHONE) as opened:
        await opened.page.goto(f"{site}/parts")
        current = opened.page.get_by_role("navigation", name="Main").locator("[aria-current]")
        await expect(current).to_have_text("Parts")
        await expect(current).to_be_in_viewport(ratio=1)


async def test_a_table_stays_a_table_for_screen_readers_on_a_phone(
    site: str, chromium: Browser
) -> None:
    async with window(chromium, size=PHONE) as opened:
        await opened.page.goto(f"{site}/bids")
        table = opened.page.get_by_role("table")
        await expect(table.get_by_role("row")).to_have_count(4)
        await expect(table.get_by_role("columnheader", name="Standing")).to_have_count(1)
        await expect(table.get_by_role("cell", name="Outbid")).to_have_count(1)


# --- forms -----------------------------------------------------------------------------------


async def test_messages_of_a_form_lead_to_their_fields(site: str, desk: Window) -> None:
    page = desk.page
    desk.expects("status of 422")
    await page.goto(f"{site}/apply")
    await page.get_by_label("Mail address").fill("nobody")
    await page.get_by_role("button", name="Send for approval").click()
    await page.get_by_role("link", name="Mail: Enter a mail address.").click()
    mail = page.get_by_label("Mail address")
    await expect(mail).to_be_focused()
    await expect(mail).to_have_value("nobody")
    await expect(mail).to_have_accessible_description("Enter a mail address.")
    await expect(mail).to_have_attribute("aria-invalid", "true")
    name = page.get_by_label("Legal name of the business")
    await expect(name).to_have_accessible_description(
        "As it stands on the certificate. Fill this in."
    )


async def test_a_form_is_sent_once_however_often_it_is_clicked(site: str, desk: Window) -> None:
    page = desk.page
    sent: list[str] = []
    answered = asyncio.Event()

    async def hold(route: object, request: Request) -> None:
        sent.append(request.method)
        await answered.wait()
        await route.abort()  # type: ignore[attr-defined]

    await page.goto(f"{site}/sign-in")
    await page.route("**/sign-in", hold)
    await page.get_by_label("Mail address").fill("ann@example.com")
    await page.get_by_label("Password").fill("x")
    # Not by the mouse: playwright would wait for the page that never comes.
    busy = await page.evaluate(
        """() => {
            const button = document.querySelector("main button[type=submit]");
            for (let click = 0; click < 3; click++) button.click();
            return button.getAttribute("aria-busy");
        }"""
    )
    assert busy == "true"
    desk.expects("net::ERR_FAILED")
    async with page.expect_event("requestfailed"):
        answered.set()
    assert sent == ["POST"]


async def test_a_good_form_leads_on_with_a_message_that_is_gone_the_next_time(
    site: str, desk: Window
) -> None:
    """So our ``__Host-`` cookies, which are Secure, work on http://127.0.0.1 too."""
    page = desk.page
    await page.goto(f"{site}/apply")
    await page.get_by_label("Legal name of the business").fill("Whitfield & Co")
    await page.get_by_label("Mail address").fill("dana@example.com")
    await page.get_by_label("Limit that you ask for").fill("5000")
    await page.get_by_label("I may act for this business").check()
    await page.get_by_role("button", name="Send for approval").click()
    await expect(page).to_have_url(f"{site}/bids")
    message = page.get_by_role("status").filter(has_text="We have it, Whitfield & Co.")
    await expect(message).to_be_visible()
    await page.reload()
    await expect(message).to_have_count(0)


# --- time, messages, motion ------------------------------------------------------------------


async def test_moments_are_shown_in_the_viewers_zone_and_told_in_utc(
    site: str, chromium: Browser
) -> None:
    async with window(chromium, zone="America/Chicago") as opened:
        await opened.page.goto(f"{site}/lot")
        moment = opened.page.locator(".ladder time").first
        await expect(moment).to_have_text("Nov 21, 10:40 PM")
        await expect(moment).to_have_attribute("title", "2026-11-22 04:40:00 UTC")


async def test_a_lost_connection_is_told_and_then_that_it_is_back(site: str, desk: Window) -> None:
    page = desk.page
    await page.clock.install()
    await page.goto(f"{site}/live")
    banner = page.locator("#connection")
    await expect(banner).to_be_hidden()
    await page.get_by_role("button", name="Have it back").click()
    await expect(banner).to_be_hidden()  # nothing was lost, so there is nothing to tell
    await page.get_by_role("button", name="Lose the connection").click()
    await expect(banner).to_contain_text("Connection lost")
    await expect(banner).to_have_role("status")
    assert await desk.grave_faults() == []
    await desk.screenshot("connection-lost")
    await page.get_by_role("button", name="Have it back").click()
    await expect(banner).to_contain_text("Connected again")
    await page.clock.run_for(3_000)
    await expect(banner).to_be_hidden()


async def test_a_toast_is_read_out_leads_on_and_can_be_closed(site: str, desk: Window) -> None:
    page = desk.page
    await page.goto(f"{site}/live")
    for _ in range(5):
        await page.get_by_role("button", name="Be outbid").click()
    region = page.get_by_role("region", name="Messages")
    await expect(region).to_have_attribute("aria-live", "polite")
    await expect(region.locator(".toast")).to_have_count(3)  # never a wall of them
    await desk.screenshot("toasts")
    assert await desk.grave_faults() == []
    await region.get_by_role("button", name="Close this message").first.click()
    await expect(region.locator(".toast")).to_have_count(2)
    await region.get_by_role("link", name="Bid again").first.click()
    await expect(page).to_have_url(f"{site}/lot")


async def test_nothing_moves_for_those_who_asked_for_that(site: str, desk: Window) -> None:
    page = desk.page
    await page.goto(f"{site}/live")
    for motion, animation in (("reduce", "none"), ("no-preference", "rise")):
        await page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
        await page.get_by_role("button", name="Be outbid").click()
        name = await page.evaluate(
            "getComputedStyle(document.querySelector('.toast:last-child')).animationName"
        )
        assert name == animation


async def test_with_colours_of_the_viewers_own_badges_and_bars_keep_an_edge(
    site: str, desk: Window
) -> None:
    await desk.page.emulate_media(forced_colors="active")
    await desk.page.goto(f"{site}/sale")
    edges = await desk.page.evaluate(
        """[...document.querySelectorAll(".badge, .standing, .tile")].map(
            (element) => getComputedStyle(element).borderTopWidth)"""
    )
    assert set(edges) == {"1px"}
    await desk.screenshot("sale-forced-colours")
