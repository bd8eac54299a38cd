import asyncio
from collections.abc import Iterator

import pytest

from tests.simulation.virtual_loop import Process, Standstill, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_time_passes_only_where_nothing_else_is_to_be_done(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(3_600))
    assert loop.now_us == 3_600_000_000


def test_a_timer_fires_at_its_microsecond(loop: VirtualLoop) -> None:
    fired: list[int] = []
    for us in (1, 299_999, 300_000, 5_000_000_001):
        loop.call_at(us / 1e6, lambda: fired.append(loop.now_us))
    loop.run_until_complete(asyncio.sleep(6_000))
    assert fired == [1, 299_999, 300_000, 5_000_000_001]


def test_waiting_for_nothing_is_an_error(loop: VirtualLoop) -> None:
    with pytest.raises(Standstill):
        loop.run_until_complete(loop.create_future())


def test_a_killed_process_does_nothing_more_not_even_its_finally(loop: VirtualLoop) -> None:
    seen: list[str] = []
    process = Process(loop, "it")
    task = process.spawn(_write_then_clean_up(seen))
    loop.call_later(1.5, process.kill)
    loop.run_until_complete(asyncio.sleep(10))
    assert seen == ["writes"]
    process.revive_to_be_cleaned_up()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))


def test_a_stopped_process_goes_on_where_it_was_with_time_gone(loop: VirtualLoop) -> None:
    seen: list[str] = []
    process = Process(loop, "it")
    process.spawn(_write_then_clean_up(seen))
    loop.call_later(0.5, process.stop)
    loop.call_later(9.0, process.go_on)
    loop.run_until_complete(asyncio.sleep(8))
    assert seen == []
    loop.run_until_complete(asyncio.sleep(8))
    assert seen == ["writes", "writes", "cleans up"]


def test_a_timer_that_was_cancelled_while_it_was_held_does_not_fire(loop: VirtualLoop) -> None:
    seen: list[str] = []
    process = Process(loop, "it")

    async def set_a_timer() -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(1.0, seen.append, "fired")

    timer = loop.run_until_complete(process.spawn(set_a_timer()))
    process.stop()
    loop.run_until_complete(asyncio.sleep(2))
    timer.cancel()
    process.go_on()
    loop.run_until_complete(asyncio.sleep(2))
    assert seen == []


async def _write_then_clean_up(seen: list[str]) -> None:
    try:
        for _ in range(2):
            await asyncio.sleep(1)
            seen.append("writes")
    finally:
        seen.append("cleans up")
