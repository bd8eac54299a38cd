"""How much of the time goes into sending events: a credit that fills while others work.

Bids and their verdicts, and on a small machine PostgreSQL, get the rest in small portions, however
much there is to send. Pure: times are arguments.
"""

from typing import Final

# The part of the time that sending takes in the long run, when there is more to send.
SHARE: Final = 0.3
# The most that is sent at once: one event to ten thousand links.
AT_ONCE_S = 0.1


class SendingCredit:
    """Seconds that may be spent on sending; below zero it is to wait."""

    __slots__ = ("_at_s", "_left_s")

    def __init__(self, now_s: float) -> None:
        self._left_s, self._at_s = AT_ONCE_S, now_s

    def spend(self, took_s: float, now_s: float) -> None:
        """So much of the processor's time went into sending until now."""
        filled_s = self._left_s + (now_s - self._at_s) * SHARE
        self._left_s = min(AT_ONCE_S, filled_s) - took_s
        self._at_s = now_s

    @property
    def wait_s(self) -> float:
        """How long to wait before more is sent."""
        return max(0.0, -self._left_s / SHARE)
