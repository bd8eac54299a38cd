"""Times on the desk's pages: by the clock of the sale's place, which is always named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def in_zone(at_us: int, zone: ZoneInfo | str) -> str:
    """A moment by the clock of a place: ``Tue 3 Mar 2026, 16:01 CST``; seconds if there are any."""
    place = ZoneInfo(zone) if isinstance(zone, str) else zone
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(place)
    return f"{_said(at)} {at.tzname()}"


def on_the_wall(wall_time: str) -> str:
    """A planned time in the same form; its zone is said beside it."""
    return _said(datetime.fromisoformat(wall_time))


def _said(at: datetime) -> str:
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return f"{at:%a} {at.day} {at:%b %Y}, {clock}"
