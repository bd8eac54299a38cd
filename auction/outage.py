"""When the service was away: how far the ends of a sale's open lots move.

The published rule: no lot closes because we were dark, and everybody has notice before it does.
"""

from typing import Final

SECOND_US: Final = 1_000_000
SHORT_OUTAGE_US: Final = 10 * SECOND_US
SHORT_NOTICE_US: Final = 30 * SECOND_US
LEAST_NOTICE_US: Final = 120 * SECOND_US
LONG_OUTAGE_US: Final = 2 * 3_600 * SECOND_US
LONG_OUTAGE_ADDS_US: Final = 24 * 3_600 * SECOND_US


def notice_us(dark_us: int, extension_us: int) -> int:
    """The time that bidders get after we are back: 30 s, or max(2 x E, 120 s) from 10 s on."""
    if dark_us < SHORT_OUTAGE_US:
        return SHORT_NOTICE_US
    return max(2 * extension_us, LEAST_NOTICE_US)


def ends_move_by_us(dark_us: int, ready_us: int, first_end_us: int, extension_us: int) -> int:
    """By how much all open lots of a sale move, 0 if none ends before ready + notice.

    ``dark_us`` runs from the last durable heartbeat to ``ready_us``; ``first_end_us`` is the
    earliest end in force among the sale's open lots; ``extension_us`` is E, 0 without soft close.
    """
    notice = notice_us(dark_us, extension_us)
    if first_end_us >= ready_us + notice:
        return 0
    move = max(dark_us, notice - (first_end_us - ready_us))
    return move + LONG_OUTAGE_ADDS_US if dark_us >= LONG_OUTAGE_US else move
