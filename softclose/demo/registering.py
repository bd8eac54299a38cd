"""The simulated resellers register for a sale over HTTP, as any program with a token does."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from auction.ids import BidderId, SaleId
from foundation.errors import OperatorError

# Requests under way; each costs the house some statements and a command.
AT_ONCE = 6
# Longer than a registration takes on a busy machine.
WITHIN_S = 30.0
LOOK_EVERY_S = 0.05


class NotRegistered(OperatorError):
    """A reseller of the demonstration was not let into its sale."""


async def register(address: str, sale_id: SaleId, tokens: Mapping[BidderId, str]) -> None:
    """Accept the sale's terms and restrictions for everybody. Raises `NotRegistered`."""
    url = f"{address}/api/v1/sales/{sale_id}"
    room = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        sale = await _listed(http, url)
        accepted = {
            "terms_version": sale["terms"]["version"],
            "terms_sha256": sale["terms_sha256"],
            "restrictions": sale["restrictions"],
        }

        async def one(token: str) -> None:
            async with room:
                await _answer(http, "PUT", f"{url}/registration", token, accepted)

        async with asyncio.TaskGroup() as tasks:
            for token in tokens.values():
                tasks.create_task(one(token))


async def _listed(http: aiohttp.ClientSession, url: str) -> Any:
    """The sale, once it is listed: the tables of sales trail the log by moments."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            async with http.get(url) as response:
                if response.status == 200:
                    return await response.json()
            await asyncio.sleep(LOOK_EVERY_S)


async def _answer(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    token: str,
    body: Mapping[str, Any],
) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.request(method, url, json=body, headers=headers) as response:
        answer = await response.json(content_type=None)
        if response.status >= 400:
            raise NotRegistered(f"{method} {url}: {response.status} {answer}")
        return answer
