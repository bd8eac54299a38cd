"""What a page folds out of the frames of a whole sale is what the server says the sale is."""

import asyncio
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from msgspec.structs import replace

from auction.commands import (
    ChangeReserve,
    Command,
    LotTimes,
    MoveLots,
    PauseSale,
    ResumeSale,
    WithdrawalCause,
    WithdrawLot,
)
from auction.ids import ActorId, LotId
from auction.terms import ClosingMode, SoftClose, Terms, VoidRule
from tests.builders import SALE, STAFF_MEMBER, bid, cancel, void
from tests.live import LiveRoom, hello, live_room, now_us, open_sale

REPLAY: Final = Path(__file__).parents[1] / "pages" / "replay.js"
LOTS: Final = ("1", "2", "3", "4")
LATER: Final = "5"  # opens in an hour, and is moved


def folded(folder: Path, frames: list[Any], follow: list[str] | None) -> dict[str, Any]:
    """The sale that a page comes to by these frames."""
    node = shutil.which("node")
    if node is None:
        missing = "needs node: as root, run apt-get install nodejs"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    recorded = folder / "frames.json"
    recorded.write_text(json.dumps({"sale_id": SALE, "follow": follow, "frames": frames}))
    run = subprocess.run([node, REPLAY, recorded], capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found


class Recording:
    """A page's WebSocket, and everything that came by it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, follow: list[str] | None) -> None:
        self.frames: list[dict[str, Any]] = []
        self.follow = follow
        self._socket = socket
        self._reading: asyncio.Task[None] | None = None

    async def begin(self, bidder: str) -> None:
        await hello(self._socket, bidder)
        await self._socket.send_json(subscription(self.follow))
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            self.frames.append(message.json())

    async def end(self, sequence: int) -> None:
        """Once everything up to this event has come; of chosen lots, once nothing more does."""
        assert self._reading is not None
        for _ in range(500):
            seen = [frame["event"]["sequence"] for frame in self.frames if "hash" in frame]
            if self.follow is None and max(seen, default=0) >= sequence:
                break
            await asyncio.sleep(0.005)
        self._reading.cancel()


def subscription(follow: list[str] | None) -> dict[str, Any]:
    lots = {} if follow is None else {"lots": follow}
    return {"type": "subscribe", "request": 1, "sale_id": SALE, **lots}


async def anything_happens(room: LiveRoom, rng: random.Random) -> None:
    """A hundred acts of bidders, staff and the seller; many are refused."""
    for _ in range(100):
        lot, who = rng.choice(LOTS), rng.choice("abc")
        match rng.choices(range(7), (80, 6, 4, 3, 2, 5, 3))[0]:
            case 0:
                amount = rng.randrange(100, 3_000) * 100
                await room.host.engine.submit(bid(who, amount, lot))
            case 1:
                await room.host.engine.submit(void(who, lot))
            case 2:
                await room.host.engine.submit(changed_reserve(lot, rng.randrange(1, 2_000) * 100))
            case 3:
                await room.host.engine.submit(
                    PauseSale(sale_id=SALE, reason="A drill", actor_id=STAFF_MEMBER)
                )
            case 4:
                command: Command = WithdrawLot(
                    sale_id=SALE,
                    lot_id=LotId(lot),
                    cause=WithdrawalCause.RECALL,
                    reason="Recalled",
                    actor_id=ActorId("seller"),
                )
                await room.host.engine.submit(command)
            case 5:
                opens_us = now_us() + rng.randrange(60, 600) * 1_000_000
                times = LotTimes(LotId(LATER), opens_us, opens_us + 3_600_000_000)
                command = MoveLots(sale_id=SALE, times=(times,), actor_id=STAFF_MEMBER)
                await room.host.engine.submit(command)
            case _:
                await room.host.engine.submit(ResumeSale(sale_id=SALE, actor_id=STAFF_MEMBER))
    if rng.random() < 0.5:
        await room.host.engine.submit(cancel(WithdrawalCause.LAW))
    await room.host.engine.submit(ResumeSale(sale_id=SALE, actor_id=STAFF_MEMBER))


def changed_reserve(lot: str, reserve_minor: int) -> ChangeReserve:
    return ChangeReserve(
        sale_id=SALE, lot_id=LotId(lot), reserve_minor=reserve_minor, actor_id=STAFF_MEMBER
    )


async def said_by_server(room: LiveRoom, bidder: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fresh snapshot, and the bidder's own part."""
    async with room.socket() as socket:
        await hello(socket, bidder)
        await socket.send_json(subscription(None))
        found: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while not found.keys() >= {"snapshot", "standing"}:
                frame = await socket.receive_json()
                found[frame["type"]] = frame
        return found["snapshot"], found["standing"]


@pytest.mark.parametrize("seed", range(6))
async def test_a_page_comes_to_what_the_server_says(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    closing = rng.choice(list(ClosingMode))
    terms = Terms(
        soft_close=SoftClose(7_200_000_000, 60_000_000),
        closing=closing,
        void_rule=rng.choice(list(VoidRule)),
        if_bid_us=rng.choice([None, 3_600_000_000]),
    )
    ends_us = now_us() + 1_500_000
    sale = open_sale(5, terms, reserve_minor=900_00, closes_at_us=ends_us + 3_600_000_000)
    later = replace(
        sale.lots[-1], opens_at_us=ends_us + 600_000_000, closes_at_us=ends_us + 9_000_000_000
    )
    sale = replace(sale, lots=(*sale.lots[:-1], later))
    async with (
        live_room(bidders="abc", sale=sale) as room,
        room.socket() as one,
        room.socket() as other,
    ):
        whole, chosen = Recording(one, None), Recording(other, ["2", "3"])
        await whole.begin("a")
        await chosen.begin("b")
        await anything_happens(room, rng)
        feed = await room.gateway.hub.feed(SALE)
        assert feed is not None
        await whole.end(feed.sequence)
        await chosen.end(feed.sequence)
        for bidder, recording in (("a", whole), ("b", chosen)):
            snapshot, standing = await said_by_server(room, bidder)
            page = folded(tmp_path, recording.frames, recording.follow)
            assert page["gap"] is False
            for lot in snapshot["lots"]:
                if recording.follow is None or lot["lot_id"] in recording.follow:
                    found = page["lots"][lot["lot_id"]]
                    assert {name: found[name] for name in lot} == lot
            assert page["sale"]["paused"] is snapshot["sale"]["paused"]
            assert page["sale"]["cancelled"] is snapshot["sale"]["cancelled"]
            own = page["own"]
            followed = recording.follow or LOTS
            maxima = {lot: most for lot, most in standing["maxima"].items() if lot in followed}
            assert {lot: most for lot, most in own["maxima"].items() if lot in followed} == maxima
            leads = {lot for lot, at in page["positions"].items() if at in {"leading", "bound"}}
            assert leads == {lot for lot in standing["leads"] if lot in followed}
