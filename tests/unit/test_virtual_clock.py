"""The clock that moves only when it is told to."""

import asyncio

from softclose.virtual_clock import VirtualClock


async def test_it_stands_still_and_never_goes_back() -> None:
    clock = VirtualClock(1_000)
    assert clock.now_us() == clock.now_us() == 1_000
    clock.advance_to(3_000)
    clock.advance_to(2_000)
    clock.follow(9_000)
    assert (clock.now_us(), clock.skew_us(9_000)) == (3_000, 0)


async def test_sleepers_wake_when_their_time_has_come_in_the_order_of_time() -> None:
    clock = VirtualClock(0)
    woken: list[str] = []

    async def sleep(name: str, until_us: int) -> None:
        await clock.sleep_until(until_us)
        woken.append(name)

    sleepers = [
        asyncio.create_task(sleep(name, at_us))
        for name, at_us in (("late", 30), ("first", 10), ("second", 10), ("past", 0))
    ]
    await asyncio.sleep(0)
    clock.advance_to(9)
    await turn_of_everybody()
    assert woken == ["past"]
    clock.advance_to(10)
    await turn_of_everybody()
    assert woken == ["past", "first", "second"]
    clock.advance_to(31)
    await asyncio.gather(*sleepers)
    assert woken[-1] == "late"


async def test_a_sleeper_that_was_cancelled_disturbs_nobody() -> None:
    clock = VirtualClock(0)
    sleeper = asyncio.create_task(clock.sleep_until(10))
    await turn_of_everybody()
    sleeper.cancel()
    await turn_of_everybody()
    clock.advance_to(10)
    assert sleeper.cancelled()


async def turn_of_everybody() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
