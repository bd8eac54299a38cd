"""The small rules of accounts: passwords, names, addresses, waits, documents, states."""

import string

import msgspec
import pytest

from accounts import letters
from accounts.approval_states import (
    ApprovalState,
    decisions_from,
    may_submit,
)
from accounts.clock import MINUTE_US, SECOND_US
from accounts.ids import WORD, new_id
from accounts.passwords import check_password
from accounts.refusals import MEANINGS, Refusal, Refused
from accounts.secret import Secret, digest_of, new_secret
from accounts.slow_down import ACCOUNT, ADDRESS, ASKING, CODE, MAILBOX, Pace, delay_us, network_of
from accounts.sniffing import LARGEST, media_type_of
from accounts.texts import Paragraph, PersonName, checked_name, mail_address, time_zone

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9"
PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def refusal_of(call: object, *arguments: object) -> Refusal | None:
    assert callable(call)
    try:
        call(*arguments)
    except Refused as refused:
        return refused.refusal
    return None


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "Grüße aus Köln, 1998",
        "tr0ub4dor&3xyz",
        "  spaces at both ends  ",
        "日本語のパスワードです、長い",
        "my password is a long secret story",
    ],
)
def test_a_long_password_is_taken(password: str) -> None:
    assert refusal_of(check_password, password, "Kim Hart", "kim@example.com") is None


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("short", Refusal.PASSWORD_TOO_SHORT),
        ("elevenchars", Refusal.PASSWORD_TOO_SHORT),
        ("x" * 129, Refusal.PASSWORD_TOO_LONG),
        ("aaaaaaaaaaaa", Refusal.PASSWORD_TOO_COMMON),
        ("abababababab", Refusal.PASSWORD_TOO_COMMON),
        ("123456789012", Refusal.PASSWORD_TOO_COMMON),
        ("Password123!", Refusal.PASSWORD_TOO_COMMON),
        ("qwertyuiop12", Refusal.PASSWORD_TOO_COMMON),
        ("Softclose2026", Refusal.PASSWORD_TOO_COMMON),
        ("abcdefghijklm", Refusal.PASSWORD_TOO_COMMON),
        ("house7house7", Refusal.PASSWORD_TOO_COMMON),
        ("!!!!!!!!!!!!", Refusal.PASSWORD_TOO_COMMON),
        ("kimhart+kimhart26", Refusal.PASSWORD_NAMES_YOU),
        ("harts-resale-26", Refusal.PASSWORD_NAMES_YOU),
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str, refusal: Refusal) -> None:
    names = ("Kim Hart", "Hart's Resale", "kimhart@example.com")
    assert refusal_of(check_password, password, *names) is refusal


def test_mail_addresses_have_one_spelling() -> None:
    assert mail_address("  Kim.Hart+bids@Example.COM ") == "kim.hart+bids@example.com"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "kim",
        "kim@",
        "@example.com",
        "kim@localhost",
        "kim@exa mple.com",
        "kim@example.com\nBcc: all@example.com",
        "kim@example.com\0",
        "a@b@example.com",
        "kim@-example.com",
        "kím@example.com",
        "kim@example.com, ann@example.com",
        "<kim@example.com>",
        f"{'k' * 65}@example.com",
        f"kim@{'e' * 250}.com",
    ],
)
def test_what_is_no_mail_address_is_refused(bad: str) -> None:
    assert refusal_of(mail_address, bad) is Refusal.BAD_MAIL


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "  ",
        "two\nlines",
        "nul\0",
        "bell\a",
        "\u202egnp.exe",
        "\u2066x\u2069",
        "x" * 101,
        "\x85",
    ],
)
def test_a_name_is_plain_text_on_one_line(bad: str) -> None:
    with pytest.raises(Refused):
        checked_name(bad, field="name", most=100)


@pytest.mark.parametrize(
    "name", ["O'Brien; DROP TABLE person", "<script>alert(1)</script>", "李雷"]
)
def test_a_name_is_kept_as_it_is_written(name: str) -> None:
    assert checked_name(name, field="name", most=100) == name
    assert msgspec.convert(name, PersonName) == name


def test_a_paragraph_has_lines_and_no_control_characters() -> None:
    assert msgspec.convert("two\nlines\tand a tab", Paragraph)
    for bad in ("nul\0", "\u202e", "\x1b[31m"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, Paragraph)


def test_a_time_zone_is_one_of_the_database() -> None:
    assert time_zone("America/Chicago") == "America/Chicago"
    for bad in ("Mars/Olympus", "../../etc/passwd", ""):
        assert refusal_of(time_zone, bad) is Refusal.BAD_TIME_ZONE


def test_waits_double_up_to_a_bound() -> None:
    pace = Pace(free=2, first_us=SECOND_US, most_us=10 * SECOND_US)
    waits = [delay_us(pace, count) // SECOND_US for count in range(1, 9)]
    assert waits == [0, 0, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("pace", [ACCOUNT, ADDRESS, ASKING, CODE, MAILBOX])
def test_no_wait_outlasts_a_persons_patience(pace: Pace) -> None:
    assert delay_us(pace, 10**9) == pace.most_us <= 60 * MINUTE_US


def test_ipv6_neighbours_count_as_one() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::"
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("unknown") == "unknown"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (JPEG + bytes(9), "image/jpeg"),
        (PDF, "application/pdf"),
    ],
)
def test_documents_are_known_by_their_bytes(data: bytes, media_type: str) -> None:
    assert media_type_of(data) == media_type


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7 cut off",
        PNG[:-3],
        JPEG[:-2],
        b"GIF89a" + bytes(10),
        b"PK\x03\x04" + bytes(30),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ" + bytes(60),
        b"\n" + PDF,
    ],
)
def test_what_is_no_whole_document_is_refused(data: bytes) -> None:
    assert refusal_of(media_type_of, data) is Refusal.DOCUMENT_UNREADABLE


def test_a_document_is_bounded() -> None:
    assert refusal_of(media_type_of, b"%PDF-" + bytes(LARGEST)) is Refusal.DOCUMENT_TOO_LARGE


def test_only_its_applicant_submits_and_only_staff_decide() -> None:
    assert [state for state in ApprovalState if may_submit(state)] == ["DRAFT", "NEEDS_MORE"]
    moves = {state: sorted(decisions_from(state)) for state in ApprovalState}
    assert moves == {
        "DRAFT": [],
        "SUBMITTED": ["APPROVED", "DECLINED", "NEEDS_MORE"],
        "NEEDS_MORE": ["DECLINED"],
        "APPROVED": ["SUSPENDED"],
        "DECLINED": ["NEEDS_MORE"],
        "SUSPENDED": ["APPROVED", "DECLINED"],
    }


def test_secrets_differ_and_only_their_digest_is_looked_up() -> None:
    secrets = {new_secret("sc_") for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 46 and secret.startswith("sc_") for secret in secrets)
    assert len(digest_of(secrets.pop())) == 32
    assert digest_of("x" * 10_000) == b""
    assert len(digest_of("\ud800")) == 32


def test_ids_are_words_for_the_engine() -> None:
    made = {new_id("person") for _ in range(100)}
    assert len(made) == 100
    assert all(WORD.fullmatch(one) for one in made)


def test_every_refusal_says_what_to_do() -> None:
    assert set(MEANINGS) == set(Refusal)
    assert all(text.endswith(".") for text in MEANINGS.values())


def test_letters_are_plain_lines_of_ascii() -> None:
    secret = Secret("x" * 43)
    written = [
        letters.confirm_sign_up("a@b.example", "https://s", secret),
        letters.already_signed_up("a@b.example", "https://s"),
        letters.reset_password("a@b.example", "https://s", secret),
        letters.password_changed("a@b.example", "https://s"),
        letters.confirm_mail("a@b.example", "https://s", secret),
        letters.mail_changed("a@b.example"),
        letters.second_factor_changed("a@b.example", "https://s", now_set=True),
        letters.invitation("a@b.example", "https://s", "Hart", secret),
        letters.application_decided("a@b.example", "https://s", "Declined", "Because."),
        letters.certificate_expires("a@b.example", "https://s", "Ohio", "2027-01-01"),
    ]
    for letter in written:
        assert set(letter.text) <= set(string.printable)
        assert letter.subject.isprintable()
