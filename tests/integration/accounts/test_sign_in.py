"""Signing in and out, through the pages: what comes in, what is kept, who waits."""

import asyncio
import io
import logging

import pytest
import structlog
from argon2 import PasswordHasher

from accounts import second_factor, signing_in
from accounts.clock import DAY_US, MINUTE_US
from accounts.identity import OrganisationKind, Role
from accounts.refusals import Refusal, Refused
from foundation.database import acquire, transaction
from foundation.logs import LogFormat, LogLevel, configure_logs
from tests.accounts import PASSWORD, VISITOR, House, session_id_of
from tests.accounts_site import Client, Site

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM = "kim@example.com"
WRONG = "not the right password"


async def sign_in(client: Client, mail: str = KIM, password: str = PASSWORD) -> int:
    return (await client.post("/sign-in", {"mail": mail, "password": password})).status


async def enrol(home: House, mail: str = KIM, kind: OrganisationKind = HOUSE) -> str:
    """Somebody with a second factor; its secret."""
    person_id = await home.member(kind, mail=mail)
    _, identity = await home.session(person_id, second_factor=False)
    enrolment = await second_factor.begin(home.room, person_id)
    code = second_factor.code_at(enrolment.secret, home.clock())
    await second_factor.confirm(home.room, person_id, session_id_of(identity), code, VISITOR.actor)
    home.clock.advance(30)  # that code is spent
    return enrolment.secret


async def test_a_person_signs_in_with_address_and_password(home: House, site: Site) -> None:
    await home.member(RESELLER)
    client = site.client()
    answer = await client.post("/sign-in", {"mail": " Kim@Example.com ", "password": PASSWORD})
    assert (answer.status, answer.location) == (303, "/")
    assert (await client.get("/account")).status == 200


async def test_cookies_are_for_this_host_only_and_out_of_scripts_reach(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    answer = await site.client().post("/sign-in", {"mail": KIM, "password": PASSWORD})
    kept = {name: morsel for name, morsel in answer.cookies.items() if morsel.value}
    assert set(kept) == {"__Host-session", "__Host-device"}
    for morsel in kept.values():
        assert morsel["secure"] is True
        assert morsel["httponly"] is True
        assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Lax", "/", "")


async def test_a_session_is_never_taken_over_from_before_the_sign_in(
    home: House, site: Site
) -> None:
    person_id = await home.member(RESELLER)
    client = await site.as_person(person_id)
    planted = client.cookies["__Host-session"]
    assert await sign_in(client) == 303
    assert client.cookies["__Host-session"] != planted
    old = site.client()
    old.cookies["__Host-session"] = planted
    assert (await old.get("/account")).status == 303
    unknown = site.client()
    unknown.cookies["__Host-session"] = "chosen-by-somebody-else"
    assert await sign_in(unknown) == 303
    assert unknown.cookies["__Host-session"] != "chosen-by-somebody-else"


async def test_after_signing_in_one_is_where_one_wanted_to_be(home: House, site: Site) -> None:
    await home.member(RESELLER)
    client = site.client()
    answer = await client.get("/account/sessions?x=1")
    assert answer.location == "/sign-in?next=/account/sessions?x%3D1"
    fields = {"mail": KIM, "password": PASSWORD, "next": "/account/sessions?x=1"}
    assert (await client.post("/sign-in", fields)).location == "/account/sessions?x=1"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "a"]
)
async def test_nobody_is_sent_to_another_site(home: House, site: Site, elsewhere: str) -> None:
    await home.member(RESELLER)
    fields = {"mail": KIM, "password": PASSWORD, "next": elsewhere}
    assert (await site.client().post("/sign-in", fields)).location == "/"


async def test_an_unknown_address_gets_the_answer_of_a_wrong_password(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)

    async def answer(mail: str) -> tuple[int, str]:
        got = await site.client().post("/sign-in", {"mail": mail, "password": WRONG})
        return got.status, got.text.replace(mail, "")

    known, unknown = await answer(KIM), await answer("nobody@example.com")
    assert known == unknown
    assert known[0] == 422


async def test_an_unknown_address_costs_the_same_verification(home: House) -> None:
    await home.member(RESELLER)
    passwords, costs = home.room.passwords, []
    for mail in (KIM, "nobody@example.com", "no address"):
        before = passwords.verified
        with pytest.raises(Refused):
            await signing_in.with_password(home.room, mail, WRONG, VISITOR)
        costs.append(passwords.verified - before)
    assert costs == [1, 1, 1]


async def test_somebody_without_a_password_cannot_sign_in(home: House) -> None:
    person_id = await home.member(RESELLER)
    async with transaction(home.room.pool) as connection:
        await connection.execute(
            "update person set password_hash = null where person_id = $1", person_id
        )
    for password in (PASSWORD, "nobody has this password", ""):
        with pytest.raises(Refused) as caught:
            await signing_in.with_password(home.room, KIM, password, VISITOR)
        assert caught.value.refusal is Refusal.WRONG_CREDENTIALS


@pytest.mark.parametrize("mail", [KIM, "nobody@example.com"])
async def test_guessing_gets_slower_for_known_and_unknown_alike(
    home: House, site: Site, mail: str
) -> None:
    await home.member(RESELLER)
    client = site.client()
    assert [await sign_in(client, mail, WRONG) for _ in range(6)] == [422] * 6
    waits = []
    for _ in range(8):
        answer = await client.post("/sign-in", {"mail": mail, "password": WRONG})
        assert answer.status == 429
        waits.append(int(answer.headers["Retry-After"]))
        home.clock.advance(waits[-1])
        assert await sign_in(client, mail, WRONG) == 422
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_right_password_does_not_get_past_the_wait(home: House, site: Site) -> None:
    await home.member(RESELLER)
    client = site.client()
    for _ in range(6):
        await sign_in(client, password=WRONG)
    assert await sign_in(client) == 429
    home.clock.advance(1)
    assert await sign_in(client) == 303
    assert await sign_in(site.client(), password=WRONG) == 422  # and it starts anew


async def test_a_hundred_guesses_at_once_are_a_hundred(home: House) -> None:
    await home.member(RESELLER)

    async def guess() -> Refusal:
        with pytest.raises(Refused) as caught:
            await signing_in.with_password(home.room, KIM, WRONG, VISITOR)
        return caught.value.refusal

    answers = [await one for one in asyncio.as_completed([guess() for _ in range(40)])]
    assert answers.count(Refusal.WRONG_CREDENTIALS) == 6
    assert answers.count(Refusal.TOO_SOON) == 34


async def test_strangers_who_guess_do_not_keep_the_owner_out(home: House, site: Site) -> None:
    await home.member(RESELLER)
    own = site.client()
    assert await sign_in(own) == 303
    for _ in range(30):
        await sign_in(site.client(), password=WRONG)
    assert await sign_in(site.client()) == 429
    assert await sign_in(own) == 303  # the browser that is known


async def test_a_known_device_is_slowed_down_too(home: House, site: Site) -> None:
    await home.member(RESELLER)
    own = site.client()
    assert await sign_in(own) == 303
    answers = [await sign_in(own, password=WRONG) for _ in range(7)]
    assert answers == [422] * 6 + [429]


async def test_a_device_that_is_known_for_one_is_not_for_another(home: House, site: Site) -> None:
    await home.member(RESELLER)
    await home.member(RESELLER, mail="ann@example.com")
    own = site.client()
    assert await sign_in(own) == 303
    for _ in range(6):
        await sign_in(site.client(), "ann@example.com", WRONG)
    assert await sign_in(own, "ann@example.com") == 429


async def test_one_address_that_tries_many_accounts_is_slowed_down(home: House, site: Site) -> None:
    answers = [await sign_in(site.client(), f"p{n}@example.com", WRONG) for n in range(33)]
    assert answers == [422] * 31 + [429] * 2
    home.clock.advance(60)
    assert await sign_in(site.client(), "p99@example.com", WRONG) == 422


async def test_signing_in_as_oneself_does_not_hide_guesses_at_others(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    statuses = []
    for n in range(32):
        statuses.append(await sign_in(site.client(), f"p{n}@example.com", WRONG))
        if n % 10 == 9:
            assert await sign_in(site.client()) in {303, 429}
    assert 429 in statuses


async def test_guesses_are_forgotten_after_a_day(home: House, site: Site) -> None:
    await home.member(RESELLER)
    for _ in range(6):
        await sign_in(site.client(), password=WRONG)
    home.clock.now_us += DAY_US + MINUTE_US
    assert [await sign_in(site.client(), password=WRONG) for _ in range(5)] == [422] * 5


async def test_a_password_made_with_old_parameters_is_hashed_anew(home: House) -> None:
    person_id = await home.member(RESELLER)
    before = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    async with transaction(home.room.pool) as connection:
        await connection.execute("update person set password_hash = $1", before)
    await signing_in.with_password(home.room, KIM, PASSWORD, VISITOR)
    async with acquire(home.room.pool) as connection:
        after = await connection.fetchval(
            "select password_hash from person where person_id = $1", person_id
        )
    assert before.startswith("$argon2id$v=19$m=16,t=1,p=1$")
    assert after.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    await signing_in.with_password(home.room, KIM, PASSWORD, VISITOR)


async def test_staff_without_a_second_factor_can_do_nothing_but_set_it_up(
    home: House, site: Site
) -> None:
    await home.member(HOUSE)
    client = await site.sign_in(KIM)
    for path in ("/staff/applications", "/staff/organisations", "/account/tokens"):
        answer = await client.get(path)
        assert (answer.status, answer.location) == (303, "/account/second-factor")
    assert (await client.send("GET", "/api/v1/organisations")).status == 403
    assert (await client.get("/account/second-factor")).status == 200


async def test_whoever_has_a_second_factor_needs_both(home: House, site: Site) -> None:
    secret = await enrol(home)
    client = site.client()
    answer = await client.post("/sign-in", {"mail": KIM, "password": PASSWORD, "next": "/account"})
    assert (answer.status, answer.location) == (303, "/sign-in/code?next=%2Faccount")
    assert "__Host-session" not in client.cookies
    assert (await client.get("/account")).status == 303
    code = second_factor.code_at(secret, home.clock())
    answer = await client.post("/sign-in/code", {"code": code, "next": "/account"})
    assert (answer.status, answer.location) == (303, "/account")
    assert "__Host-sign-in" not in client.cookies
    assert (await client.get("/staff/organisations")).status == 200


async def test_a_wrong_password_does_not_tell_that_there_is_a_second_factor(
    home: House, site: Site
) -> None:
    await enrol(home)
    answer = await site.client().post("/sign-in", {"mail": KIM, "password": WRONG})
    assert answer.status == 422
    assert "ode" not in answer.text.partition("<main")[2].partition("</main")[0]


async def test_a_code_works_once(home: House, site: Site) -> None:
    secret = await enrol(home)
    code = second_factor.code_at(secret, home.clock())
    first, second = site.client(), site.client()
    for client in (first, second):
        await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert (await first.post("/sign-in/code", {"code": code})).status == 303
    assert (await second.post("/sign-in/code", {"code": code})).status == 422


async def test_of_many_equal_codes_at_once_one_is_taken(home: House, site: Site) -> None:
    secret = await enrol(home)
    code = second_factor.code_at(secret, home.clock())
    clients = [site.client() for _ in range(4)]
    for client in clients:
        await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    tries = (client.post("/sign-in/code", {"code": code}) for client in clients)
    statuses = [answer.status for answer in await asyncio.gather(*tries)]
    assert sorted(statuses) == [303, 422, 422, 422]


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
async def test_a_code_is_good_for_half_a_minute_to_either_side(
    home: House, site: Site, steps: int, status: int
) -> None:
    secret = await enrol(home)
    home.clock.advance(300)
    client = site.client()
    await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    code = second_factor.code_at(secret, home.clock() + steps * second_factor.STEP_US)
    assert (await client.post("/sign-in/code", {"code": code})).status == status


async def test_after_five_wrong_codes_the_password_is_asked_for_again(
    home: House, site: Site
) -> None:
    secret = await enrol(home)
    client = site.client()
    await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    for _ in range(5):
        assert (await client.post("/sign-in/code", {"code": "000000"})).status == 422
    code = second_factor.code_at(secret, home.clock())
    answer = await client.post("/sign-in/code", {"code": code})
    assert (answer.status, answer.location) == (303, "/sign-in")


async def test_guessing_codes_gets_slower_over_many_passwords(home: House, site: Site) -> None:
    await enrol(home)
    statuses = []
    for _ in range(2):
        client = site.client()
        await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
        statuses += [
            (await client.post("/sign-in/code", {"code": "000000"})).status for _ in range(4)
        ]
    assert statuses == [422] * 6 + [429] * 2


async def test_the_step_between_password_and_code_expires(home: House, site: Site) -> None:
    secret = await enrol(home)
    client = site.client()
    await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    home.clock.advance(300)
    code = second_factor.code_at(secret, home.clock())
    answer = await client.post("/sign-in/code", {"code": code})
    assert answer.location == "/sign-in"


@pytest.mark.parametrize("code", ["", "1234567", "٠١٢٣٤٥", "'; drop table person; --", "x" * 65])
async def test_what_is_no_code_is_refused(home: House, site: Site, code: str) -> None:
    await enrol(home)
    client = site.client()
    await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert (await client.post("/sign-in/code", {"code": code})).status == 422


async def test_signing_out_ends_the_session(home: House, site: Site) -> None:
    await home.member(RESELLER)
    client = await site.sign_in(KIM)
    kept = dict(client.cookies)
    answer = await client.post("/sign-out")
    assert answer.location == "/"
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert "__Host-session" not in client.cookies
    client.cookies = kept
    assert (await client.get("/account")).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": ""},
    ],
)
async def test_a_form_of_another_site_is_refused(
    home: House, site: Site, headers: dict[str, str]
) -> None:
    client = await site.as_person(await home.member(RESELLER, Role.ADMIN))
    sent = {name: value for name, value in headers.items() if value}
    for path, fields in (
        ("/sign-out", {}),
        ("/account", {"name": "x", "time_zone": "UTC"}),
        ("/sign-in", {"mail": KIM, "password": PASSWORD}),
    ):
        assert (await client.send("POST", path, fields, sent)).status == 403
    assert (await client.get("/account")).status == 200


async def test_neither_logs_nor_tables_hold_what_was_typed_or_given_out(
    home: House, site: Site
) -> None:
    written = io.StringIO()
    configure_logs(LogLevel.DEBUG, LogFormat.JSON, written)
    try:
        secret = await enrol(home)
        client = site.client()
        await client.post("/sign-in", {"mail": KIM, "password": WRONG})
        await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
        step = client.cookies["__Host-sign-in"]
        code = second_factor.code_at(secret, home.clock())
        await client.post("/sign-in/code", {"code": code})
        secrets = [PASSWORD, WRONG, step, *client.cookies.values()]
    finally:
        structlog.reset_defaults()
        logging.basicConfig(force=True)
    said = written.getvalue()
    assert "sign_in_refused" in said
    assert not [one for one in [*secrets, secret, KIM, code] if one in said]
    dump = await everything(home)
    assert KIM in dump  # the search finds what is there
    assert not [one for one in secrets if one in dump]


async def everything(home: House) -> str:
    """All that the tables hold, as text."""
    async with acquire(home.room.pool) as connection:
        tables = await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        rows = [
            str(await connection.fetch(f"select t::text from {table[0]} t"))  # noqa: S608
            for table in tables
        ]
    return "\n".join(rows)
