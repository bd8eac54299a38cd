"""The pages of accounts in Chromium: a reseller signs up and is approved; every page is whole."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser

from accounts import applications, certificates, documents, invitations, own_account, second_factor
from accounts.approval_states import CertificateState
from accounts.audit import Actor
from accounts.documents import DocumentKind
from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId
from accounts.secret import Secret
from tests.accounts import HART, NOON_US, PASSWORD, House, house
from tests.accounts_site import Site, site_of
from tests.browser import DESKTOP, PHONE, Window, window
from tests.unit.test_account_rules import PDF, PNG

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM, ADA = "kim@example.com", "ada@example.com"


@pytest.fixture
async def home(database_url: str) -> AsyncIterator[House]:
    """An empty room."""
    async with house(database_url) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> AsyncIterator[Site]:
    """The room's site."""
    async with site_of(home) as running:
        yield running


async def sign_in(opened: Window, site: Site, mail: str, password: str = PASSWORD) -> None:
    """Through the page; the first page, which comes next, is another room's."""
    opened.expects("status of 404")
    await opened.page.goto(site.origin + "/sign-in")
    await opened.page.fill("#field-mail", mail)
    await opened.page.fill("#field-password", password)
    await opened.page.click("main button[type=submit]")


async def test_a_reseller_signs_up_and_is_approved_by_staff(
    home: House, site: Site, chromium: Browser, tmp_path: Path
) -> None:
    home.clock.now_us = NOON_US
    scan = tmp_path / "certificate <b>.pdf"
    scan.write_bytes(PDF)
    await home.member(HOUSE, mail=ADA)
    async with window(chromium, size=PHONE, zone="America/Chicago") as opened:
        page = opened.page
        await page.goto(site.origin + "/sign-up")
        await page.fill("#field-organisation", "Hart <script>alert(1)</script> Resale")
        await page.fill("#field-name", "Kim O'Hart")
        await page.fill("#field-mail", KIM)
        await page.click("main button[type=submit]")
        await page.get_by_role("heading", name="Look into your mailbox").wait_for()
        await page.goto(site.origin + home.post.link(KIM))
        assert await page.input_value("#field-time_zone") == "America/Chicago"
        await page.fill("#field-password", PASSWORD)
        await page.click("main button[type=submit]")
        await page.get_by_role("heading", name="Approval", exact=True).wait_for()
        for name, value in (
            ("legal_name", "Hart Resale LLC"),
            ("street", "1 Main Street"),
            ("city", "Joliet"),
            ("postal_code", "60431"),
            ("phone", "312 555 0100"),
            ("business", "Returned tools, on two marketplaces and in a shop."),
        ):
            await page.fill(f"#field-{name}", value)
        await page.select_option("#field-region", "IL")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("Add a certificate").click()
        await page.select_option("#field-certificate_state", "IL")
        await page.fill("#field-number", "IL-1234-5678")
        await page.fill("#field-expires_on", "2027-06-30")
        await page.set_input_files("#field-certificate", scan)
        await page.get_by_role("button", name="Add the certificate").click()
        await page.get_by_text("our staff will look at it").wait_for()
        await page.get_by_role("button", name="Send for approval").click()
        await page.get_by_text("We have your application").wait_for()

    async with window(chromium) as opened:
        page = opened.page
        await sign_in(opened, site, ADA)
        await page.goto(site.origin + "/staff/applications")
        await page.get_by_role("heading", name="Set up a second factor").wait_for()
        await page.get_by_text("I cannot scan it").click()
        secret = await page.locator("code.key").inner_text()
        await page.fill("#field-code", second_factor.code_at(secret, home.clock()))
        await page.fill("#field-password", PASSWORD)
        await page.get_by_role("button", name="Set up").click()
        assert await page.locator(".codes code").count() == 10
        await page.goto(site.origin + "/staff/applications")
        await page.get_by_role("link", name="Hart <script>").click()
        async with page.expect_popup() as popped:
            await page.get_by_role("link", name="look at it").click()
        await (await popped.value).close()
        await page.get_by_text("Decide", exact=True).first.click()
        await page.get_by_role("button", name="Accept").click()
        await page.get_by_text("The certificate is accepted").wait_for()
        await page.check("input[value=APPROVED]")
        await page.fill("#field-limit", "25,000")
        await page.get_by_role("button", name="Decide").click()
        await page.get_by_text("Resale: approved.").wait_for()

    async with window(chromium, size=PHONE) as opened:
        await sign_in(opened, site, KIM)
        await opened.page.goto(site.origin + "/account/approval")
        await opened.page.get_by_text("$25,000.00").wait_for()
    assert [letter.subject for letter in home.post.to(KIM)][-1] == "You are approved"


class Scene:
    """A house in which every page has something to show."""

    def __init__(self, home: House) -> None:
        self.home = home

    async def make(self) -> None:
        home, room = self.home, self.home.room
        self.reseller = await home.organisation(RESELLER, "Hart Resale and Sons of Joliet")
        kim = await home.person(self.reseller, Role.ADMIN, Role.BIDDER, mail=KIM)
        self.ann = await home.person(
            self.reseller,
            Role.BIDDER,
            mail="ann.long-name@purchasing.example.com",
            name="Ann-Sophie Featherstonehaugh",
            ceiling_minor=2_500_00,
        )
        self.kim_secret, self.kim = await home.session(kim)
        await home.session(kim)
        ada = await home.member(HOUSE, mail=ADA)
        self.ada_secret, self.ada = await home.session(ada)
        by, staff = _actor(self.kim), _actor(self.ada)
        await applications.edit_profile(room, self.reseller, HART, by)
        self.certificate = await certificates.add(
            room,
            self.reseller,
            region="IL",
            number="IL-1234-5678",
            expires_on=date(2026, 12, 10),
            file_name="Illinois resale certificate 2026.pdf",
            data=PDF,
            actor=by,
        )
        await documents.upload(
            room, self.reseller, DocumentKind.BUSINESS_LICENCE, "licence.png", PNG, by
        )
        await applications.submit(room, self.reseller, by)
        await certificates.decide(
            room,
            self.reseller,
            self.certificate,
            CertificateState.ACCEPTED,
            reasons="",
            actor=staff,
        )
        await invitations.invite(
            room, self.reseller, "new@example.com", frozenset({Role.BIDDER}), None, by
        )
        await own_account.make_own_token(
            room, self.kim, "Price watcher", frozenset({Scope.READ, Scope.BID}), 90, by
        )
        self.factor_secret = (await second_factor.begin(room, ada)).secret


def _actor(identity: Identity) -> Actor:
    return Actor(identity.person_id, "192.0.2.1")


@pytest.fixture
async def scene(home: House) -> Scene:
    """The house, furnished."""
    made = Scene(home)
    await made.make()
    return made


def pages_of_everybody(scene: Scene) -> list[str]:
    invitation = scene.home.post.link("new@example.com")
    return ["/sign-in", "/sign-up", "/reset", "/reset/spent", invitation]


def pages_of_a_reseller(reseller: OrganisationId, ann: str) -> list[str]:
    return [
        "/account",
        "/account/password",
        "/account/mail",
        "/account/mail/whatever",
        "/account/second-factor",
        "/account/sessions",
        "/account/tokens",
        "/account/approval",
        f"/teams/{reseller}",
        f"/teams/{reseller}/people/{ann}",
        f"/teams/{reseller}/audit",
    ]


def pages_of_staff(reseller: OrganisationId) -> list[str]:
    return [
        "/staff/applications",
        "/staff/applications?state=APPROVED",
        "/staff/certificates",
        f"/staff/applications/{reseller}",
        "/staff/organisations",
        "/staff/organisations/new",
        "/staff/audit",
    ]


async def look_at(opened: Window, site: Site, path: str, name: str) -> None:
    opened.expects("status of 410")
    answer = await opened.page.goto(site.origin + path)
    assert answer is not None
    assert answer.status in {200, 410}, path
    assert await opened.grave_faults() == [], f"{path} ({name})"
    assert await opened.overflow_px() == 0, f"{path} ({name})"
    shown = path.strip("/").replace("/", "-").replace("?", "-")
    await opened.screenshot(f"accounts-{shown}-{name}")


@pytest.mark.parametrize("size", ["desktop", "phone"])
async def test_every_page_has_no_grave_fault_and_fits_its_window(
    scene: Scene, site: Site, chromium: Browser, size: str
) -> None:
    viewport = {"desktop": DESKTOP, "phone": PHONE}[size]
    ways: list[tuple[Secret | None, list[str]]] = [
        (None, pages_of_everybody(scene)),
        (scene.kim_secret, pages_of_a_reseller(scene.reseller, scene.ann)),
        (scene.ada_secret, pages_of_staff(scene.reseller)),
    ]
    for secret, paths in ways:
        async with window(chromium, size=viewport, scheme="light") as opened:
            if secret is not None:
                await keep_cookie(opened, site, secret)
            for path in paths:
                await look_at(opened, site, path, size)


async def test_what_is_shown_after_a_form_is_whole_too(
    scene: Scene, site: Site, chromium: Browser
) -> None:
    async with window(chromium, size=PHONE, scheme="dark") as opened:
        page = opened.page
        opened.expects("status of 422")
        await sign_in(opened, site, KIM, "wrong, and so refused")
        assert await page.locator(".error-summary").is_visible()
        assert await opened.grave_faults() == []
        await opened.screenshot("accounts-sign-in-refused-phone-dark")
        await keep_cookie(opened, site, scene.kim_secret)
        await page.goto(site.origin + "/account/tokens")
        await page.fill("#field-name", "Another")
        await page.check("input[value=bid]")
        await page.get_by_role("button", name="Make the token").click()
        assert (await page.locator("code.key").inner_text()).startswith("sc_")
        assert await opened.grave_faults() == []
        assert await opened.overflow_px() == 0
        await opened.screenshot("accounts-new-token-phone-dark")
        await page.goto(f"{site.origin}/teams/{scene.reseller}/people/{scene.ann}")
        await page.get_by_role("button", name="Remove from the team").click()
        assert await page.get_by_role("dialog").is_visible()
        assert await opened.grave_faults() == []
        await opened.screenshot("accounts-remove-phone-dark")
        await page.get_by_role("button", name="Remove", exact=True).click()
        await page.get_by_text("has left the team").wait_for()


async def keep_cookie(opened: Window, site: Site, secret: Secret) -> None:
    """As if this browser had signed in."""
    await opened.page.context.add_cookies(
        [
            {
                "name": "__Host-session",
                "value": secret,
                "url": site.origin.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )
