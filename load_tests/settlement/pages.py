"""How long staff wait for an award's page and a statement, in books of a hundred thousand awards.

The whole house answers over HTTP to somebody of staff who is signed in: the page is read from the
tables, set and sent. Awards are taken at random, so that none is warm.
"""

import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import aiohttp
from yarl import URL

from accounts import by_operator, second_factor
from accounts.identity import OrganisationKind
from foundation.database import Pool, acquire
from foundation.errors import OperatorError
from load_tests.series import Series
from load_tests.settlement.filling import BATCH, LOTS, write_closed
from load_tests.steps import Say
from softclose.house import House, open_house
from softclose.listener import address_of, listen
from softclose.settings import Settings

PASSWORD: Final = "load-test-of-pages-47"  # noqa: S105 - of a house that lives for a minute
DAY_US: Final = 86_400_000_000
LOOKS: Final = 60


class NotShown(OperatorError):
    """A page did not come: the figures would mean nothing."""


async def fill(pool: Pool, awards: int, say: Say) -> float:
    """Write lives that are over, spread over the last year; entries booked a second."""
    began, entries = time.perf_counter(), 0
    invoices = awards // LOTS
    now_us = time.time_ns() // 1_000
    say(f"{awards:,} awards with their books")
    for first in range(0, invoices, BATCH):
        at_us = now_us - 360 * DAY_US + first * 350 * DAY_US // invoices
        numbers = range(first, min(first + BATCH, invoices))
        entries += await write_closed(pool, numbers, at_us)
        if first == 0:
            async with acquire(pool) as connection:  # as it does by itself within a minute
                await connection.execute("analyze")
    async with acquire(pool) as connection:
        await connection.execute("vacuum analyze")
    return entries / (time.perf_counter() - began)


async def looks(dsn: str, folder: Path, series: Series) -> None:
    """Ask for pages, one after the other, and note how long each took, in milliseconds."""
    settings = Settings(data=folder / "data", http_port=0)
    with listen("127.0.0.1", 0) as listener:
        async with open_house(settings, dsn, listener, list) as house:
            await house.host.serving()
            async with _staff(house, listener) as http:
                await _look(http, house, series)


async def _look(http: aiohttp.ClientSession, house: House, series: Series) -> None:
    rng = Random(1)
    async with acquire(house.resources.pool) as connection:
        rows = await connection.fetch("select award_id, sale_id, invoice_id from award")
    for _ in range(LOOKS):
        award, other = rng.choice(rows), rng.choice(rows)
        for name, path in (
            ("award_page_ms", f"/settlement/awards/{award['award_id']}"),
            (
                "invoice_statement_ms",
                f"/settlement/statement?of=INVOICE&currency=USD&subject={other['invoice_id']}",
            ),
            (
                "sale_statement_ms",  # of 300 lots: too long for a page, so it is a file
                f"/api/v1/settlement/statement.csv?of=SALE&currency=USD&subject={other['sale_id']}",
            ),
        ):
            began = time.perf_counter()
            async with http.get(path, allow_redirects=False) as response:
                body = await response.read()
            if response.status != 200 or not body:
                raise NotShown(f"{path} was answered {response.status}")
            series.add(name, (time.perf_counter() - began) * 1_000)


@asynccontextmanager
async def _staff(house: House, listener: socket.socket) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody of staff, signed in."""
    room, address = house.resources.accounts, address_of(listener)
    made = await by_operator.create(
        room,
        by_operator.NewAccount(
            mail="staff@example.com",
            name="Load test",
            kind=OrganisationKind.HOUSE,
            organisation_name="Staff",
        ),
        PASSWORD,
    )
    secret = await second_factor.enrol(room, made.person_id)
    # Session cookies are for secure connections, and browsers keep them from 127.0.0.1 too.
    cookies: dict[str, str] = {}
    async with aiohttp.ClientSession(
        URL(address), cookie_jar=aiohttp.DummyCookieJar(), headers={"Origin": address}
    ) as http:
        who = {"mail": "staff@example.com", "password": PASSWORD}
        code = {"code": second_factor.code_at(secret, room.clock())}
        for path, form in (("/sign-in", who), ("/sign-in/code", code)):
            sent = {"Cookie": _header(cookies)}
            async with http.post(path, data=form, headers=sent, allow_redirects=False) as response:
                cookies |= {name: cookie.value for name, cookie in response.cookies.items()}
    async with aiohttp.ClientSession(
        URL(address), cookie_jar=aiohttp.DummyCookieJar(), headers={"Cookie": _header(cookies)}
    ) as http:
        yield http


def _header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
