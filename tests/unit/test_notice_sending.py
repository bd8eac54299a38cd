"""Whether a notice goes out now, to whom it is addressed, and by what it is signed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from accounts.directory import PersonEntry
from accounts.identity import Role
from accounts.ids import OrganisationId, PersonId
from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.notices.addressing import (
    Audience,
    Notice,
    NoticeId,
    fresh,
    in_their_time,
    notice_id_of,
    notices_of,
)
from bidder_gateway.notices.judging import Drop, Dropped, Reader, Send, Times, Wait, judge
from bidder_gateway.notices.kinds import HOUR_US, SECOND_US, Kind, Way
from bidder_gateway.notices.lanes import CARRY_S
from bidder_gateway.notices.outbox import LEASE_US, MAX_TRIES, pause_us
from bidder_gateway.notices.preferences import Settings, quiet_until_us
from bidder_gateway.notices.push_key import BadPushKey, PushKey, new_scalar, scalar_of
from bidder_gateway.notices.rules import Draft, Facts, To
from bidder_gateway.notices.sale_now import LotNow, SaleNow
from bidder_gateway.notices.unsubscribing import read_token, token_of
from tests.builders import at
from tests.push_service import base64url

ANN, BERT = BidderId("ann"), BidderId("bert")
KIM, LOU, EVE = PersonId("kim"), PersonId("lou"), PersonId("eve")
SALE = SaleNow(SaleId("S-1"), "USD")
CHICAGO = "America/Chicago"


def lot(leader: str = "bert", **changes: Any) -> LotNow:
    settings: dict[str, Any] = {"leader": BidderId(leader), "price_minor": 300_00} | changes
    return LotNow(LotId("1"), "A pallet", 0, at("16:00"), 310_00, **settings)


def outbid(**changes: Any) -> Notice:
    made = Notice(
        notice_id=NoticeId("notice-1"),
        person_id=KIM,
        bidder_id=ANN,
        kind=Kind.OUTBID,
        sale_id=SaleId("S-1"),
        lot_id=LotId("1"),
        topic="OUTBID/S-1/1",
        at_us=at("12:00"),
        facts=Facts(title="A pallet", currency="USD", price_minor=200_00),
    )
    return replace(made, **changes)


def judged(
    notice: Notice,
    *,
    seen: bool = False,
    way: Way = Way.PUSH,
    now: str = "12:00:05",
    known: LotNow | None = None,
    choices: Any = None,
    **settings: Any,
) -> Send | Drop | Wait:
    return judge(
        notice,
        seen=seen,
        way=way,
        reader=Reader(CHICAGO, choices or {}, Settings(**settings)),
        times=Times(at(now), at(now)),
        sale=SALE,
        lot=known or lot(),
    )


# The ladder.


def test_what_is_so_goes_out_with_what_is_so_now() -> None:
    verdict = judged(outbid())
    assert isinstance(verdict, Send)
    facts = verdict.notice.facts
    assert (facts.price_minor, facts.next_minimum_minor) == (300_00, 310_00)


QUIET: dict[str, Any] = {"quiet_from": 0, "quiet_until": 12 * 60}  # it is 6 in Chicago

LADDER: list[tuple[str, Callable[[], Any], Any]] = [
    (
        "not wanted, seen, late and stale",
        lambda: judged(
            outbid(),
            choices={(Kind.OUTBID, Way.PUSH): False},
            seen=True,
            now="13:00",
            known=lot("ann"),
        ),
        Drop(Dropped.UNWANTED),
    ),
    (
        "seen, late and stale",
        lambda: judged(outbid(), seen=True, now="13:00", known=lot("ann")),
        Drop(Dropped.SEEN),
    ),
    (
        "late and stale",
        lambda: judged(outbid(), now="13:00", known=lot("ann")),
        Drop(Dropped.LATE),
    ),
    ("stale and quiet", lambda: judged(outbid(), known=lot("ann"), **QUIET), Drop(Dropped.STALE)),
    ("quiet", lambda: judged(outbid(), **QUIET), Wait(at("18:00"))),
    ("a way that is off by default", lambda: judged(outbid(), way=Way.SMS), Drop(Dropped.UNWANTED)),
]


@pytest.mark.parametrize(
    ("call", "verdict"), [row[1:] for row in LADDER], ids=[r[0] for r in LADDER]
)
def test_the_first_reason_counts(call: Callable[[], Any], verdict: Any) -> None:
    assert call() == verdict


def test_who_wants_urgent_ones_gets_them_in_quiet_hours() -> None:
    assert isinstance(judged(outbid(), urgent_in_quiet=True, **QUIET), Send)
    won = outbid(kind=Kind.LOT_WON, facts=Facts(title="A pallet"))
    assert isinstance(judged(won, urgent_in_quiet=True, **QUIET), Wait)


def test_what_is_no_urgency_is_mailed_also_when_it_was_seen() -> None:
    won = outbid(kind=Kind.LOT_WON, facts=Facts(title="A pallet"))
    assert isinstance(judged(won, seen=True, way=Way.MAIL), Send)


def test_the_end_of_a_late_one_is_its_kinds() -> None:
    notice = outbid()
    assert isinstance(judged(notice, now="12:15"), Send)
    assert judged(notice, now="12:15:00.000001") == Drop(Dropped.LATE)


# Quiet hours.


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * SECOND_US


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02T21:59:59-06:00", None),
        ("2026-03-02T22:00:00-06:00", "2026-03-03T07:00:00-06:00"),
        ("2026-03-03T06:59:59-06:00", "2026-03-03T07:00:00-06:00"),
        ("2026-03-03T07:00:00-06:00", None),
        # The night in which the clocks go forward, and the one in which they go back.
        ("2026-03-07T23:00:00-06:00", "2026-03-08T07:00:00-05:00"),
        ("2026-03-08T01:30:00-06:00", "2026-03-08T07:00:00-05:00"),
        ("2026-10-31T23:00:00-05:00", "2026-11-01T07:00:00-06:00"),
        ("2026-11-01T01:30:00-06:00", "2026-11-01T07:00:00-06:00"),
    ],
)
def test_quiet_hours_over_midnight(now: str, until: str | None) -> None:
    settings = Settings(quiet_from=22 * 60, quiet_until=7 * 60)
    assert quiet_until_us(settings, CHICAGO, us(now)) == (None if until is None else us(until))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02T12:59:00-06:00", None),
        ("2026-03-02T13:00:00-06:00", "2026-03-02T14:30:00-06:00"),
        ("2026-03-02T14:30:00-06:00", None),
    ],
)
def test_quiet_hours_of_a_day(now: str, until: str | None) -> None:
    settings = Settings(quiet_from=13 * 60, quiet_until=14 * 60 + 30)
    assert quiet_until_us(settings, CHICAGO, us(now)) == (None if until is None else us(until))


def test_no_quiet_hours() -> None:
    for settings in (Settings(), Settings(quiet_from=60, quiet_until=60)):
        assert quiet_until_us(settings, CHICAGO, at("12:00")) is None


# Who it is for.


def person(name: str, *roles: Role, team: str = "ann") -> PersonEntry:
    return PersonEntry(
        person_id=PersonId(name),
        organisation_id=OrganisationId(team),
        name=name,
        mail=f"{name}@example.com",
        time_zone=CHICAGO,
        roles=frozenset(roles),
        ceiling_minor=None,
    )


TEAM = (
    person("kim", Role.BIDDER),
    person("lou", Role.BIDDER, Role.ADMIN),
    person("eve", Role.ADMIN),
)
KEY = (SaleId("S-1"), LotId("1"))


def audience(**changes: Any) -> Audience:
    return Audience(**{"teams": {ANN: TEAM}, "watchers": {}, "not_watching": {}} | changes)


def draft(kind: Kind = Kind.OUTBID, *people: PersonId, **changes: Any) -> Draft:
    settings: dict[str, Any] = {
        "event": ("S-1", 7),
        "at_us": at("12:00"),
        "facts": Facts(lots=1, closes_at_us=at("16:00"), title="A pallet"),
        "sale_id": SaleId("S-1"),
        "lot_id": LotId("1"),
        "to": (To(ANN, frozenset(people)),),
    }
    return Draft(kind=kind, **(settings | changes))


def told(*drafts: Draft, **changes: Any) -> set[str]:
    return {notice.person_id for notice in notices_of(drafts, audience(**changes))}


def test_those_who_bid_are_meant_or_else_all_who_may() -> None:
    assert told(draft(Kind.OUTBID, KIM)) == {"kim"}
    assert told(draft(Kind.OUTBID)) == {"kim", "lou"}
    assert told(draft(Kind.OUTBID, PersonId("long gone"))) == {"kim", "lou"}
    assert told(draft(Kind.OUTBID, EVE)) == {"kim", "lou"}  # bids no more
    assert told(draft(), teams={ANN: TEAM[2:]}) == {"eve"}
    assert told(draft(), teams={}) == set()


def test_whoever_watches_is_told_of_what_watchers_are_told() -> None:
    watchers = {KEY: frozenset({EVE})}
    assert told(draft(Kind.LOT_WITHDRAWN, KIM, watched=True), watchers=watchers) == {"kim", "eve"}
    assert told(draft(Kind.OUTBID, KIM), watchers=watchers) == {"kim"}


def test_who_does_not_watch_is_told_of_what_binds_all_the_same() -> None:
    changes = {"not_watching": {KEY: frozenset({KIM})}}
    assert told(draft(Kind.CLOSING_SOON, KIM, watched=True), **changes) == set()
    assert told(draft(Kind.LOT_WITHDRAWN, KIM, watched=True), **changes) == {"kim"}


def test_several_lots_of_one_event_are_one_notice_with_the_first_end() -> None:
    drafts = [
        draft(
            Kind.ENDS_MOVED,
            KIM,
            lot_id=LotId(number),
            of_sale=True,
            facts=Facts(lots=1, closes_at_us=at(end), title=f"Lot {number}"),
        )
        for number, end in (("1", "16:30"), ("2", "16:10"), ("3", "16:50"))
    ]
    (notice,) = notices_of(drafts, audience())
    assert (notice.facts.lots, notice.facts.closes_at_us, notice.lot_id) == (3, at("16:10"), None)
    (alone,) = notices_of(drafts[:1], audience())
    assert (alone.facts.title, alone.lot_id) == ("Lot 1", "1")


def test_of_a_war_the_newest_is_told_once_for_each_lot() -> None:
    drafts = [
        draft(Kind.OUTBID, KIM, event=("S-1", number), lot_id=LotId(name))
        for number, name in enumerate("12121")
    ]
    notices = notices_of(drafts, audience())
    assert [(n.lot_id, n.notice_id) for n in notices] == [
        ("1", notice_id_of(("S-1", 4), Kind.OUTBID, KIM)),
        ("2", notice_id_of(("S-1", 3), Kind.OUTBID, KIM)),
    ]


def test_the_id_is_the_same_for_the_same_and_another_for_anything_else() -> None:
    one = notice_id_of(("S-1", 7), Kind.OUTBID, KIM)
    assert one == notice_id_of(("S-1", 7), Kind.OUTBID, KIM)
    others = {
        notice_id_of(("S-1", 8), Kind.OUTBID, KIM),
        notice_id_of(("S-2", 7), Kind.OUTBID, KIM),
        notice_id_of(("S-1", "7"), Kind.OUTBID, KIM),
        notice_id_of(("S-1", 7), Kind.LOT_WON, KIM),
        notice_id_of(("S-1", 7), Kind.OUTBID, LOU),
    }
    assert len(others - {one}) == 5


def test_what_is_too_old_is_told_to_nobody() -> None:
    old = draft(Kind.OUTBID)
    assert fresh([old], at("12:10")) == [old]
    assert fresh([old], at("12:10") + 1) == []
    won = draft(Kind.LOT_WON)
    assert fresh([won], at("12:00") + 30 * 24 * HOUR_US) == [won]


def test_of_a_war_the_last_draft_for_each_side_is_kept() -> None:
    drafts = [
        draft(Kind.OUTBID, event=("S-1", number), to=(To(side),))
        for number, side in enumerate((ANN, BERT, ANN, BERT, ANN))
    ]
    assert fresh(drafts, at("12:00")) == drafts[3:]
    paused = [draft(Kind.SALE_RESUMED, lot_id=LotId(n), of_sale=True) for n in "12"]
    assert fresh(paused, at("12:00")) == paused


def test_each_is_told_of_an_end_in_their_own_time() -> None:
    notices = [
        outbid(kind=Kind.CLOSING_SOON, person_id=who, facts=Facts(lead_minutes=15))
        for who in (KIM, LOU)
    ]
    settings = {LOU: Settings(closing_soon_minutes=60)}
    assert in_their_time(notices, settings) == notices[:1]


# Tries.


def test_tries_end_and_a_lease_outlasts_a_try() -> None:
    pauses = [pause_us(tries) for tries in range(1, MAX_TRIES)]
    assert pauses == [SECOND_US, 4 * SECOND_US, 16 * SECOND_US, 64 * SECOND_US, 256 * SECOND_US]

    assert LEASE_US > CARRY_S * 1e6


# Keys.


def test_a_key_survives_its_setting_and_is_refused_if_it_is_none() -> None:
    scalar = new_scalar()
    assert scalar_of(base64url(scalar)) == scalar
    for bad in ("", "x", base64url(bytes(32)), base64url(b"\xff" * 32), base64url(scalar[:-1])):
        with pytest.raises(BadPushKey, match="must be 32 bytes"):
            scalar_of(bad)


def test_a_signature_is_used_again_until_half_its_time_is_over() -> None:
    now_s = 1_000_000.0
    key = PushKey(new_scalar(), "mailto:ops@example.com", lambda: now_s)
    first = key.authorization("https://push.example.com/a")
    assert key.authorization("https://push.example.com/b") == first
    assert key.authorization("https://other.example.com/a") != first
    now_s += 6 * 3_600
    assert key.authorization("https://push.example.com/a") != first


def test_a_link_is_its_persons_and_its_kinds_and_cannot_be_made_up() -> None:
    key = PushKey(new_scalar(), "mailto:ops@example.com").link_key
    token = token_of(key, KIM, Kind.OUTBID)
    assert read_token(key, token) == (KIM, Kind.OUTBID)
    assert read_token(bytes(32), token) is None
    for place in range(len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        assert read_token(key, token[:place] + other + token[place + 1 :]) is None
    assert read_token(key, "ä") is None
