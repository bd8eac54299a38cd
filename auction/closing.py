"""Soft close: whether a bid moves the end, to when, and which other lots move with it."""

from collections.abc import Iterable
from typing import Protocol, assert_never

from auction.ids import LotId
from auction.terms import ClosingMode, ExtensionMode, SoftClose


class Ending(Protocol):
    """What closing needs to know of a lot that is not closed."""

    @property
    def lot_id(self) -> LotId: ...
    @property
    def group(self) -> str: ...
    @property
    def scheduled_closes_at_us(self) -> int: ...
    @property
    def closes_at_us(self) -> int: ...
    @property
    def latest_end_us(self) -> int | None: ...


def extended_end_us(
    soft_close: SoftClose | None, now_us: int, closes_at_us: int, latest_end_us: int | None
) -> int:
    """The end after an extending bid at ``now_us``, which is before ``closes_at_us``.

    The same end when the bid is not in the window [end - window, end), when RESET would not
    move it, or when the latest end is reached.
    """
    if soft_close is None or now_us < closes_at_us - soft_close.window_us:
        return closes_at_us
    match soft_close.mode:
        case ExtensionMode.RESET:
            end_us = max(closes_at_us, now_us + soft_close.extension_us)
        case ExtensionMode.ADD:
            end_us = closes_at_us + soft_close.extension_us
        case _:
            assert_never(soft_close.mode)
    return capped(end_us, closes_at_us, latest_end_us)


def linked_ends(
    mode: ClosingMode, lot: Ending, end_us: int, others: Iterable[Ending]
) -> list[tuple[LotId, int]]:
    """The new ends of the other unclosed lots when ``lot`` moves to ``end_us``.

    GROUP: every lot of its group takes max(own end, new end). CASCADE: the lots scheduled to
    end after it move by the same time. Each stops at its own latest end.
    """
    moved: list[tuple[LotId, int]] = []
    for other in others:
        if other.lot_id == lot.lot_id:
            continue
        new_end_us = other.closes_at_us
        match mode:
            case ClosingMode.INDEPENDENT:
                return []
            case ClosingMode.GROUP:
                if other.group == lot.group:
                    new_end_us = max(other.closes_at_us, end_us)
            case ClosingMode.CASCADE:
                if other.scheduled_closes_at_us > lot.scheduled_closes_at_us:
                    new_end_us = other.closes_at_us + end_us - lot.closes_at_us
            case _:
                assert_never(mode)
        new_end_us = capped(new_end_us, other.closes_at_us, other.latest_end_us)
        if new_end_us > other.closes_at_us:
            moved.append((other.lot_id, new_end_us))
    return moved


def capped(end_us: int, closes_at_us: int, latest_end_us: int | None) -> int:
    """``end_us``, but not past the latest end, and never before the end in force."""
    if latest_end_us is not None:
        end_us = min(end_us, latest_end_us)
    return max(end_us, closes_at_us)
