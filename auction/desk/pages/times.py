"""Times on the desk's pages: by the clock of the sale's place, which is always named."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from auction.desk.sale_drafts import SaleDraft
from auction.desk.schedule import NoSuchTime, times_of


def in_zone(at_us: int, zone: ZoneInfo | str) -> str:
    """A moment by the clock of a place: ``Tue 3 Mar 2026, 16:01 CST``; seconds if there are any."""
    place = ZoneInfo(zone) if isinstance(zone, str) else zone
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(place)
    return f"{_said(at)} {at.tzname()}"


def on_the_wall(wall_time: str) -> str:
    """A planned time in the same form; its zone is said beside it."""
    return _said(datetime.fromisoformat(wall_time))


def ends_of(draft: SaleDraft, lots: int) -> Sequence[str]:
    """When each lot of a sale ends; nothing without times that work."""
    if draft.schedule is None:
        return []
    try:
        times = times_of(draft.schedule, lots)
    except NoSuchTime:
        return []
    zone = ZoneInfo(draft.schedule.time_zone)
    return [in_zone(one.closes_at_us, zone) for one in times]


def opens_of(draft: SaleDraft) -> str:
    """When a sale opens; "" without times that work."""
    if draft.schedule is None:
        return ""
    try:
        times = times_of(draft.schedule, 1)
    except NoSuchTime:
        return ""
    return in_zone(times[0].opens_at_us, ZoneInfo(draft.schedule.time_zone))


def _said(at: datetime) -> str:
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return f"{at:%a} {at.day} {at:%b %Y}, {clock}"
