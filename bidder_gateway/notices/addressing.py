"""From drafts to notices of persons, purely: who is meant, told once, of nothing stale."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NewType

import msgpack
from msgspec import Struct
from msgspec.structs import replace

from accounts.directory import PersonEntry
from accounts.identity import Role
from accounts.ids import PersonId
from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.notices.kinds import MANNERS, Kind
from bidder_gateway.notices.preferences import Settings
from bidder_gateway.notices.rules import Draft, Facts, To

NoticeId = NewType("NoticeId", str)

Key = tuple[SaleId, LotId]


class Notice(Struct, frozen=True, kw_only=True):
    """A notice of one person. ``bidder_id``: on whose side, if on any."""

    notice_id: NoticeId
    person_id: PersonId
    bidder_id: BidderId | None
    kind: Kind
    sale_id: SaleId | None
    lot_id: LotId | None
    topic: str | None
    at_us: int
    facts: Facts


class Audience(Struct, frozen=True):
    """Who there is: the teams of bidders, and who watches lots, or has said not to."""

    teams: Mapping[BidderId, Sequence[PersonEntry]]
    watchers: Mapping[Key, frozenset[PersonId]]
    not_watching: Mapping[Key, frozenset[PersonId]]


def fresh(drafts: Iterable[Draft], now_us: int) -> list[Draft]:
    """Without what is too old for its kind, so that a follower that was far behind tells nobody
    of what is long over; and of what only the newest counts, the newest: a war's last bid."""
    kept: dict[object, Draft] = {}
    for draft in drafts:
        manner = MANNERS[draft.kind]
        if draft.at_us < now_us - manner.made_within_us:
            continue
        alike: object = id(draft)
        if manner.newest_only and not draft.of_sale:
            alike = draft.kind, draft.sale_id, draft.lot_id, tuple(to.bidder_id for to in draft.to)
        kept.pop(alike, None)  # the newest stands last
        kept[alike] = draft
    return list(kept.values())


def notices_of(drafts: Iterable[Draft], audience: Audience) -> list[Notice]:
    """A notice for each person and event, and of a kind of which only the newest counts for each
    person and lot; in the order of the events."""
    of_event: dict[tuple[object, ...], Notice] = {}
    for draft in drafts:
        for person_id, bidder_id in _people(draft, audience).items():
            notice = _notice(draft, person_id, bidder_id)
            known = of_event.get((draft.event, draft.kind, person_id))
            if known is not None and draft.of_sale:
                notice = _merged(known, notice)
            of_event[draft.event, draft.kind, person_id] = notice
    newest: dict[tuple[object, ...], Notice] = {}
    for notice in of_event.values():
        newest[notice.person_id, notice.topic or notice.notice_id] = notice
    return list(newest.values())


def in_their_time(notices: Iterable[Notice], settings: Mapping[PersonId, Settings]) -> list[Notice]:
    """That a lot ends soon is told to each person as long before as they chose."""
    return [
        notice
        for notice in notices
        if notice.kind is not Kind.CLOSING_SOON
        or settings.get(notice.person_id, Settings()).closing_soon_minutes
        == notice.facts.lead_minutes
    ]


def notice_id_of(event: tuple[str | int, ...], kind: Kind, person_id: PersonId) -> NoticeId:
    """The same for the same event, kind and person, whenever it is made."""
    digest = sha256(msgpack.packb((event, kind, person_id))).digest()
    return NoticeId(f"notice-{base64.b32encode(digest[:15]).decode().lower()}")


def topic_of(kind: Kind, sale_id: str | None, lot_id: str | None) -> str | None:
    """What notices of a kind of which only the newest counts are about."""
    if not MANNERS[kind].newest_only:
        return None
    return "/".join(filter(None, (kind, sale_id, lot_id)))


def chosen_of(team: Sequence[PersonEntry], to: To) -> list[PersonId]:
    """Those of the team who bid on the lot, or else all who bid for it, or else everybody."""
    if to.everybody:
        return [entry.person_id for entry in team]
    bidding = [entry for entry in team if Role.BIDDER in entry.roles]
    meant = [entry for entry in bidding if entry.person_id in to.people]
    return [entry.person_id for entry in meant or bidding or team]


def _people(draft: Draft, audience: Audience) -> dict[PersonId, BidderId | None]:
    people: dict[PersonId, BidderId | None] = {}
    if draft.person_id is not None:
        people[draft.person_id] = None
    for to in draft.to:
        for person_id in chosen_of(audience.teams.get(to.bidder_id, ()), to):
            people[person_id] = to.bidder_id
    if draft.watched and draft.sale_id is not None and draft.lot_id is not None:
        key = (draft.sale_id, draft.lot_id)
        for person_id in audience.watchers.get(key, ()):
            people.setdefault(person_id, None)
        if MANNERS[draft.kind].for_watchers:
            for person_id in audience.not_watching.get(key, ()):
                people.pop(person_id, None)
    return people


def _notice(draft: Draft, person_id: PersonId, bidder_id: BidderId | None) -> Notice:
    lot_id = draft.lot_id
    return Notice(
        notice_id=notice_id_of(draft.event, draft.kind, person_id),
        person_id=person_id,
        bidder_id=bidder_id,
        kind=draft.kind,
        sale_id=draft.sale_id,
        lot_id=lot_id,
        topic=topic_of(draft.kind, draft.sale_id, None if draft.of_sale else lot_id),
        at_us=draft.at_us,
        facts=draft.facts,
    )


def _merged(known: Notice, more: Notice) -> Notice:
    """One notice of several lots: how many they are, and the first of their ends."""
    ends = [f.closes_at_us for f in (known.facts, more.facts) if f.closes_at_us is not None]
    facts = replace(
        known.facts,
        title="",
        lots=known.facts.lots + more.facts.lots,
        closes_at_us=min(ends, default=None),
    )
    return replace(known, lot_id=None, facts=facts, bidder_id=known.bidder_id or more.bidder_id)
