"""The resellers' pages over HTTP: forms and their refusals, and what no page holds."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, DummyCookieJar

from accounts.identity import OrganisationKind, Role
from accounts.permissions import Access, may
from auction.commands import AcceptIfBid, AdmitBidders, CounterIfBid, DismissBidders
from auction.ids import LotId
from auction.terms import SaleAudience
from bidder_gateway.pages.mount import routes
from bidder_gateway.pages.room import PagesRoom
from bidder_gateway.sales import Sales
from bidder_gateway.sight import Onlooker
from foundation.database import transaction
from tests.accounts_site import Answer, Client
from tests.builders import STAFF_MEMBER
from tests.catalogue import a_sale
from tests.site import (
    HOUR_US,
    SALE,
    Reseller,
    Site,
    a_pallet,
    now_us,
    open_site,
    usual_terms,
)
from tests.waiting import until

HOUR = HOUR_US
Fields = dict[str, str | list[str]]
SALE_PATH = f"/sales/{SALE}"
LOT_PATH = f"{SALE_PATH}/lots/1"


@dataclass
class Visitors:
    """Browsers at a site."""

    site: Site
    http: ClientSession

    @property
    def guest(self) -> Client:
        return Client(self.http, self.site.origin)

    async def of(self, reseller: Reseller) -> Client:
        """A browser in which the reseller's person is signed in."""
        secret, _ = await self.site.people.session(reseller.person_id)
        client = self.guest
        client.cookies["__Host-session"] = secret
        return client


@asynccontextmanager
async def visitors(database_url: str, folder: Path) -> AsyncIterator[Visitors]:
    async with (
        open_site(database_url, folder) as site,
        ClientSession(cookie_jar=DummyCookieJar()) as http,
    ):
        yield Visitors(site, http)


def words(answer: Answer) -> str:
    """What a person reads of a page."""
    plain = re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", plain)).split())


def hidden(answer: Answer, name: str) -> str:
    """What a form of the page holds in a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found, f"no field {name}"
    return unescape(found[1])


def acceptance(page: Answer, **more: str | list[str]) -> Fields:
    """The form of registering, filled in."""
    version, digest = hidden(page, "terms_version"), hidden(page, "terms_sha256")
    return {"terms_version": version, "terms_sha256": digest, "accept": "on", **more}


NOTHING: list[object] = [None] * 5
PLACES = {"sale_id": SALE, "lot_id": "1", "search_id": "search-none", "organisation_id": "org-none"}


async def test_every_page_answers_everybody_as_the_table_of_permissions_says(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site, kinds = all_of.site, OrganisationKind
        await site.open_sale([a_pallet("1", HOUR)], terms=usual_terms())
        people = [
            await site.people.session(
                await site.people.member(kind, role, mail=f"{role}@{kind}.com".lower())
            )
            for kind, role in (
                (kinds.RESELLER, Role.BIDDER),
                (kinds.RESELLER, Role.ADMIN),
                (kinds.LIQUIDATOR, Role.LIQUIDATOR),
                (kinds.HOUSE, Role.SETTLEMENT),
            )
        ]
        for route in routes(PagesRoom(*NOTHING)):  # type: ignore[arg-type]
            assert isinstance(route.access, Access)
            action = route.access.action
            path = re.sub(r"\{(\w+)\}", lambda match: PLACES.get(match[1], "none"), route.path)
            answer = await all_of.guest.send(route.method, path, {}, {"Origin": site.origin})
            away = answer.status == 303 and answer.location.startswith("/sign-in")
            assert away is not may(None, action), (path, answer.status)
            for secret, identity in people:
                client = all_of.guest
                client.cookies["__Host-session"] = secret
                answer = await client.send(route.method, path, {}, {"Origin": site.origin})
                assert (answer.status == 403) is not may(identity, action), (path, identity)
                assert answer.status < 500, (path, answer.text)


async def test_a_sale_that_is_not_published_is_one_that_does_not_exist(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale(
            [a_pallet("1", HOUR)], terms=usual_terms(), audience=SaleAudience.INVITE
        )
        client = await all_of.of(await site.reseller("Kestrel"))
        for tail in ("", "/terms", "/register", "/budgets", "/lots/1", "/lots/1/manifest"):
            foreign = await client.get(f"{SALE_PATH}{tail}")
            missing = await client.get(f"/sales/none{tail}")
            assert (foreign.status, missing.status) == (404, 404), tail
            assert strip(foreign) == strip(missing), tail


async def test_an_invited_reseller_finds_the_sale_until_it_is_dismissed(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale(
            [a_pallet("1", HOUR)], terms=usual_terms(), audience=SaleAudience.INVITE
        )
        kestrel, wren = await site.reseller("Kestrel"), await site.reseller("Wren")
        chosen: dict[str, Any] = {
            "sale_id": SALE,
            "bidder_ids": (kestrel.bidder_id,),
            "actor_id": STAFF_MEMBER,
        }
        await site.submit(AdmitBidders(**chosen))
        sales, who = site.house.resellers.sales, Onlooker(kestrel.bidder_id)
        await until_seen(sales, who, seen=True)
        invited, other = await all_of.of(kestrel), await all_of.of(wren)
        assert "By invitation" in (await invited.get("/sales")).text
        assert "By invitation" in (await invited.get(SALE_PATH)).text
        for client in (other, all_of.guest):
            assert "By invitation" not in (await client.get("/sales")).text
            assert (await client.get(SALE_PATH)).status == 404
        assert (await invited.get(LOT_PATH)).status == 200
        await site.admit(kestrel)
        await site.bid(kestrel.bidder_id, 300_00)
        await site.submit(DismissBidders(**chosen))
        await until_seen(sales, who, seen=False)
        assert (await invited.get(SALE_PATH)).status == 404
        for mine in ("/bids", "/bids?state=ended", "/won", "/watchlist", "/sales"):
            assert (await invited.get(mine)).status == 200, mine


async def until_seen(sales: Sales, who: Onlooker, *, seen: bool) -> None:
    """Until the tables have it."""
    async with asyncio.timeout(10):
        while (await sales.sale(SALE, who) is not None) is not seen:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def strip(answer: Answer) -> str:
    """A page without what names the request itself."""
    return re.sub(r'href="/sign-in[^"]*"', "", answer.text)


async def test_hostile_text_is_text_on_every_page(database_url: str, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        lot = a_pallet("1", HOUR, title=evil, description=evil, category=evil, source=evil[:60])
        sale = a_sale(SALE, title=evil, summary=evil, terms_in_words=evil, liquidator_name=evil)
        await site.open_sale([lot], sale=sale, terms=usual_terms())
        kestrel = await site.reseller("Kestrel")
        await site.register(kestrel)
        client = await all_of.of(kestrel)
        await client.post(f"{LOT_PATH}/watch", {"watched": "yes"})
        search = {"name": evil[:60], "q": evil[:100], "alert": "on"}
        assert (await client.post("/searches", search)).status == 303
        pages = ["/sales", SALE_PATH, f"{SALE_PATH}/terms", f"{SALE_PATH}/register", LOT_PATH]
        pages += [f"{SALE_PATH}/budgets", "/watchlist", "/searches", "/notices", "/search?q=x"]
        pages += [f"{SALE_PATH}?q={evil}", f"/search?q={evil}", f"{LOT_PATH}/manifest?q={evil}"]
        for path in pages:
            answer = await client.get(path)
            assert answer.status == 200, path
            assert "<script>alert" not in answer.text, path
            assert "onerror=alert(2)>" not in answer.text.replace("&gt;", ""), path
            assert "<img src=x" not in answer.text, path
            for data in re.findall(r'id="page-data">(.*?)</script>', answer.text, re.DOTALL):
                json.loads(data)


async def test_no_page_of_one_reseller_holds_what_is_anothers(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        lots = [a_pallet("1", HOUR, reserve_minor=987_65_00), a_pallet("2", HOUR)]
        await site.open_sale(lots, terms=usual_terms())
        kestrel, marlow = await site.reseller("Kestrel"), await site.reseller("Marlow Markers")
        await site.register(kestrel)
        await site.register(marlow)
        await site.bid(kestrel.bidder_id, 200_00, "2")
        await site.bid(marlow.bidder_id, 876_54_00, "2")
        client, theirs = await all_of.of(kestrel), await all_of.of(marlow)
        budget = {"name": "marlows-own", "kind": "ALL_IN", "amount": "76543"}
        assert (await theirs.post(f"{SALE_PATH}/budgets", budget)).status == 303
        paths = ["/sales", SALE_PATH, LOT_PATH, f"{SALE_PATH}/lots/2", f"{SALE_PATH}/register"]
        paths += [f"{SALE_PATH}/budgets", "/bids", "/won", "/watchlist", "/searches", "/notices"]
        markers = [marlow.bidder_id, marlow.person_id, "marlow", "8765400", "9876500", "7654300"]
        for path in paths:
            text = (await client.get(path)).text.lower()
            found = [marker for marker in markers if marker in text]
            assert found == [], path
        own = (await theirs.get(f"{SALE_PATH}/budgets")).text
        assert "marlows-own" in own, "the markers are such as could be seen"


async def test_registering_by_the_page(database_url: str, tmp_path: Path) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        lots = [a_pallet("1", HOUR), a_pallet("2", HOUR, restrictions=("no-marketplaces",))]
        await site.open_sale(lots, terms=usual_terms())
        client = await all_of.of(await site.reseller("Kestrel"))
        path = f"{SALE_PATH}/register"
        page = await client.get(path)
        assert "Not to be sold on online marketplaces" in words(page)
        refused = await client.post(path, acceptance(page) | {"accept": ""})
        assert refused.status == 422
        assert "Accept the terms to register" in words(refused)
        other = await client.post(path, acceptance(page) | {"terms_sha256": "0" * 64})
        assert other.status == 422
        assert "The terms of this sale have changed" in words(other)
        done = await client.post(path, acceptance(page))
        assert (done.status, done.location) == (303, SALE_PATH)
        assert "Your bidder number is 101" in words(await client.get(SALE_PATH))
        lot = await client.get(f"{SALE_PATH}/lots/2")
        assert "restrictions that you have not accepted" in words(lot)
        more = acceptance(await client.get(path), restrictions=["no-marketplaces"])
        assert (await client.post(path, more)).status == 303
        assert "Your max bid" in words(await client.get(f"{SALE_PATH}/lots/2"))


async def test_what_is_missing_to_register_is_said_with_the_way_to_it(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        terms = usual_terms(deposit_minor=600_00, certificate_required=True)
        await site.open_sale([a_pallet("1", HOUR)], terms=terms)
        path = f"{SALE_PATH}/register"
        newcomer = await all_of.of(await site.reseller("Newcomer", approved=False))
        assert "not approved yet" in words(await newcomer.get(path))
        kestrel = await site.reseller("Kestrel")
        client = await all_of.of(kestrel)
        page = await client.get(path)
        assert "a resale certificate and the deposit" in words(page)
        again = await client.post(path, acceptance(page))
        assert (again.status, again.location) == (303, path)
        await until_said(client, path, "A resale certificate is needed")
        async with transaction(site.pool) as connection:
            expires = date.today() + timedelta(days=300)  # noqa: DTZ011 - any far day
            await connection.execute(_CERTIFICATE, kestrel.organisation_id, expires, now_us())
        await client.post(path, acceptance(await client.get(path)))
        await until_said(client, path, "A deposit of $600 is needed")


_CERTIFICATE = """
insert into resale_certificate (certificate_id, organisation_id, region, number, expires_on, state,
    created_at_us)
values ('certificate-1', $1, 'TX', '1', $2, 'ACCEPTED', $3)
"""


async def test_budgets_are_added_kept_and_taken_away(database_url: str, tmp_path: Path) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale([a_pallet("1", HOUR), a_pallet("2", HOUR)], terms=usual_terms())
        kestrel = await site.reseller("Kestrel")
        client, path = await all_of.of(kestrel), f"{SALE_PATH}/budgets"
        assert "Register first" in words(await client.get(path))
        await site.register(kestrel)
        for fields, said in (
            ({"name": "tonight", "kind": "ALL_IN", "amount": "lots"}, "in digits"),
            ({"name": "tonight", "kind": "LOT_COUNT"}, "Enter how many lots"),
            ({"name": "", "kind": "ALL_IN", "amount": "5"}, "Give it a name"),
            ({"name": "tonight", "kind": "ODD", "amount": "5"}, "Choose one of the two"),
        ):
            refused = await client.post(path, fields)
            assert refused.status == 422, fields
            assert said in words(refused), fields
        tonight = {"name": "tonight", "kind": "ALL_IN", "amount": "$ 4,000"}
        assert (await client.post(path, tonight)).status == 303
        one: Fields = {
            "name": "one of two",
            "kind": "LOT_COUNT",
            "at_most": "1",
            "lots": ["1", "2"],
        }
        assert (await client.post(path, one)).status == 303
        assert (await client.post(path, one)).status == 422, "a name tells budgets apart"
        await site.bid(kestrel.bidder_id, 200_00, "1")
        page = words(await client.get(path))
        assert "$4,000 all-in, led or won, of the whole sale" in page
        assert "1 of 1 lot led or won, of lots 1, 2" in page
        verdict = await site.bid(kestrel.bidder_id, 200_00, "2")
        assert verdict.code == "BUDGET_EXCEEDED"
        assert (await client.post(f"{path}/remove", {"name": "one of two"})).status == 303
        assert "one of two" not in words(await client.get(path))


async def test_searches_are_kept_told_of_and_removed(database_url: str, tmp_path: Path) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale([a_pallet("1", HOUR)], terms=usual_terms())
        client = await all_of.of(await site.reseller("Kestrel"))
        stranger = await all_of.of(await site.reseller("Dockside"))
        assert "Kitchen appliances" in words(await client.get("/search?q=kitchen&max_price=500"))
        assert "No lot fits" in words(await client.get("/search?q=kitchen&max_price=50"))
        assert "in digits" in words(await client.get("/search?max_price=cheap"))
        form: Fields = {
            "name": "kitchens",
            "q": "kitchen",
            "max_price": "500",
            "condition": ["USED_FAIR"],
        }
        assert "Give the search a name" in words(
            await client.post("/searches", form | {"name": ""})
        )
        assert (await client.post("/searches", form | {"alert": "on"})).status == 303
        page = await client.get("/searches")
        assert "“kitchen”, Used, fair, next bid up to $500" in words(page)
        search_id = re.findall(r"/searches/([^/]+)/alert", page.text)[0]
        opened = await client.get(f"/searches/{search_id}")
        assert opened.location == "/search?q=kitchen&condition=USED_FAIR&max_price=500"
        for tail in ("", "/alert", "/remove"):
            method = "POST" if tail else "GET"
            headers = {"Origin": site.origin}
            foreign = await stranger.send(method, f"/searches/{search_id}{tail}", {}, headers)
            assert foreign.status == 404, tail
        assert (await client.post(f"/searches/{search_id}/alert")).status == 303
        assert 'aria-pressed="false"' in (await client.get("/searches")).text
        assert (await client.post(f"/searches/{search_id}/remove")).status == 303
        assert "No searches kept" in words(await client.get("/searches"))


async def test_freight_is_quoted_into_the_cost_at_the_door(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale([a_pallet("1", HOUR)], terms=usual_terms())
        kestrel = await site.reseller("Kestrel")
        await site.register(kestrel)
        client = await all_of.of(kestrel)
        assert "All in, at the dock" in words(await client.get(LOT_PATH))
        wrong = await client.post(f"{LOT_PATH}/freight", {"postal_code": "1234"})
        assert "five digits" in words(await client.get(wrong.location))
        asked = {"postal_code": "75201", "liftgate": "on"}
        quoted = await client.post(f"{LOT_PATH}/freight", asked)
        assert quoted.status == 303
        path = quoted.location.partition("#")[0]
        page = words(await client.get(path))
        assert "At your door" in page
        assert "Sales tax (TX 6.25 %)" in page
        stranger = await all_of.of(await site.reseller("Dockside"))
        assert "At your door" not in words(await stranger.get(path)), "a quote is its bidder's own"


async def test_a_counter_offer_is_answered_by_its_form(database_url: str, tmp_path: Path) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        terms = usual_terms(soft_close=None, if_bid_us=24 * HOUR)
        lots = [a_pallet(lot, 3_000_000, reserve_minor=900_00) for lot in ("1", "2")]
        await site.open_sale(lots, terms=terms)
        kestrel = await site.reseller("Kestrel")
        await site.register(kestrel)
        client = await all_of.of(kestrel)
        for lot in ("1", "2"):
            await site.bid(kestrel.bidder_id, 500_00, lot)
        await site.until_left("1", 0)
        feed = await site.house.gateway.hub.feed(SALE)
        assert feed is not None
        await until(lambda: all(lot.status == "IF_BID" for lot in feed.sale.lots.values()))
        assert "stands until" in words(await client.get(LOT_PATH))
        for lot in ("1", "2"):
            command = CounterIfBid(
                sale_id=SALE, lot_id=LotId(lot), amount_minor=800_00, actor_id=STAFF_MEMBER
            )
            await site.submit(command)
        await until_said(client, LOT_PATH, "The seller asks you for $800.")
        await until_said(client, f"{SALE_PATH}/lots/2", "The seller asks you for $800.")
        assert (await client.post(f"{LOT_PATH}/counter", {"answer": "maybe"})).status == 303
        assert (await client.post(f"{LOT_PATH}/counter", {"answer": "accept"})).status == 303
        await until_said(client, LOT_PATH, "You won for $800.")
        declined = await client.post(f"{SALE_PATH}/lots/2/counter", {"answer": "decline"})
        assert declined.status == 303
        again = await client.post(f"{SALE_PATH}/lots/2/counter", {"answer": "accept"})
        assert "was not taken" in words(await client.get(again.location))
        await site.submit(AcceptIfBid(sale_id=SALE, lot_id=LotId("2"), actor_id=STAFF_MEMBER))
        await until_said(client, f"{SALE_PATH}/lots/2", "You won for $500.")
        await until_said(client, "/won", "Pay by")


async def until_said(client: Client, path: str, text: str) -> None:
    """Tables trail the log by moments: ask for the page until it says so."""
    for _ in range(200):
        if text in (said := words(await client.get(path))):
            return
    raise AssertionError(f"{path} never said {text!r}: {said}")


async def test_notices_are_read_and_wishes_kept(database_url: str, tmp_path: Path) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale([a_pallet("1", HOUR)], terms=usual_terms())
        kestrel, dockside = await site.reseller("Kestrel"), await site.reseller("Dockside")
        await site.register(kestrel)
        await site.register(dockside)
        client = await all_of.of(kestrel)
        await client.post(f"{LOT_PATH}/watch", {"watched": "yes"})
        await site.bid(kestrel.bidder_id, 200_00)
        await site.bid(dockside.bidder_id, 300_00)
        await until_said(client, "/notices", "Outbid on Kitchen appliances")
        page = await client.get("/notices")
        assert f"{LOT_PATH}?bid=" in page.text
        asked = await client.get(f"{LOT_PATH}?bid=22000")
        assert 'value="220"' in asked.text, "what a link asks about stands in the field"
        read = {"until_us": hidden(page, "until_us")}
        assert (await client.post("/notices/read", read)).status == 303
        assert "You have read everything" in words(await client.get("/notices"))
        wishes: Fields = {
            "wanted": ["OUTBID PAGE", "OUTBID MAIL"],
            "quiet": "on",
            "quiet_from": "21:30",
            "quiet_until": "06:00",
            "closing_soon_minutes": "30",
        }
        assert (await client.post("/notices/preferences", wishes)).status == 303
        kept = (await client.get("/notices/preferences")).text
        assert 'value="OUTBID MAIL" checked' in kept
        assert 'value="OUTBID PUSH" checked' not in kept
        assert 'value="21:30"' in kept
        odd = wishes | {"closing_soon_minutes": "7"}
        answer = await client.post("/notices/preferences", odd)
        assert "could not be kept" in words(await client.get(answer.location))


async def test_a_form_that_is_not_ours_is_refused_and_an_odd_address_is_not(
    database_url: str, tmp_path: Path
) -> None:
    async with visitors(database_url, tmp_path) as all_of:
        site = all_of.site
        await site.open_sale([a_pallet("1", HOUR)], terms=usual_terms())
        kestrel = await site.reseller("Kestrel")
        await site.register(kestrel)
        client = await all_of.of(kestrel)
        foreign = {"Origin": "https://evil.example"}
        for path in (f"{LOT_PATH}/bid", f"{LOT_PATH}/bid/confirmed", f"{SALE_PATH}/register"):
            answer = await client.send("POST", path, {"amount": "500"}, foreign)
            assert answer.status == 403, path
        odd = [
            "/sales?cursor=odd&state=x&q=%00",
            f"{SALE_PATH}?show=odd&sort=odd&q=%00&category=%00",
        ]
        odd += [f"{LOT_PATH}?bid=-5", f"{LOT_PATH}?bid=9" + "9" * 40, f"{LOT_PATH}?quote=%00odd"]
        odd += [f"{LOT_PATH}/manifest?order=odd&by=odd&lines=odd&cursor=odd&condition=odd"]
        odd += ["/bids?state=ended&cursor=odd", "/won?cursor=odd", "/notices?cursor=odd"]
        odd += ["/search?condition=odd&kind=odd&cursor=odd&region=%00"]
        for path in odd:
            assert (await client.get(path)).status == 200, path
        bad = {"amount_minor": "-5", "bid_id": "odd"}
        assert (await client.post(f"{LOT_PATH}/bid/confirmed", bad)).status == 303
