"""Saved searches that find new lots: told once, when the sale is there for everybody."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bidder_gateway.notices.book import Book
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.lists import NoticesQuery, list_of
from bidder_gateway.notices.recipients import Teams
from bidder_gateway.notices.sources import SearchMatches
from bidder_gateway.notices.views import NoticeView
from bidder_gateway.saved_searches import SETTLED_AFTER_US
from tests import market as markets
from tests.market import Market, Reseller


@dataclass
class Searching:
    """A market whose time is moved past the moment in which new lots are looked at."""

    market: Market
    source: SearchMatches

    async def looks(self) -> None:
        self.market.clock.shift_us += SETTLED_AFTER_US + 1
        while await self.source.step():
            pass

    async def told(self, whose: Reseller) -> list[NoticeView]:
        listed = (await list_of(self.market.pool, whose.person_id, NoticesQuery())).items
        return [view for view in listed if view.kind is Kind.SEARCH_MATCHED]


@pytest.fixture
async def searching(database_url: str) -> AsyncIterator[Searching]:
    async with markets.market(database_url) as market:
        pool, now_us = market.pool, market.clock.now_us
        book = Book(Teams(pool), sms=False)
        yield Searching(market, SearchMatches(pool, book, now_us, now_us, lambda _: None))


async def save(whose: Reseller, name: str, query: str, *, alert: bool = True) -> str:
    asked = {"name": name, "wishes": {"q": query}, "alert": alert}
    return str((await whose.does("POST", "/searches", asked, status=201))["search_id"])


async def test_new_lots_that_a_search_finds_are_told_once(searching: Searching) -> None:
    market = searching.market
    hart, marlow = await market.reseller("Hart"), await market.reseller("Marlow")
    await market.opens("1", sale_id="S-1")
    await save(hart, "kitchen", "kitchen")
    await save(marlow, "quiet", "kitchen", alert=False)
    await searching.looks()
    assert await searching.told(hart) == []  # what was there before is not new
    await market.opens("1", "2", sale_id="S-2")
    for _ in range(2):
        await searching.looks()
    (view,) = await searching.told(hart)
    assert (view.title, view.text) == ("New lots match “kitchen”", "2 new lots in sale S-2.")
    assert await searching.told(marlow) == []


async def test_without_new_lots_no_search_is_looked_at(
    searching: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = searching.market
    hart = await market.reseller("Hart")
    await market.opens("1")
    await save(hart, "kitchen", "kitchen")
    await searching.looks()

    async def never(*_: object) -> None:
        raise AssertionError("a search is looked at")

    monkeypatch.setattr("bidder_gateway.notices.sources.next_alerts", never)
    await searching.looks()


async def test_a_crowd_of_searches_is_looked_at_in_steps(
    searching: Searching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidder_gateway.notices.sources.SEARCHES_AT_ONCE", 2)
    market = searching.market
    hart = await market.reseller("Hart")
    for number in range(5):
        await save(hart, f"kitchen {number}", "kitchen")
    await market.opens("1")
    await searching.looks()
    assert len(await searching.told(hart)) == 5
