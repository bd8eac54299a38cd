"""The engine's rooms under one owner."""

import asyncio

import pytest

from auction.clock import EngineClock
from auction.log_memory import MemoryLog
from auction.rejections import Rejection
from softclose.host import Host
from tests.builders import schedule


async def test_commands_are_judged_while_it_runs_and_refused_after() -> None:
    host = Host(MemoryLog(), EngineClock())
    assert host.reasons_not_ready()[0] == "shards: 0 of 64 owned"
    async with host.running():
        await host.writer.serving()
        assert host.reasons_not_ready() == []
        assert (await host.engine.submit(schedule())).code is not Rejection.UNAVAILABLE
    assert (await host.engine.submit(schedule())).code is Rejection.UNAVAILABLE


async def test_what_was_decided_is_answered_before_the_end() -> None:
    host = Host(MemoryLog(), EngineClock())
    async with host.running():
        await host.writer.serving()
        asked = asyncio.create_task(host.engine.submit(schedule()))
        await asyncio.sleep(0)  # judged, and not yet appended
    assert asked.done()
    assert (await asked).code is not Rejection.UNAVAILABLE


async def test_a_task_that_fails_ends_the_whole() -> None:
    async def fails() -> None:
        raise LookupError("a defect")

    host = Host(MemoryLog(), EngineClock())
    with pytest.raises(ExceptionGroup) as failed:
        async with host.running(fails()):
            await asyncio.Event().wait()
    assert failed.group_contains(LookupError, match="a defect")
    assert not host.writer.ready


async def test_what_goes_on_besides_is_cancelled_last() -> None:
    order: list[str] = []

    async def besides() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("ready" if host.writer.ready else "stopped")

    host = Host(MemoryLog(), EngineClock())
    async with host.running(besides()):
        await host.writer.serving()
    assert order == ["stopped"]
