"""Settlement: awards a second at the simulator, entries a second, pages in large books.

Each award's life is done by the worker through the official SDK over HTTP; nothing is left out of
it but the engine, which is told that a lot is paid. Rates are of one machine's two cores, on which
PostgreSQL, with fsync, and the simulator run as well.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundation.database import Pool, acquire, open_pool
from load_tests.machine import describe
from load_tests.report import Bar, Chart, Report
from load_tests.series import Series
from load_tests.settlement import awards, books, pages
from load_tests.settlement.filling import LOTS
from load_tests.steps import Say
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres

SUMMARY: Final = "Awards a second at the simulator, ledger entries a second, pages in large books."

# What is to be reached.
AWARDS_PER_S: Final = 50
ENTRIES_PER_S: Final = 2_000
AWARD_PAGE_MS: Final = 100
MAX_CONNECTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, and how often."""

    rounds: int
    invoices: int
    seconds: float
    awards_in_books: int

    @property
    def steps(self) -> int:
        """Each round books and settles; then the books are filled and looked at."""
        return 2 * self.rounds + 2


FULL: Final = Plan(3, 400, 5.0, 100_000)
QUICK: Final = Plan(1, 100, 2.0, 6_000)
TINY: Final = Plan(1, 3, 0.1, 30)  # for tests: every path, no meaning


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run it all; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    machine, series = describe(folder), Series()
    postgres = EmbeddedPostgres(folder / "postgres", scratch=True)
    try:
        dsn = await postgres.start()
        for number in range(plan.rounds):
            name = f"round {number + 1} of {plan.rounds}"
            await _booked(plan, await _database(dsn, f"books_{number}"), series, say, name)
            await _settled(plan, await _database(dsn, f"awards_{number}"), series, say, name)
        await _looked(plan, await _database(dsn, "pages"), folder, series, say)
    finally:
        await postgres.stop()
    return _report(machine, series)


async def _booked(plan: Plan, dsn: str, series: Series, say: Say, name: str) -> None:
    say(f"{name}: entries")
    async with await open_pool(dsn, name="load test") as pool:
        lives = books.Lives()
        await books.entries_per_s(pool, lives, plan.seconds / 5, books.LIVES_A_BATCH)
        async with acquire(pool) as connection:  # as it does by itself within a minute
            await connection.execute("analyze")
        await pool.expire_connections()
        for figure, batch in (("entries_per_s", books.LIVES_A_BATCH), ("entries_alone_per_s", 1)):
            series.add(figure, await books.entries_per_s(pool, lives, plan.seconds, batch))


async def _settled(plan: Plan, dsn: str, series: Series, say: Say, name: str) -> None:
    say(f"{name}: {plan.invoices * LOTS:,} awards")
    async with (
        await open_pool(dsn, name="load test", max_connections=MAX_CONNECTIONS) as pool,
        awards.simulator() as url,
    ):
        lives = awards.Lives(pool, url)
        try:
            await lives.furnish(plan.invoices)
            series.add("awards_per_s", await lives.per_s(plan.invoices))
        finally:
            await lives.close()


async def _looked(plan: Plan, dsn: str, folder: Path, series: Series, say: Say) -> None:
    pool: Pool
    async with await open_pool(dsn, name="load test") as pool:
        series.add("filling_entries_per_s", await pages.fill(pool, plan.awards_in_books, say))
    say("pages")
    await pages.looks(dsn, folder, series)


async def _database(dsn: str, name: str) -> str:
    async with await open_pool(dsn, name="load test") as pool, acquire(pool) as admin:
        await admin.execute(f"create database {name}")
    made = f"{dsn.rpartition('/')[0]}/{name}"
    await prepare(made)
    return made


def _report(machine: dict[str, object], series: Series) -> Report:
    figures, ranges = series.medians(), series.ranges()
    ratios = {
        "awards_per_s_vs_wanted": figures["awards_per_s"] / AWARDS_PER_S,
        "entries_per_s_vs_wanted": figures["entries_per_s"] / ENTRIES_PER_S,
        "award_page_limit_vs_found": AWARD_PAGE_MS / figures["award_page_ms"],
    }
    rates = [
        Bar("awards, whole lives", "awards_per_s", ours=True),
        Bar("entries in batches", "entries_per_s", ours=True),
        Bar("entries one by one", "entries_alone_per_s", ours=True),
    ]
    times = [
        Bar("an award's page", "award_page_ms", ours=True),
        Bar("a sale's statement", "sale_statement_ms", ours=True),
    ]
    return Report(
        title="Settlement",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios=ratios,
        targets=dict.fromkeys(ratios, 1.0),
        charts=[
            Chart("Settled and booked", "a second", rates, logarithmic=True),
            Chart("Pages, in books of all awards", "ms", times),
        ],
    )
