"""The gateway: every connection of this process, who comes in, and who has to go.

``watch`` runs beside the server: it pings, ends what was silent or stalled or whose login has
ended, and lets go of sales that nobody watches. All of it is spread over time, so that ten
thousand connections never hold up the loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import count
from typing import Any, Final

import structlog

from auction.codec import Recorded
from auction.ids import Shard
from auction.ports import Clock, Engine, EventLog
from bidder_gateway.bidding import Bidding
from bidder_gateway.connection import Connection
from bidder_gateway.encodings import Encoding
from bidder_gateway.following import Following
from bidder_gateway.hub import Hub
from bidder_gateway.limits import Counts, Limits, Shares
from bidder_gateway.ports import Authenticator, BidFreight, EverySale, SalesInSight
from bidder_gateway.protocol import CloseCode
from bidder_gateway.session import End, Session

# Connections are looked at in so many groups, one after the other, each once a second.
GROUPS: Final = 20
ROUND_S: Final = 1.0
# A link that was sent something of its own, or many events (some 8 KiB), is pinged after this
# time, so that one who does not read is found before much is kept for it; others more seldom,
# since each answer wakes a phone, and costs us as much as two deliveries.
MANY_EVENTS: Final = 32
PING_ACTIVE_S: Final = 3.0
PING_IDLE_S: Final = 15.0
PONG_WITHIN_S: Final = 4.0
# Logins that were ended elsewhere are asked for this often.
ENDED_EVERY_S: Final = 2.0
# What the bus dropped, and nothing came after, is looked for in the log this often.
MISSED_EVERY_S: Final = 5.0
FORGET_EVERY_S: Final = 60.0
# At the end: connections closed before the loop gets a turn, and the time for all of them.
CLOSED_AT_ONCE: Final = 200
CLOSE_WITHIN_S: Final = 3.0
RESTARTS: Final = "the server restarts"

_logger = structlog.get_logger(__name__)


class Gateway:
    """The rooms of all connections. ``hear`` is to be called with every durable batch."""

    def __init__(
        self,
        log: EventLog,
        engine: Engine,
        clock: Clock,
        authenticator: Authenticator,
        freight: BidFreight,
        limits: Limits | None = None,
        sight: SalesInSight | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.hub = Hub(log)
        sight = sight or EverySale()
        self.following = Following(self.hub, log, sight)
        self.bidding = Bidding(engine, freight, sight)
        self.authenticator = authenticator
        self.by_address = Counts(self.limits.connections_per_address)
        self.max_subscriptions = self.limits.subscriptions
        self.stopping = False
        self._shares = Shares.within(self.limits)
        self._by_account = Counts(self.limits.connections_per_account)
        self._accounts: dict[Connection, str] = {}
        self._clock = clock
        self._groups: list[dict[Connection, None]] = [{} for _ in range(GROUPS)]
        self._next_group = count()
        self._tasks: set[asyncio.Task[None]] = set()
        # What looks at the database now and then, each at most once at a time.
        self._regular: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self._empty = asyncio.Event()

    def hear(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """A durable batch, as the bus announces it."""
        self.hub.hear(shard, recorded)

    def now_us(self) -> int:
        """The time that lots end by."""
        return self._clock.now_us()

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something beside; its failure is logged, and harms nobody else."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("gateway_task_failed", exc_info=error)

    # Connections.

    async def serve(self, connection: Connection) -> None:
        """Run a connection until its end."""
        group = self._groups[next(self._next_group) % GROUPS]
        group[connection] = None
        try:
            if self.stopping:  # it shook hands while everybody else was sent away
                connection.end(CloseCode.RESTART, RESTARTS)
            await connection.run()
        finally:
            del group[connection]
            self.hub.leave(connection.link)
            account = self._accounts.pop(connection, None)
            if account is not None:
                self._by_account.leave(account)
            if self.stopping and not self.connections:
                self._empty.set()

    def new_session(self, name: str, encoding: Encoding, address: str) -> Session:
        """A conversation within the gateway's limits."""
        now_s = self._loop.time()
        return Session(name, encoding, self.limits, self._shares, address, self.now_us, now_s)

    def admit(self, connection: Connection) -> bool:
        """Count a connection towards its account; false: the account has enough."""
        who = connection.session.participant
        if who is None:
            return True
        account = who.bidder_id or who.person_id
        if not self._by_account.enter(account):
            return False
        self._accounts[connection] = account
        return True

    @property
    def connections(self) -> int:
        """How many there are."""
        return sum(map(len, self._groups))

    # What happens by itself.

    async def watch(self) -> None:
        """Until cancelled."""
        ended_at_s = missed_at_s = forgot_at_s = self._loop.time()
        while True:
            for group in self._groups:
                await asyncio.sleep(ROUND_S / GROUPS)
                now_s = self._loop.time()
                for connection in list(group):
                    link = connection.link  # most were asked not long ago, and have answered
                    if not link.ponged or now_s - link.pinged_at_s > PING_ACTIVE_S:
                        self._look_at(connection, now_s)
                if now_s >= ended_at_s + ENDED_EVERY_S:
                    ended_at_s = now_s
                    self._regularly("end logins", self._end_logins)
                if now_s >= missed_at_s + MISSED_EVERY_S:
                    missed_at_s = now_s
                    self._regularly("look for missed events", self.hub.look_for_missed)
                if now_s >= forgot_at_s + FORGET_EVERY_S:
                    forgot_at_s = now_s
                    self.hub.forget_idle()

    def _regularly(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it now, unless the last time is not over: a slow database is not asked twice."""
        before = self._regular.get(name)
        if before is None or before.done():
            self._regular[name] = self.spawn(work())

    def _look_at(self, connection: Connection, now_s: float) -> None:
        if connection.ended is not None:
            return  # it is on its way out
        try:
            self._keep_alive(connection, now_s)
        except Exception:  # a defect: this one comes back, the others are looked at, the log tells
            _logger.exception("connection_not_looked_at")
            connection.link.abort()

    def _keep_alive(self, connection: Connection, now_s: float) -> None:
        link = connection.link
        since_s = now_s - link.pinged_at_s
        if not connection.session.is_open:
            for action in connection.session.tick(now_s):
                assert isinstance(action, End), "silence only ends a conversation"
                connection.end(action.code, action.message)
        elif not link.ponged:
            if since_s > PONG_WITHIN_S:
                self.hub.figures.stalled += 1
                connection.end(CloseCode.TOO_SLOW, "a ping was not answered")
        elif since_s > PING_ACTIVE_S and link.clear:
            events = self.hub.events_of(link)
            many = link.wrote or events - link.pinged_at_event >= MANY_EVENTS
            if many or since_s > PING_IDLE_S:
                link.ping(now_s, events)

    async def _end_logins(self) -> None:
        """Send away whose session or token was ended."""
        by_login: dict[str, list[Connection]] = {}
        for group in self._groups:
            for connection in group:
                who = connection.session.participant
                if who is not None:
                    by_login.setdefault(who.login, []).append(connection)
        if not by_login:
            return
        try:
            ended = await self.authenticator.ended(set(by_login))
        except Exception as error:  # noqa: BLE001 - next time; the log tells while it lasts
            _logger.warning("ended_logins_not_known", error=repr(error))
            return
        for login in ended:
            for connection in by_login[login]:
                connection.end(CloseCode.SESSION_ENDED, "this login has ended; log in again")

    async def stop(self) -> None:
        """Send everybody away with when to come back; nobody new is let in."""
        self.stopping = True
        everybody = [connection for group in self._groups for connection in group]
        for number, connection in enumerate(everybody, start=1):
            connection.end(CloseCode.RESTART, RESTARTS)
            if number % CLOSED_AT_ONCE == 0:
                await asyncio.sleep(0)
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                while self.connections:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            _logger.warning("connections_cut", connections=self.connections)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.following.close()
        await self.hub.close()
