"""What each person wants to be told, and how: choices by kind and way, and quiet hours."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from accounts.ids import PersonId
from bidder_gateway.notices.kinds import MANNERS, Kind, Way
from foundation.database import AnyConnection

# How long before its end a lot "ends soon"; each person chooses one.
LEADS: Final = (5, 15, 30, 60)
DEFAULT_LEAD: Final = 15

Minute = Annotated[int, Meta(ge=0, le=1_439, description="A minute of the person's day.")]


class Settings(Struct, frozen=True, kw_only=True):
    """What a person said about all notices. ``phone``: confirmed to be theirs."""

    quiet_from: int | None = None
    quiet_until: int | None = None
    urgent_in_quiet: bool = False
    closing_soon_minutes: int = DEFAULT_LEAD
    phone: str | None = None


Choices = Mapping[tuple[Kind, Way], bool]

_CHOICES = "select person_id, kind, way, wanted from notice_choice where person_id = any ($1)"

_CHOOSE = """
insert into notice_choice (person_id, kind, way, wanted)
select $1, kind, way, wanted from unnest($2::text[], $3::text[], $4::boolean[])
    as chosen (kind, way, wanted)
on conflict (person_id, kind, way) do update set wanted = excluded.wanted
"""

_SETTINGS = """
select person_id, quiet_from, quiet_until, urgent_in_quiet, closing_soon_minutes, phone
from notice_setting where person_id = any ($1)
"""

_SET = """
insert into notice_setting
    (person_id, quiet_from, quiet_until, urgent_in_quiet, closing_soon_minutes)
values ($1, $2, $3, $4, $5)
on conflict (person_id) do update set
    quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
    urgent_in_quiet = excluded.urgent_in_quiet,
    closing_soon_minutes = excluded.closing_soon_minutes
"""


async def choices_of(
    connection: AnyConnection, person_ids: Iterable[PersonId]
) -> Mapping[PersonId, Choices]:
    """What these people chose; who chose nothing is left out."""
    found: dict[PersonId, dict[tuple[Kind, Way], bool]] = {}
    for person_id, kind, way, wanted in await connection.fetch(_CHOICES, list(person_ids)):
        if kind in MANNERS:  # else of a newer version, or of one long gone
            found.setdefault(person_id, {})[Kind(kind), Way(way)] = wanted
    return found


async def choose(
    connection: AnyConnection, person_id: PersonId, chosen: Mapping[tuple[Kind, Way], bool]
) -> None:
    """Keep these choices; others stay as they are."""
    ordered = sorted(chosen.items())
    kinds, ways = [kind for (kind, _), _ in ordered], [way for (_, way), _ in ordered]
    await connection.execute(_CHOOSE, person_id, kinds, ways, [wanted for _, wanted in ordered])


async def settings_of(
    connection: AnyConnection, person_ids: Iterable[PersonId]
) -> Mapping[PersonId, Settings]:
    """What these people set; who set nothing is left out."""
    rows = await connection.fetch(_SETTINGS, list(person_ids))
    return {
        row["person_id"]: Settings(
            quiet_from=row["quiet_from"],
            quiet_until=row["quiet_until"],
            urgent_in_quiet=row["urgent_in_quiet"],
            closing_soon_minutes=row["closing_soon_minutes"],
            phone=row["phone"],
        )
        for row in rows
    }


async def set_settings(connection: AnyConnection, person_id: PersonId, settings: Settings) -> None:
    """Keep these, except the phone number, which has to be confirmed."""
    await connection.execute(
        _SET,
        person_id,
        settings.quiet_from,
        settings.quiet_until,
        settings.urgent_in_quiet,
        settings.closing_soon_minutes,
    )


def wants(choices: Choices, kind: Kind, way: Way) -> bool:
    """Whether notices of a kind are to come on a way. What binds somebody is always listed."""
    manner = MANNERS[kind]
    if way is Way.PAGE and manner.always_listed:
        return True
    return way in manner.possible and choices.get((kind, way), way in manner.default)


def ways_of(choices: Choices, kind: Kind) -> Sequence[Way]:
    """All ways on which notices of a kind are to come."""
    return [way for way in Way if wants(choices, kind, way)]


def quiet_until_us(settings: Settings, zone: str, now_us: int) -> int | None:
    """When the person's quiet hours end, if it is in them now; ``None``: it is not.

    The hours are of the person's clock on the wall: a night in which the clocks change is an hour
    longer or shorter.
    """
    begins, ends = settings.quiet_from, settings.quiet_until
    if begins is None or ends is None or begins == ends:
        return None
    local = datetime.fromtimestamp(now_us // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    quiet = begins <= minute < ends if begins < ends else not ends <= minute < begins
    if not quiet:
        return None
    end = local.replace(hour=ends // 60, minute=ends % 60, second=0, microsecond=0, fold=0)
    if minute >= ends:  # it ends tomorrow
        end += timedelta(days=1)
    return round(end.timestamp()) * 1_000_000
