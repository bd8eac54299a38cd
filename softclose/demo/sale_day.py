"""Sale after sale at the pace of life; simulated resellers bid over WebSockets until each ends.

The announcer is a client like any other, without a login: what it tells on the terminal is what
any visitor of the page sees.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp

from auction.ids import BidderId, SaleId
from bidder_gateway.client import Frame, LiveClient
from softclose.demo.bidding import Desk, RefusalListener
from softclose.demo.catalogue import CURRENCY, Catalogue
from softclose.demo.resellers import Reseller, resellers
from softclose.demo.saleroom import Message, PublicLot, Saleroom

PublicListener = Callable[[Message, Sequence[PublicLot]], None]


@dataclass
class Course:
    """How a sale goes."""

    saleroom: Saleroom = field(default_factory=Saleroom)
    desks: list[Desk] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Bids that were accepted, as their bidders were told."""
        return sum(desk.accepted for desk in self.desks)


async def hold(
    url: str,
    catalogue: Catalogue,
    tokens: Mapping[BidderId, str],
    seed: int,
    course: Course,
    on_public: PublicListener,
    on_refusal: RefusalListener,
) -> None:
    """Have the resellers of this seed bid in a scheduled sale until it has closed.

    ``url``: of the live endpoint. ``tokens``: the API token of each registered reseller.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        announcer = LiveClient(url, http=http, name="announcer")
        await stack.enter_async_context(announcer.running())
        for reseller in resellers(catalogue, seed):
            client = _client(url, http, reseller, tokens[reseller.bidder_id])
            await stack.enter_async_context(client.running())
            course.desks.append(Desk(reseller, client, catalogue.sale_id, CURRENCY, on_refusal))
        async with asyncio.TaskGroup() as tasks:
            for desk in course.desks:
                tasks.create_task(desk.run(), name=desk.reseller.name)
            await _announce(announcer, catalogue.sale_id, course.saleroom, on_public)


def _client(url: str, http: aiohttp.ClientSession, reseller: Reseller, token: str) -> LiveClient:
    async def login() -> Frame:
        return {"token": token}

    return LiveClient(url, login, http=http, name=reseller.bidder_id)


async def _announce(
    announcer: LiveClient, sale_id: SaleId, saleroom: Saleroom, on_public: PublicListener
) -> None:
    await announcer.follow(sale_id)
    async for frame in announcer.frames():
        match frame["type"]:
            case "snapshot" | "conflated":
                saleroom.stand(frame)
            case "event":
                on_public(frame["event"], saleroom.see(frame["event"]))
        if saleroom.closed:
            return
