"""The book of notices: what drafts come to for each person, written in the caller's transaction.

With each notice its deliveries are written, one for each way and device that the person wants,
and their envelopes become due. So there is a notice, with everything that has to be sent of it,
or nothing; and because its id is made of the event, the kind and the person, it is there once.

Whoever calls moves the cursor of its events in the same transaction, and after the commit hands
what `enter` returned to `Teller.tell` and wakes the lanes. A crash in between loses nothing: the
list has the notice, and the lanes look by themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from accounts.ids import PersonId
from bidder_gateway.notices.addressing import Notice, NoticeId, fresh, in_their_time, notices_of
from bidder_gateway.notices.kinds import MANNERS, Kind, Way, bundle_of, rhythm_of
from bidder_gateway.notices.preferences import choices_of, settings_of, ways_of
from bidder_gateway.notices.recipients import Teams, audience_of
from bidder_gateway.notices.rules import Draft
from foundation.database import AnyConnection

# Notices that are written by one statement.
SLICE: Final = 2_000

_REPLACE = """
delete from notice using unnest($1::text[], $2::text[]) as newer (person_id, topic)
where notice.person_id = newer.person_id and notice.topic = newer.topic
    and notice.read_at_us is null
"""

_WRITE = """
insert into notice (notice_id, person_id, bidder_id, kind, sale_id, lot_id, topic, at_us,
    made_at_us, facts, listed)
select notice_id, person_id, bidder_id, kind, sale_id, lot_id, topic, at_us, $10, facts::jsonb,
    listed
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::text[], $11::boolean[])
    as made (notice_id, person_id, bidder_id, kind, sale_id, lot_id, topic, at_us, facts, listed)
on conflict (notice_id) do nothing
returning notice_id
"""

_DELIVER = """
insert into notice_delivery (notice_id, way, device, person_id, bundle)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""

_ADDRESS = """
insert into notice_envelope (person_id, way, device, bundle, urgent, gap_us, due_at_us)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bigint[], $7::bigint[])
on conflict (person_id, way, device, bundle) do update set
    urgent = excluded.urgent, gap_us = excluded.gap_us,
    due_at_us = least(
        notice_envelope.due_at_us,
        greatest(excluded.due_at_us, notice_envelope.sent_at_us + excluded.gap_us))
"""

_DEVICES = "select person_id, subscription_id from push_subscription where person_id = any ($1)"


class Entered(Struct, frozen=True):
    """A notice that is written; ``listed``: its reader sees it in the list."""

    notice: Notice
    listed: bool


class _Delivery(Struct, frozen=True, order=True):
    """One notice on one way to one address; ordered as envelopes are locked."""

    person_id: PersonId
    way: Way
    device: str
    bundle: str
    notice_id: str
    urgent: bool
    gap_us: int
    due_at_us: int


class Book:
    """Writes notices. ``sms``: whether text messages can be sent at all."""

    def __init__(self, teams: Teams, *, sms: bool) -> None:
        self._teams, self._sms = teams, sms

    async def enter(
        self, connection: AnyConnection, drafts: Iterable[Draft], now_us: int, wall_us: int
    ) -> list[Entered]:
        """Write what these drafts come to; those that are new, the oldest first.

        ``now_us`` is the time of the events, ``wall_us`` that of the deliveries: where the
        engine's time runs faster than life, these differ.
        """
        drafts = fresh(drafts, now_us)
        if not drafts:
            return []
        notices = notices_of(drafts, await audience_of(connection, self._teams, drafts))
        if any(notice.kind is Kind.CLOSING_SOON for notice in notices):
            people = {notice.person_id for notice in notices}
            notices = in_their_time(notices, await settings_of(connection, people))
        entered: list[Entered] = []
        for first in range(0, len(notices), SLICE):
            entered += await self._write(connection, notices[first : first + SLICE], wall_us)
        return entered

    async def _write(
        self, connection: AnyConnection, notices: Sequence[Notice], wall_us: int
    ) -> list[Entered]:
        people = {notice.person_id for notice in notices}
        choices = await choices_of(connection, people)
        ways = {n.notice_id: ways_of(choices.get(n.person_id, {}), n.kind) for n in notices}
        wanted = [notice for notice in notices if ways[notice.notice_id]]
        topics = sorted((n.person_id, n.topic) for n in wanted if n.topic is not None)
        if topics:
            await connection.execute(_REPLACE, *zip(*topics, strict=True))
        listed = {n.notice_id: Way.PAGE in ways[n.notice_id] for n in wanted}
        new = await self._insert(connection, wanted, listed, wall_us)
        written = [notice for notice in wanted if notice.notice_id in new]
        addresses = await self._addresses(connection, people)
        deliveries = [
            _delivery(notice, way, device, wall_us)
            for notice in written
            for way in ways[notice.notice_id]
            for device in addresses.get((notice.person_id, way), ())
        ]
        await _deliver(connection, sorted(deliveries))
        return [Entered(notice, listed[notice.notice_id]) for notice in written]

    async def _insert(
        self,
        connection: AnyConnection,
        notices: Sequence[Notice],
        listed: Mapping[NoticeId, bool],
        wall_us: int,
    ) -> set[str]:
        rows = await connection.fetch(
            _WRITE,
            [notice.notice_id for notice in notices],
            [notice.person_id for notice in notices],
            [notice.bidder_id for notice in notices],
            [notice.kind for notice in notices],
            [notice.sale_id for notice in notices],
            [notice.lot_id for notice in notices],
            [notice.topic for notice in notices],
            [notice.at_us for notice in notices],
            [msgspec.json.encode(notice.facts).decode() for notice in notices],
            wall_us,
            [listed[notice.notice_id] for notice in notices],
        )
        return {row[0] for row in rows}

    async def _addresses(
        self, connection: AnyConnection, people: Iterable[PersonId]
    ) -> Mapping[tuple[PersonId, Way], Sequence[str]]:
        """The devices on each way of each person; what is written to has one without a name."""
        wanted = list(people)
        addresses: dict[tuple[PersonId, Way], list[str]] = {(p, Way.MAIL): [""] for p in wanted}
        for person_id, subscription_id in await connection.fetch(_DEVICES, wanted):
            addresses.setdefault((person_id, Way.PUSH), []).append(subscription_id)
        if self._sms:
            for person_id, settings in (await settings_of(connection, wanted)).items():
                if settings.phone is not None:
                    addresses[person_id, Way.SMS] = [""]
        return addresses


def _delivery(notice: Notice, way: Way, device: str, wall_us: int) -> _Delivery:
    rhythm = rhythm_of(notice.kind, way)
    return _Delivery(
        person_id=notice.person_id,
        way=way,
        device=device,
        bundle=bundle_of(notice.kind, way, notice.sale_id, notice.lot_id),
        notice_id=notice.notice_id,
        urgent=MANNERS[notice.kind].urgent,
        gap_us=rhythm.gap_us,
        due_at_us=wall_us + rhythm.wait_us,
    )


async def _deliver(connection: AnyConnection, deliveries: Sequence[_Delivery]) -> None:
    """Envelopes are touched last and in one order, so that no two steps wait for each other and
    whoever settles an envelope sees what was put into it before (`outbox`)."""
    if not deliveries:
        return
    await connection.execute(
        _DELIVER,
        [one.notice_id for one in deliveries],
        [one.way for one in deliveries],
        [one.device for one in deliveries],
        [one.person_id for one in deliveries],
        [one.bundle for one in deliveries],
    )
    envelopes = {(one.person_id, one.way, one.device, one.bundle): one for one in deliveries}
    await connection.execute(
        _ADDRESS,
        *zip(*envelopes, strict=True),
        [one.urgent for one in envelopes.values()],
        [one.gap_us for one in envelopes.values()],
        [one.due_at_us for one in envelopes.values()],
    )
