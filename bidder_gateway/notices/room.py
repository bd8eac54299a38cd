"""Notices put together: what makes them, what sends them, and what runs beside a host."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auction.ids import Shard
from auction.ports import LoggedEvent
from bidder_gateway.notices.book import Book, Entered
from bidder_gateway.notices.carriers import Carrier
from bidder_gateway.notices.housekeeping import keep_house
from bidder_gateway.notices.kinds import Way
from bidder_gateway.notices.lanes import Lane
from bidder_gateway.notices.mails import MailCarrier
from bidder_gateway.notices.maker import Maker, MakerFollower
from bidder_gateway.notices.push_key import PushKey
from bidder_gateway.notices.questions import Questions
from bidder_gateway.notices.recipients import Teams
from bidder_gateway.notices.sms import SmsCarrier, SmsSender
from bidder_gateway.notices.sources import Approvals, ClosingSoon, SearchMatches, Source
from bidder_gateway.notices.teller import LivePages, Teller
from bidder_gateway.notices.web_push import PushCarrier
from foundation.database import AnyConnection, Pool
from foundation.follower import Cursors
from foundation.mail import Mailer
from foundation.outbound import Outbound

# Carried at once, urgent and not. A push takes a tenth of a second and at most five; mail goes to
# one server, which is asked by four at most.
AT_ONCE: Final[Mapping[Way, tuple[int, int]]] = {
    Way.PUSH: (32, 16),
    Way.MAIL: (2, 2),
    Way.SMS: (2, 2),
}
# What is under way at the end may finish; the rest is sent after the next start.
STOP_WITHIN_S: Final = 3.0

Clock = Callable[[], int]


@dataclass(frozen=True)
class Means:
    """What notices are made and sent with; the host owns all of it.

    ``pool`` is not the one that followers hold connections of. ``now_us`` is the engine's time,
    ``wall_us`` that of day.
    """

    pool: Pool
    key: PushKey
    outbound: Outbound
    mailer: Mailer
    sender: str
    sms: SmsSender | None
    public_url: str
    pages: LivePages
    now_us: Clock
    wall_us: Clock


class Notices:
    """One a process. ``run`` sends and looks; followers are made for whoever has the cursors."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._book = Book(Teams(means.pool), sms=means.sms is not None)
        self._teller = Teller(means.pages)
        self._pushes = PushCarrier(means.pool, means.key, means.outbound, means.wall_us)
        self.lanes = self._make_lanes()
        self.sources: Sequence[Source] = [
            kind(means.pool, self._book, means.now_us, means.wall_us, self._after_commit)
            for kind in (ClosingSoon, Approvals, SearchMatches, Questions)
        ]

    def follower(self, shard: Shard, cursors: Cursors[AnyConnection, LoggedEvent]) -> MakerFollower:
        """The follower that makes notices of a shard's events."""
        means = self._means
        maker = Maker(self._book, means.now_us, means.wall_us, self._after_commit)
        return MakerFollower(shard, maker, cursors)

    async def run(self) -> None:
        """Send what is due and look at the sources, until cancelled."""
        means = self._means
        sending = [asyncio.create_task(lane.run()) for lane in self.lanes]
        try:
            async with asyncio.TaskGroup() as tasks:
                for source in self.sources:
                    tasks.create_task(source.run())
                tasks.create_task(keep_house(means.pool, means.wall_us))
                for task in sending:
                    tasks.create_task(_until(task))
        finally:
            for lane in self.lanes:
                lane.stop()
            _, left = await asyncio.wait(sending, timeout=STOP_WITHIN_S)
            for task in left:
                task.cancel()
            self._pushes.close()

    def _after_commit(self, entered: Sequence[Entered]) -> None:
        self._teller.tell(entered)
        for lane in self.lanes:
            lane.wake()

    def _make_lanes(self) -> Sequence[Lane]:
        means = self._means
        mails = MailCarrier(means.mailer, means.public_url, means.sender, means.key.link_key)
        carriers: dict[Way, Carrier] = {Way.PUSH: self._pushes, Way.MAIL: mails}
        if means.sms is not None:
            carriers[Way.SMS] = SmsCarrier(means.sms, means.public_url)
        return [
            Lane(
                means.pool,
                way,
                carrier,
                urgent=urgent,
                at_once=AT_ONCE[way][0 if urgent else 1],
                now_us=means.now_us,
                wall_us=means.wall_us,
            )
            for way, carrier in carriers.items()
            for urgent in (True, False)
        ]


async def _until(sending: "asyncio.Task[None]") -> None:
    """A lane that fails ends the others; it is not cancelled with whoever waits for it."""
    await asyncio.shield(sending)
