"""Notices in words, and where they lead."""

import json

import pytest

from accounts.directory import PersonEntry
from accounts.ids import OrganisationId, PersonId
from auction.amounts import money
from auction.events import PassReason
from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.notices.addressing import Notice, NoticeId
from bidder_gateway.notices.carriers import Parcel
from bidder_gateway.notices.kinds import MANNERS, SMS_RHYTHM, Kind, Way, bundle_of, rhythm_of
from bidder_gateway.notices.links import path_of
from bidder_gateway.notices.rules import Facts
from bidder_gateway.notices.web_push import MAX_PAYLOAD, payload_of, topic_of
from bidder_gateway.notices.wording import words_of, words_of_several
from tests.builders import at

FACTS = Facts(
    title="Pallet of mixed returns",
    currency="USD",
    price_minor=120_00,
    next_minimum_minor=130_00,
    amount_minor=500_00,
    closes_at_us=at("16:05"),
    until_us=at("17:00"),
    dark_us=75_000_000,
    lots=3,
    reason="RESERVE_NOT_MET",
    paddle=101,
    state="APPROVED",
    search="drills",
    search_id="search-1",
)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("zone", [None, "America/Chicago"])
def test_every_kind_is_said_in_whole_sentences(kind: Kind, zone: str | None) -> None:
    words = words_of(kind, FACTS, "S-1", zone)
    assert words.title
    assert not words.title.endswith(".")
    assert words.text.rstrip().endswith(".") or kind is Kind.BIDS_VOIDED
    assert "None" not in words.title + words.text
    several = words_of_several(kind, [FACTS, FACTS], "S-1", zone)
    assert several.title
    assert several.title != words.title


def test_other_times_say_the_end_of_one_lot_and_the_first_of_several() -> None:
    one = Facts(title="Toys", closes_at_us=at("16:05"), lots=1)
    words = words_of(Kind.LOTS_RESCHEDULED, one, "S-1", "America/Chicago")
    assert words.title == "Other times in sale S-1"
    assert words.text == "The seller moved the times of Toys. It ends Mar 2, 10:05 CST."
    several = Facts(closes_at_us=at("16:05"), lots=3)
    words = words_of(Kind.LOTS_RESCHEDULED, several, "S-1", "America/Chicago")
    assert words.text == (
        "The seller moved the times of 3 of your lots. The first ends Mar 2, 10:05 CST."
    )


def test_a_corrected_answer_is_told_as_one() -> None:
    answered = Facts(title="Toys", reason="Twelve.")
    words = words_of(Kind.QUESTION_ANSWERED, answered, "S-1")
    assert words.title == "Your question about Toys is answered"
    assert words.text == "The seller says “Twelve.”."
    corrected = Facts(title="Toys", reason="Eleven.", state="CORRECTED")
    words = words_of(Kind.QUESTION_ANSWERED, corrected, "S-1")
    assert words.title == "Your question about Toys was answered anew"


def test_outbid_says_the_price_the_next_bid_and_the_end_in_the_readers_zone() -> None:
    words = words_of(Kind.OUTBID, FACTS, "S-1", "America/Chicago")
    assert words.title == "Outbid on Pallet of mixed returns"
    assert words.text == (
        "The current bid is $120; the next can be $130 or more. It ends Mar 2, 10:05 CST."
    )
    on_a_page = words_of(Kind.OUTBID, FACTS, "S-1")
    assert on_a_page.text == "The current bid is $120; the next can be $130 or more."


@pytest.mark.parametrize("reason", PassReason)
def test_why_a_lot_was_not_sold(reason: PassReason) -> None:
    words = words_of(Kind.LOT_LOST, Facts(title="A", currency="USD", reason=reason), "S-1")
    assert words.text.endswith("so it was not sold.")


def test_many_lots_are_counted_and_the_first_ones_named() -> None:
    facts = [Facts(title=f"Lot {number}", currency="USD") for number in range(1, 6)]
    words = words_of_several(Kind.LOT_WON, facts, "S-1")
    assert (words.title, words.text) == ("You won 5 lots", "Lot 1; Lot 2; Lot 3 and 2 more")


def test_amounts_are_said_as_pages_say_them() -> None:
    assert money(125000, "USD") == "$1,250"
    assert money(125050, "USD") == "$1,250.50"
    assert money(5, "USD") == "$0.05"
    assert money(1234, "JPY") == "¥1,234"
    assert money(1234500, "KWD") == "KWD 1,234.500"
    assert money(-123456789, "EUR") == "-€1,234,567.89"


def test_a_link_to_a_lot_carries_the_amount_to_ask_about() -> None:
    link = path_of(Kind.OUTBID, "S-1", "a lot/1", amount_minor=13_000)
    assert link == "/sales/S-1/lots/a%20lot%2F1?bid=13000"
    assert path_of(Kind.LOT_WON, "S-1", "1", amount_minor=13_000) == "/sales/S-1/lots/1"
    assert path_of(Kind.SALE_PAUSED, "S-1", None) == "/sales/S-1"
    assert path_of(Kind.APPROVAL_DECIDED, None, None) == "/account/approval"
    assert path_of(Kind.QUESTION_ANSWERED, "S-1", "1") == "/sales/S-1/lots/1#questions"
    assert path_of(Kind.QUESTION_ASKED, "S-1", "1") == "/desk/questions"


# Pushes.

READER = PersonEntry(
    person_id=PersonId("kim"),
    organisation_id=OrganisationId("ann"),
    name="Kim",
    mail="kim@example.com",
    time_zone="America/Chicago",
    roles=frozenset(),
    ceiling_minor=None,
)


def notice(kind: Kind = Kind.OUTBID, lot: str = "1", facts: Facts = FACTS) -> Notice:
    return Notice(
        notice_id=NoticeId(f"notice-{lot}"),
        person_id=PersonId("kim"),
        bidder_id=BidderId("ann"),
        kind=kind,
        sale_id=SaleId("S-1"),
        lot_id=LotId(lot),
        topic=None,
        at_us=at("16:00"),
        facts=facts,
    )


def parcel(*notices: Notice) -> Parcel:
    return Parcel(reader=READER, device="device-1", phone=None, notices=notices)


def test_a_push_of_the_longest_titles_is_short_enough() -> None:
    for kind in Kind:
        known = Facts(
            title="\U0001f4e6" * 200,
            currency="USD",
            price_minor=2**53,
            next_minimum_minor=2**53,
            amount_minor=2**53,
            reason="" if kind is Kind.LOT_LOST else "\U0001f4e6" * 200,
            state="APPROVED",
            search="\U0001f4e6" * 60,
            search_id="s" * 64,
        )
        assert len(payload_of(parcel(notice(kind, "L" * 64, known)))) <= MAX_PAYLOAD


def test_a_push_about_several_lots_of_a_sale_leads_to_the_sale() -> None:
    push = json.loads(payload_of(parcel(notice(Kind.LOT_WON, "1"), notice(Kind.LOT_WON, "2"))))
    assert (push["title"], push["url"]) == ("You won 2 lots", "/sales/S-1")


def test_the_service_reads_no_lot_in_a_topic() -> None:
    one, other = topic_of(notice(lot="1")), topic_of(notice(lot="2"))
    assert one != other
    assert len(one) == len(other) == 24
    assert "S-1" not in one


# The table of kinds.


def test_every_kind_may_come_in_the_ways_that_it_comes_by_default() -> None:
    assert set(MANNERS) == set(Kind)
    for manner in MANNERS.values():
        assert manner.default <= manner.possible
        assert Way.PAGE in manner.default
        assert manner.title


def test_outbid_goes_out_at_once_and_is_gathered_in_mails() -> None:
    push, mail = rhythm_of(Kind.OUTBID, Way.PUSH), rhythm_of(Kind.OUTBID, Way.MAIL)
    assert push.wait_us == 0
    assert push.gap_us < 5_000_000
    assert mail.wait_us >= 20_000_000
    assert rhythm_of(Kind.OUTBID, Way.SMS) is SMS_RHYTHM


def test_what_goes_out_together() -> None:
    assert bundle_of(Kind.OUTBID, Way.PUSH, "S-1", "1") == "OUTBID/S-1/1"
    assert bundle_of(Kind.OUTBID, Way.MAIL, "S-1", "1") == "OUTBID"
    assert bundle_of(Kind.LOT_WON, Way.PUSH, "S-1", "1") == "LOT_WON/S-1"
    assert bundle_of(Kind.SEARCH_MATCHED, Way.PUSH, "S-1", None) == "SEARCH_MATCHED"
