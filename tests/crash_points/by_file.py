"""A seller that is paid by a file for the house's bank, whose bank sends the money back once."""

from settlement.payouts.batches import BankFiles
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.payees import Payees
from settlement.payouts.platform import PlatformPayouts
from settlement.payouts.returns import Returns
from settlement.payouts.words import Way
from settlement.rows import Held
from tests.crash_points.books import Expected
from tests.crash_points.course import Course
from tests.crash_points.turns import Turn
from tests.payouts import BANK, CHIEF, CLERK, NORTH, OWNER, WORDS
from tests.unit.test_nacha import parsed


class PaidByFile(Turn):
    """The first file's money comes back: what is owed goes with another one."""

    async def issued(self, course: Course) -> None:
        people = course.world.people
        await HouseBank(people.pool, people.now_us).set(CHIEF, "USD", WORDS)
        await _payees(course).set_bank(OWNER, NORTH, BANK)
        course.watch.changed_s.append(course.world.engine.now)

    async def fetched(self, course: Course) -> None:
        for _ in range(3):
            await course.passes(days=3)
        people = course.world.people
        files = BankFiles(people.pool, people.now_us, lambda: None)
        due = await files.due("USD")
        course.facts["by_file"] = 0
        if due.items:
            first = await self._made(course, files, brings=True)
            returns = Returns(people.pool, people.now_us, lambda: None)
            await returns.book(CLERK, first, 1, "R01", "no money left")
            await course.passes(days=1)
            if (await files.due("USD")).items:
                second = await self._made(course, files, brings=False)
                content = parsed(await files.content(CHIEF, second, "ACH"))
                course.facts["by_file"] = sum(each["amount"] for each in content["entries"])
        shown = await _payees(course).read(NORTH)
        await _payees(course).choose(OWNER, NORTH, Way.CONNECT, shown.version)
        course.watch.changed_s.append(course.world.engine.now)

    def expected(self, course: Course, held: Held, expected: Expected) -> None:
        expected.by_file_minor = course.facts["by_file"]

    async def _made(self, course: Course, files: BankFiles, *, brings: bool) -> int:
        """A file of all that is due, made by one person and released by another; what it needs
        is brought from Stripe before, or is in the bank since it came back."""
        world, people = course.world, course.world.people
        batch = (await files.make(CLERK, "USD")).batch
        if brings:
            weather = world.engine.faults._weather
            world.engine.faults.clear()  # what people do is no part of this
            world.for_files_minor += batch.total_minor
            house = PlatformPayouts(people.pool, people.gateway, people.now_us, lambda: None)
            await house.set_manual()
            await house.ask(CHIEF, "USD", batch.total_minor, batch.batch_id)
            if weather is not None:
                world.engine.faults.set_weather(weather)
            for _ in range(5):
                await course.passes(days=1)
        await files.release(CHIEF, batch.batch_id)
        await course.work()
        return int(batch.batch_id)


def _payees(course: Course) -> Payees:
    people = course.world.people
    return Payees(people.pool, people.now_us, lambda: None)
