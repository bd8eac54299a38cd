"""Staff record deposits and limits on pages; nobody else finds them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar

from accounts.identity import OrganisationKind, Role
from tests.accounts_site import Answer, Client
from tests.site import HOUR_US, SALE, Reseller, Site, a_pallet, open_site, usual_terms


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The whole house, with a sale that asks for a deposit."""
    async with open_site(database_url, tmp_path) as running:
        await running.open_sale([a_pallet("1", HOUR_US)], terms=usual_terms(deposit_minor=600_00))
        yield running


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield session


async def signed_in(site: Site, http: ClientSession, *roles: Role) -> Client:
    """A browser of staff."""
    staff = await site.people.member(OrganisationKind.HOUSE, *roles, mail="staff@example.com")
    secret, _ = await site.people.session(staff)
    client = Client(http, site.origin)
    client.cookies["__Host-session"] = secret
    return client


async def shown(client: Client, path: str, status: int = 200) -> str:
    answer = await client.get(path)
    assert answer.status == status, answer.text
    return answer.text


def path_of(reseller: Reseller) -> str:
    return f"/staff/deposits/{reseller.organisation_id}/{SALE}"


async def test_a_deposit_is_recorded_corrected_and_its_reseller_admitted(
    site: Site, http: ClientSession
) -> None:
    staff, hart = await signed_in(site, http, Role.SETTLEMENT), await site.reseller("Hart Resale")
    await site.register(hart)
    waiting = await shown(staff, "/staff/deposits?waiting=true")
    assert "Hart Resale" in waiting
    assert "Waits for it" in waiting
    path = path_of(hart)
    bad: Answer = await staff.post(path, {"amount": "six hundred", "reason": ""})
    assert bad.status == 422
    assert "Say how or why." in bad.text
    good = await staff.post(path, {"amount": "$600.00", "reason": "wire <4711>"})
    assert (good.status, good.location) == (303, path)
    key = (hart.organisation_id, SALE)
    await site.house.resellers.registrar.settle(key)
    page = await shown(staff, path)
    assert "bidder 101" in page
    assert "wire &lt;4711&gt;" in page
    deposit = await site.house.resellers.deposits.of(*key)
    correct = f"{path}/entries/{deposit.entries[0].entry_id}/correct"
    assert (await staff.post(correct, {"reason": "another's wire"})).status == 303
    again = await staff.post(correct, {"reason": "another's wire"})
    assert again.status == 409
    assert "corrected already" in again.text
    missing = await staff.post(f"{path}/entries/deposit-0/correct", {"reason": "x"})
    assert missing.status == 404
    assert "Taken back" in await shown(staff, path)


async def test_a_limit_is_set_on_the_page_and_taken_away(site: Site, http: ClientSession) -> None:
    staff, hart = await signed_in(site, http, Role.SETTLEMENT), await site.reseller("Hart Resale")
    path = f"{path_of(hart)}/limit"
    for typed, limit_minor in (("2,500", 2_500_00), ("0", 0), ("", None)):
        answer = await staff.post(path, {"limit": typed, "limit_reason": "known to us"})
        assert answer.status == 303
        limits = site.house.resellers.limits
        assert await limits.for_sale(hart.organisation_id, SALE) == limit_minor
    answer = await staff.post(path, {"limit": "much", "limit_reason": "known to us"})
    assert answer.status == 422


async def test_the_pages_are_for_staff_and_about_resellers(site: Site, http: ClientSession) -> None:
    staff, hart = await signed_in(site, http, Role.SETTLEMENT), await site.reseller("Hart Resale")
    secret, _ = await site.people.session(hart.person_id)
    reseller = Client(http, site.origin)
    reseller.cookies["__Host-session"] = secret
    await shown(reseller, "/staff/deposits", 403)
    assert (await reseller.post(path_of(hart), {"amount": "1", "reason": "x"})).status == 403
    assert (await Client(http, site.origin).get("/staff/deposits")).status == 303
    await shown(staff, f"/staff/deposits/reseller-0/{SALE}", 404)
    await shown(staff, f"/staff/deposits/{hart.organisation_id}/nowhere", 404)
