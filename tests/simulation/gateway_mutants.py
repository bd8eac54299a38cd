"""Bugs planted in the gateway on purpose. Some of them it has had; each must be found."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch

import bidder_gateway.gateway
import bidder_gateway.hub
import bidder_gateway.sending
from auction.codec import Recorded
from bidder_gateway.gateway import Gateway
from bidder_gateway.hub import Hub
from bidder_gateway.link import Link
from bidder_gateway.session import Session
from tests.simulation.fan_out_mutants import FAN_OUT
from tests.simulation.gateway_run import simulate_gateway
from tests.simulation.mutants import Discovery, Mutant
from tests.simulation.wires import Wire

# --- The bus ----------------------------------------------------------------------------------


@contextmanager
def a_gap_of_the_bus_is_ignored() -> Iterator[None]:
    """What follows a lost batch is passed over until something fits again."""
    real = Hub._take

    def take(self: Hub, sale: Any, recorded: Recorded) -> None:
        if not sale.loaded or recorded.sequence in (None, sale.channel.feed.sequence + 1):
            real(self, sale, recorded)

    with (
        patch.object(Hub, "_take", take),
        patch.object(Hub, "_read_missed", lambda self, shard: None),
    ):
        yield


def the_last_batch_is_not_looked_for() -> AbstractContextManager[object]:
    """A batch that the bus lost is missed until the next one comes."""

    async def never(self: Hub) -> None:
        """Trust the bus."""

    return patch.object(Hub, "look_for_missed", never)


def what_is_heard_while_reading_is_dropped() -> AbstractContextManager[object]:
    """The log was read, so what came meanwhile is taken for known."""
    real = Hub._take

    def take(self: Hub, sale: Any, recorded: Recorded) -> None:
        if sale.loaded:
            real(self, sale, recorded)

    return patch.object(Hub, "_take", take)


def owners_are_not_told_of_what_was_missed() -> AbstractContextManager[object]:
    """Events that are read after a gap are told in public only."""
    fold = Hub._fold

    def quietly(self: Hub, sale: Any, recorded: Recorded) -> None:
        people = self._people
        if not sale.loaded:
            self._people = {}
        try:
            fold(self, sale, recorded)
        finally:
            self._people = people

    return patch.object(Hub, "_fold", quietly)


def a_broken_event_is_an_error_of_the_bus() -> AbstractContextManager[object]:
    """A batch that does not fit makes the bus drop the gateway."""

    def read_missed(self: Hub, shard: Any) -> None:
        raise AssertionError("a gap")

    return patch.object(Hub, "_read_missed", read_missed)


# --- Bounds and sockets -----------------------------------------------------------------------


def what_waits_has_no_bound() -> AbstractContextManager[object]:
    """Personal frames for who does not read are kept for ever."""

    def wait(self: Link, data: bytes) -> None:
        assert self._waiting is not None
        self._waiting_bytes += len(data)
        self._waiting.append(data)

    return patch.object(Link, "_wait", wait)


def who_does_not_read_is_waited_for() -> AbstractContextManager[object]:
    """A full link is never dropped."""
    return patch.object(bidder_gateway.hub, "STALLED_S", 1e9)


def who_went_without_a_word_is_kept() -> AbstractContextManager[object]:
    """Pings need no answer."""
    return patch.object(bidder_gateway.gateway, "PONG_WITHIN_S", 1e9)


def who_says_nothing_may_stay() -> AbstractContextManager[object]:
    """A hello is waited for, for ever."""
    return patch.object(Session, "tick", lambda self, now_s: [])


def a_login_that_has_ended_goes_on() -> AbstractContextManager[object]:
    """Who is connected stays, whatever becomes of the login."""

    async def believe(self: Gateway) -> None:
        """Once is enough."""

    return patch.object(Gateway, "_end_logins", believe)


def a_closed_socket_is_written_to() -> AbstractContextManager[object]:
    """A link is not told that its connection is lost: its number may be another's."""

    def lost(self: Wire) -> None:
        if not self.ended:
            self._end()
        self._wake()

    return patch.object(Wire, "_lost", lost)


def a_part_of_a_message_is_sent_again() -> AbstractContextManager[object]:
    """What the socket took of a message is handed to the transport too."""
    took = Link.took

    def whole(self: Link, data: bytes, sent: int) -> None:
        took(self, data, min(sent, 0))

    return patch.object(Link, "took", whole)


def who_is_said_goodbye_is_still_sent_events() -> AbstractContextManager[object]:
    """A connection that was ended stays a member until the client has answered."""
    return patch.object(Link, "die", lambda self: None)


def two_writers() -> AbstractContextManager[object]:
    """Personal frames do not wait for the rest of what is being sent."""
    write = Link.write

    def eager(self: Link, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or self.dead:
            self._waiting = waiting
            write(self, data)
            return
        bidder_gateway.sending.send(self.fd, data)
        self._waiting = waiting

    return patch.object(Link, "write", eager)


MUTANTS: Final[dict[str, Mutant]] = {
    mutant.__name__: mutant
    for mutant in (
        *FAN_OUT,
        a_gap_of_the_bus_is_ignored,
        the_last_batch_is_not_looked_for,
        what_is_heard_while_reading_is_dropped,
        owners_are_not_told_of_what_was_missed,
        a_broken_event_is_an_error_of_the_bus,
        what_waits_has_no_bound,
        who_does_not_read_is_waited_for,
        who_went_without_a_word_is_kept,
        who_says_nothing_may_stay,
        a_login_that_has_ended_goes_on,
        a_closed_socket_is_written_to,
        a_part_of_a_message_is_sent_again,
        who_is_said_goodbye_is_still_sent_events,
        two_writers,
    )
}

# Found, but only in one run of many.
SHY: Final = frozenset({"a_closed_socket_is_written_to", "owners_are_not_told_of_what_was_missed"})


def find(job: tuple[str, int]) -> tuple[str, Discovery | None]:
    """Plant a bug by its name, and run seeds from 0 on until one finds it, at most so many."""
    name, seeds = job
    for seed in range(seeds):
        with MUTANTS[name]():
            broken = simulate_gateway(seed, until_broken=True).broken
        if broken:
            invariants = sorted({invariant for invariant, _ in broken})
            return name, Discovery(seed, broken[0], invariants)
    return name, None
