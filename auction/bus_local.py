"""The bus inside one process: listeners are called in the order in which events became durable."""

from collections.abc import Callable, Sequence

import structlog

from auction.codec import Recorded
from auction.ids import Shard
from auction.ports import Listener

_logger = structlog.get_logger(__name__)


class LocalBus:
    """A ``Bus`` of plain calls. A listener must not block; one that fails is dropped."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """See ``Bus``."""
        self._listeners.append(listener)
        return lambda: self._forget(listener)

    def publish(self, shard: Shard, recorded: Sequence[Recorded]) -> None:
        """See ``Bus``."""
        for listener in list(self._listeners):
            try:
                listener(shard, recorded)
            except Exception:  # the log line tells who fell out; it finds what it missed in the log
                _logger.exception("listener_failed", listener=repr(listener))
                self._forget(listener)

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
