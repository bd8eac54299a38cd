"""What people change about themselves, through the pages and the API."""

import pytest

from accounts import second_factor, sessions, tokens
from accounts.clock import DAY_US
from accounts.identity import OrganisationKind, Role
from foundation.database import transaction
from tests.accounts import PASSWORD, House
from tests.accounts_site import Client, Site

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM, NEW = "kim@example.com", "new@example.com"
OTHER = "another long pass phrase"


async def test_a_profile_is_changed(home: House, site: Site) -> None:
    client = await site.as_person(await home.member(RESELLER))
    fields = {"name": "Kim & <b>Sons</b>", "time_zone": "Europe/Paris"}
    assert (await client.post("/account", fields)).status == 303
    shown = (await client.get("/account")).text
    assert "Kim &amp; &lt;b&gt;Sons&lt;/b&gt;" in shown
    assert "<b>Sons" not in shown
    for bad in ({"name": "a\nb", "time_zone": "UTC"}, {"name": "", "time_zone": "UTC"}):
        assert (await client.post("/account", bad)).status == 422


async def test_a_changed_password_ends_other_sessions_and_rotates_this_one(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    client, elsewhere = await site.sign_in(KIM), await site.sign_in(KIM)
    before = client.cookies["__Host-session"]
    fields = {"password": PASSWORD, "new_password": OTHER}
    assert (await client.post("/account/password", fields)).status == 303
    assert client.cookies["__Host-session"] != before
    assert (await client.get("/account")).status == 200
    assert (await elsewhere.get("/account")).status == 303
    copy = site.client()
    copy.cookies["__Host-session"] = before
    assert (await copy.get("/account")).status == 303
    await site.sign_in(KIM, OTHER)
    assert home.post.to(KIM)[-1].subject == "Your password was changed"


@pytest.mark.parametrize(
    ("password", "new_password", "message"),
    [
        ("not my password", OTHER, "This is not your password"),
        (PASSWORD, "short", "At least 12 characters"),
        (PASSWORD, "kim-hart-2026", "little more than a name"),
    ],
)
async def test_a_password_is_changed_by_who_knows_it_to_a_good_one(
    home: House, site: Site, password: str, new_password: str, message: str
) -> None:
    await home.member(RESELLER)
    client = await site.sign_in(KIM)
    fields = {"password": password, "new_password": new_password}
    answer = await client.post("/account/password", fields)
    assert answer.status == 422
    assert message in answer.text
    assert password not in answer.text
    assert home.post.letters == []


async def test_guessing_the_own_password_gets_slower(home: House, site: Site) -> None:
    client = await site.as_person(await home.member(RESELLER))
    fields = {"password": "a guess, not it", "new_password": OTHER}
    statuses = [(await client.post("/account/password", fields)).status for _ in range(8)]
    assert statuses == [422] * 6 + [429] * 2


async def test_another_mail_address_is_confirmed_where_one_is_signed_in(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    client, elsewhere = await site.sign_in(KIM), await site.sign_in(KIM)
    asked = await client.post("/account/mail", {"mail": NEW, "password": PASSWORD})
    assert asked.status == 200
    link = home.post.link(NEW)
    stranger = await site.as_person(await home.member(RESELLER, mail="ann@example.com"))
    assert (await stranger.post(link)).status == 410
    assert (await client.get(link)).status == 200
    before = client.cookies["__Host-session"]
    assert (await client.post(link)).status == 303
    assert client.cookies["__Host-session"] != before
    assert (await elsewhere.get("/account")).status == 303
    assert home.post.to(KIM)[-1].subject == "Your mail address was changed"
    old = await site.client().post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert old.status == 422
    await site.sign_in(NEW)
    assert (await client.post(link)).status == 410


async def test_an_address_that_is_somebodys_gets_no_link_and_is_not_told_apart(
    home: House, site: Site
) -> None:
    await home.member(RESELLER, mail="ann@example.com")
    client = await site.as_person(await home.member(RESELLER))
    taken = await client.post("/account/mail", {"mail": "ann@example.com", "password": PASSWORD})
    free = await client.post("/account/mail", {"mail": NEW, "password": PASSWORD})
    assert taken.status == free.status == 200
    assert taken.text.replace("ann@example.com", "") == free.text.replace(NEW, "")
    assert home.post.to("ann@example.com") == []


async def test_nobody_fills_anothers_mailbox_with_links(home: House, site: Site) -> None:
    client = await site.as_person(await home.member(RESELLER))
    fields = {"mail": NEW, "password": PASSWORD}
    statuses = [(await client.post("/account/mail", fields)).status for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2
    assert len(home.post.to(NEW)) == 4


async def test_a_mail_link_lasts_a_day(home: House, site: Site) -> None:
    person_id = await home.member(RESELLER)
    client = await site.as_person(person_id)
    await client.post("/account/mail", {"mail": NEW, "password": PASSWORD})
    home.clock.now_us += DAY_US
    client = await site.as_person(person_id)
    assert (await client.post(home.post.link(NEW))).status == 410


async def set_up(home: House, client: Client) -> tuple[str, str]:
    """Set up a second factor through the page: its secret, and the page with the codes."""
    shown = (await client.get("/account/second-factor")).text
    secret = shown.split('<code class="key">')[1].split("<")[0]
    code = second_factor.code_at(secret, home.clock())
    fields = {"code": code, "password": PASSWORD}
    answer = await client.post("/account/second-factor", fields)
    assert answer.status == 200, answer.text
    return secret, answer.text


async def test_a_second_factor_is_set_up_with_a_code_and_the_password(
    home: House, site: Site
) -> None:
    await home.member(HOUSE)
    client, elsewhere = await site.sign_in(KIM), await site.sign_in(KIM)
    before = client.cookies["__Host-session"]
    fields = {"code": "000000", "password": PASSWORD}
    assert (await client.post("/account/second-factor", fields)).status == 409  # nothing begun
    shown = (await client.get("/account/second-factor")).text
    assert "data:image/svg+xml" in shown
    assert (await client.post("/account/second-factor", fields)).status == 422
    fields = {"code": "123456", "password": "not my password"}
    assert (await client.post("/account/second-factor", fields)).status == 422
    _, codes = await set_up(home, client)
    assert codes.count("<code>") == 10
    assert client.cookies["__Host-session"] != before
    assert (await elsewhere.get("/account")).status == 303
    assert (await client.get("/staff/applications")).status == 200
    assert home.post.to(KIM)[-1].subject.startswith("A second factor was set up")
    fields = {"code": "000000", "password": PASSWORD}
    again = await client.post("/account/second-factor", fields)
    assert again.status == 409  # there is one already


async def test_a_recovery_code_signs_in_once(home: House, site: Site) -> None:
    await home.member(RESELLER)
    _, shown = await set_up(home, await site.sign_in(KIM))
    code = shown.split("<code>")[1].split("<")[0]

    async def use(typed: str) -> int:
        home.clock.advance(60)
        client = site.client()
        await client.post("/sign-in", {"mail": KIM, "password": PASSWORD})
        return (await client.post("/sign-in/code", {"code": typed})).status

    assert await use(code.upper().replace("-", " ")) == 303
    assert await use(code) == 422


async def test_new_recovery_codes_end_the_old_ones(home: House, site: Site) -> None:
    await home.member(RESELLER)
    client = await site.sign_in(KIM)
    _, shown = await set_up(home, client)
    old = shown.split("<code>")[1].split("<")[0]
    made = await client.post("/account/second-factor/codes", {"password": PASSWORD})
    assert made.status == 200
    assert old not in made.text
    wrong = await client.post("/account/second-factor/codes", {"password": "not mine, no"})
    assert wrong.status == 422
    other = site.client()
    await other.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert (await other.post("/sign-in/code", {"code": old})).status == 422


async def test_a_reseller_may_do_without_a_second_factor_and_staff_may_not(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    client = await site.sign_in(KIM)
    await set_up(home, client)
    removed = await client.post("/account/second-factor/remove", {"password": PASSWORD})
    assert removed.status == 303
    await site.sign_in(KIM)
    await home.member(HOUSE, mail="ada@example.com")
    staff = await site.sign_in("ada@example.com")
    await set_up(home, staff)
    refused = await staff.post("/account/second-factor/remove", {"password": PASSWORD})
    assert refused.status == 422
    assert "Staff cannot do without" in refused.text


async def test_sessions_are_listed_and_ended(home: House, site: Site) -> None:
    person_id = await home.member(RESELLER)
    client, phone = await site.sign_in(KIM), site.client()
    phone.agent = "<script>alert(1)</script> \u202ephone"
    await phone.post("/sign-in", {"mail": KIM, "password": PASSWORD})
    shown = (await client.get("/account/sessions")).text
    assert "&lt;script&gt;alert(1)" in shown
    assert "\u202e" not in shown
    listed = await sessions.sessions_of(home.room.pool, person_id, home.clock())
    (other,) = [one for one in listed if "phone" in one.agent]
    assert (await client.post(f"/account/sessions/{other.session_id}/end")).status == 303
    assert (await phone.get("/account")).status == 303
    assert (await client.post(f"/account/sessions/{other.session_id}/end")).status == 404
    third = await site.sign_in(KIM)
    assert (await client.post("/account/sessions/end-others")).status == 303
    assert (await third.get("/account")).status == 303
    assert (await client.get("/account")).status == 200


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(home: House, site: Site) -> None:
    person_id = await home.member(RESELLER)
    client = await site.as_person(person_id)
    fields: dict[str, str | list[str]] = {
        "name": "<i>watcher</i>",
        "scopes": ["read", "bid"],
        "lifetime_days": "30",
    }
    made = (await client.post("/account/tokens", fields)).text
    secret = made.split('<code class="key">')[1].split("<")[0]
    program = site.client(token=secret)
    assert (await program.get("/api/v1/me")).status == 200
    listed = (await client.get("/account/tokens")).text
    assert secret not in listed
    assert "&lt;i&gt;watcher&lt;/i&gt;" in listed
    (one,) = await tokens.tokens_of(home.room.pool, person_id)
    assert (await client.post(f"/account/tokens/{one.token_id}/revoke")).status == 303
    home.clock.advance(2)
    assert (await program.get("/api/v1/me")).status == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x", "lifetime_days": "30"},
        {"name": "", "scopes": "read", "lifetime_days": "30"},
        {"name": "x", "scopes": "everything", "lifetime_days": "30"},
        {"name": "x", "scopes": "read", "lifetime_days": "9999"},
        {"name": "x", "scopes": "read", "lifetime_days": "-1"},
    ],
)
async def test_a_token_that_cannot_be_is_refused(
    home: House, site: Site, fields: dict[str, str]
) -> None:
    client = await site.as_person(await home.member(RESELLER))
    assert (await client.post("/account/tokens", fields)).status == 422
    assert await home.room.pool.fetchval("select count(*) from api_token") == 0


async def test_the_api_tells_who_one_is(home: House, site: Site) -> None:
    client = await site.as_person(await home.member(RESELLER, Role.BIDDER))
    answer = await client.get("/api/v1/me")
    assert answer.status == 200
    assert '"roles":["bidder"]' in answer.text
    assert '"PLACE_BID"' in answer.text
    assert '"RUN_SALE"' not in answer.text
    again = await client.get("/api/v1/me", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_tokens_and_sessions_by_the_api(home: House, site: Site) -> None:
    client = await site.as_person(await home.member(RESELLER))
    body = {"name": "x", "scopes": ["read"], "lifetime_days": 30}
    made = await client.send("POST", "/api/v1/tokens", json=body)
    assert made.status == 201
    assert made.headers["Cache-Control"] == "no-store"
    listed = await client.get("/api/v1/tokens")
    token_id = listed.text.split('"token_id":"')[1].split('"')[0]
    origin = {"Origin": client.origin}
    removed = await client.send("DELETE", f"/api/v1/tokens/{token_id}", headers=origin)
    assert removed.status == 204
    again = await client.send("DELETE", f"/api/v1/tokens/{token_id}", headers=origin)
    never = await client.send("DELETE", "/api/v1/tokens/token-never", headers=origin)
    assert (again.status, again.body) == (never.status, never.body)
    assert again.status == 404
    session_id = (await client.get("/api/v1/sessions")).text.split('"session_id":"')[1][:24]
    ended = await client.send("DELETE", f"/api/v1/sessions/{session_id}", headers=origin)
    assert ended.status == 204
    assert (await client.get("/api/v1/me")).status == 401


async def test_somebody_whose_role_is_gone_loses_it_at_once(home: House, site: Site) -> None:
    person_id = await home.member(RESELLER)
    client = await site.as_person(person_id)
    assert '"PLACE_BID"' in (await client.get("/api/v1/me")).text
    async with transaction(home.room.pool) as connection:
        await connection.execute(
            "delete from membership where person_id = $1 and role = 'bidder'", person_id
        )
    assert '"PLACE_BID"' not in (await client.get("/api/v1/me")).text
