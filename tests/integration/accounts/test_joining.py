"""Signing up, joining a team, a new password: by links that work once; strangers learn nothing."""

import asyncio

import pytest

from accounts import directory, invitations, signing_up
from accounts.clock import DAY_US, MINUTE_US
from accounts.identity import OrganisationKind, Role
from accounts.refusals import Refusal, Refused
from tests.accounts import PASSWORD, VISITOR, House
from tests.accounts_site import Client, Site

RESELLER, HOUSE = OrganisationKind.RESELLER, OrganisationKind.HOUSE
KIM, ANN = "kim@example.com", "ann@example.com"
OTHER = "another long pass phrase"
FINISH = {"password": PASSWORD, "time_zone": "America/Chicago"}


async def ask_sign_up(client: Client, mail: str = KIM) -> int:
    fields = {"organisation": "Hart Resale", "name": "Kim Hart", "mail": mail}
    return (await client.post("/sign-up", fields)).status


async def test_signing_up_makes_a_reseller_and_its_first_person(home: House, site: Site) -> None:
    client = site.client()
    assert await ask_sign_up(client) == 200
    link = home.post.link(KIM)
    assert "Hart Resale" in (await client.get(link)).text
    answer = await client.post(link, FINISH)
    assert (answer.status, answer.location) == (303, "/account/approval")
    assert (await client.get("/account")).status == 200
    (listed,) = await home.room.pool.fetch("select * from organisation")
    assert (listed["kind"], listed["name"]) == ("RESELLER", "Hart Resale")
    (person,) = await directory.people_of(home.room.pool, listed["organisation_id"])
    assert (person.mail, person.name, person.time_zone) == (KIM, "Kim Hart", "America/Chicago")
    assert person.roles == frozenset({Role.ADMIN, Role.BIDDER})
    standing = await directory.standing_of(home.room.pool, listed["organisation_id"])
    assert standing is not None
    assert not standing.may_bid


async def test_nothing_is_made_before_the_link_is_followed(home: House, site: Site) -> None:
    await ask_sign_up(site.client())
    await site.client().get(home.post.link(KIM))  # programs that look into mailboxes do that
    assert await home.room.pool.fetchval("select count(*) from organisation") == 0


async def test_a_known_address_gets_the_same_page_and_another_mail(home: House, site: Site) -> None:
    await home.member(RESELLER)
    fields = {"organisation": "Hart", "name": "Kim"}
    known = await site.client().post("/sign-up", {**fields, "mail": KIM})
    unknown = await site.client().post("/sign-up", {**fields, "mail": ANN})
    assert known.text.replace(KIM, "") == unknown.text.replace(ANN, "")
    assert known.status == unknown.status == 200
    assert home.post.to(KIM)[0].subject == "You have an account already"
    assert home.post.to(ANN)[0].subject == "Finish signing up"


async def test_mails_to_strangers_hold_nothing_that_was_typed(home: House, site: Site) -> None:
    fields = {"organisation": "BUY PILLS at evil.example", "name": "evil.example", "mail": KIM}
    await site.client().post("/sign-up", fields)
    assert "evil" not in home.post.to(KIM)[0].text


async def test_a_sign_up_link_works_once_and_for_a_day(home: House, site: Site) -> None:
    await ask_sign_up(site.client())
    await ask_sign_up(site.client())
    first, second = (letter.text.split("/sign-up/")[1].split()[0] for letter in home.post.to(KIM))
    assert (await site.client().post(f"/sign-up/{first}", FINISH)).status == 303
    assert (await site.client().post(f"/sign-up/{first}", FINISH)).status == 410
    assert (await site.client().post(f"/sign-up/{second}", FINISH)).status == 410
    await ask_sign_up(site.client(), ANN)
    home.clock.now_us += DAY_US
    assert (await site.client().get(home.post.link(ANN))).status == 410


async def test_of_two_who_finish_the_same_sign_up_one_does(home: House) -> None:
    await signing_up.ask(home.room, "Hart", "Kim", KIM, "192.0.2.1")
    secret = home.post.secret(KIM)

    async def finish() -> bool:
        try:
            await signing_up.finish(home.room, secret, "UTC", PASSWORD, VISITOR)
        except Refused as refused:
            assert refused.refusal is Refusal.LINK_SPENT
            return False
        return True

    assert sorted(await asyncio.gather(*(finish() for _ in range(4)))) == [False] * 3 + [True]
    assert await home.room.pool.fetchval("select count(*) from organisation") == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"password": "short", "time_zone": "UTC"}, "At least 12 characters"),
        ({"password": "hartresale-kim", "time_zone": "UTC"}, "little more than a name"),
        ({"password": PASSWORD, "time_zone": "Mars/Olympus"}, "Choose a time zone"),
        ({"password": PASSWORD, "time_zone": ""}, "Fill this in"),
        ({"password": "", "time_zone": "UTC"}, "Enter the password"),
    ],
)
async def test_a_bad_choice_is_said_beside_the_field_and_the_link_stays_good(
    home: House, site: Site, fields: dict[str, str], message: str
) -> None:
    client = site.client()
    await ask_sign_up(client)
    answer = await client.post(home.post.link(KIM), fields)
    assert answer.status == 422
    assert message in answer.text
    assert (await client.post(home.post.link(KIM), FINISH)).status == 303


async def test_a_mailbox_is_not_filled_by_strangers(home: House, site: Site) -> None:
    await home.member(RESELLER)
    for _ in range(5):
        client = site.client()
        assert await ask_sign_up(client) == 200
        assert (await client.post("/reset", {"mail": KIM})).status == 200
    assert len(home.post.to(KIM)) == 4  # of ten, and the answers were the same


async def test_who_asks_about_many_addresses_waits(home: House, site: Site) -> None:
    statuses = [
        (await site.client().post("/reset", {"mail": f"p{n}@example.com"})).status
        for n in range(13)
    ]
    assert statuses == [200] * 11 + [429] * 2


async def test_a_new_password_by_mail(home: House, site: Site) -> None:
    await home.member(RESELLER)
    elsewhere, client = await site.sign_in(KIM), site.client()
    assert (await client.post("/reset", {"mail": "KIM@example.com"})).status == 200
    link = home.post.link(KIM)
    assert (await client.get(link)).status == 200
    answer = await client.post(link, {"password": OTHER})
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert (await elsewhere.get("/account")).status == 303  # its session has ended
    old = await site.client().post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert old.status == 422
    await site.sign_in(KIM, OTHER)
    assert home.post.to(KIM)[-1].subject == "Your password was changed"
    assert (await client.get(link)).status == 410
    assert (await client.post(link, {"password": OTHER})).status == 410


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(home: House, site: Site) -> None:
    await home.member(RESELLER)
    known = await site.client().post("/reset", {"mail": KIM})
    unknown = await site.client().post("/reset", {"mail": ANN})
    assert known.text.replace(KIM, "") == unknown.text.replace(ANN, "")
    assert (len(home.post.to(KIM)), len(home.post.to(ANN))) == (1, 0)


async def test_a_reset_link_lasts_half_an_hour(home: House, site: Site) -> None:
    await home.member(RESELLER)
    await site.client().post("/reset", {"mail": KIM})
    home.clock.now_us += 30 * MINUTE_US - 1
    assert (await site.client().get(home.post.link(KIM))).status == 200
    home.clock.now_us += 1
    assert (await site.client().post(home.post.link(KIM), {"password": OTHER})).status == 410


async def test_a_reset_lets_in_an_owner_whom_strangers_keep_waiting(
    home: House, site: Site
) -> None:
    await home.member(RESELLER)
    for _ in range(30):
        await site.client().post("/sign-in", {"mail": KIM, "password": "guess guess guess"})
    refused = await site.client().post("/sign-in", {"mail": KIM, "password": PASSWORD})
    assert refused.status == 429
    await site.client().post("/reset", {"mail": KIM})
    await site.client().post(home.post.link(KIM), {"password": OTHER})
    home.clock.advance(60)  # the address that guessed waits too; this test has only one
    await site.sign_in(KIM, OTHER)


async def test_a_used_reset_link_takes_the_others_with_it(home: House, site: Site) -> None:
    await home.member(RESELLER)
    for _ in range(2):
        await site.client().post("/reset", {"mail": KIM})
    first, second = (letter.text.split("/reset/")[1].split()[0] for letter in home.post.to(KIM))
    assert (await site.client().post(f"/reset/{second}", {"password": OTHER})).status == 303
    assert (await site.client().get(f"/reset/{first}")).status == 410


async def test_an_invitation_brings_somebody_into_the_team(home: House, site: Site) -> None:
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    fields: dict[str, str | list[str]] = {"mail": ANN, "roles": ["bidder"], "ceiling": "$2,500"}
    answer = await boss.post(f"/teams/{organisation_id}/invitations", fields)
    assert (answer.status, answer.location) == (303, f"/teams/{organisation_id}")
    client = site.client()
    link = home.post.link(ANN)
    assert "Hart Resale" in (await client.get(link)).text
    joined = {"name": "Ann Lee", "password": OTHER, "time_zone": "UTC"}
    assert (await client.post(link, joined)).status == 303
    assert (await client.get("/account")).status == 200
    ann, kim = await directory.people_of(home.room.pool, organisation_id)
    assert (ann.name, ann.mail, ann.ceiling_minor) == ("Ann Lee", ANN, 2_500_00)
    assert ann.roles == frozenset({Role.BIDDER})
    assert kim.ceiling_minor is None
    assert (await site.client().post(link, joined)).status == 410


async def test_an_invitation_can_be_withdrawn_renewed_and_grows_old(
    home: House, site: Site
) -> None:
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    invite, path = {"mail": ANN, "roles": "bidder"}, f"/teams/{organisation_id}/invitations"
    await boss.post(path, invite)
    first = home.post.link(ANN)
    await boss.post(path, invite)
    second = home.post.link(ANN)
    assert (await site.client().get(first)).status == 410
    assert (await site.client().get(second)).status == 200
    (listed,) = await invitations.invitations_of(home.room, organisation_id)
    assert (await boss.post(f"{path}/{listed.invitation_id}/withdraw")).status == 303
    assert (await site.client().get(second)).status == 410
    assert (await boss.post(f"{path}/{listed.invitation_id}/withdraw")).status == 404
    await boss.post(path, invite)
    home.clock.now_us += 7 * DAY_US
    assert (await site.client().get(home.post.link(ANN))).status == 410


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mail": ANN}, "Choose at least one role"),
        ({"mail": ANN, "roles": "settlement"}, "not for people of this organisation"),
        ({"mail": ANN, "roles": "liquidator"}, "not for people of this organisation"),
        ({"mail": ANN, "roles": "god"}, "Choose one of the list"),
        ({"mail": ANN, "roles": "admin", "ceiling": "5"}, "Only bidders have a ceiling"),
        ({"mail": ANN, "roles": "bidder", "ceiling": "1,00"}, "Enter an amount"),
        ({"mail": ANN, "roles": "bidder", "ceiling": "-5"}, "Enter an amount"),
        ({"mail": ANN, "roles": "bidder", "ceiling": "10.005"}, "Enter an amount"),
        ({"mail": ANN, "roles": "bidder", "ceiling": "٣"}, "Enter an amount"),
        ({"mail": ANN, "roles": "bidder", "ceiling": "9" * 40}, "Enter an amount"),
        ({"mail": "nobody", "roles": "bidder"}, "Enter a mail address"),
    ],
)
async def test_an_invitation_that_cannot_be_is_refused_beside_its_field(
    home: House, site: Site, fields: dict[str, str], message: str
) -> None:
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    answer = await boss.post(f"/teams/{organisation_id}/invitations", fields)
    assert answer.status == 422
    assert message in answer.text
    assert home.post.letters == []


async def test_whoever_has_an_account_already_is_told_behind_the_link(
    home: House, site: Site
) -> None:
    await home.member(RESELLER, mail=ANN)
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    await boss.post(f"/teams/{organisation_id}/invitations", {"mail": ANN, "roles": "bidder"})
    joined = {"name": "Ann", "password": OTHER, "time_zone": "UTC"}
    answer = await site.client().post(home.post.link(ANN), joined)
    assert answer.status == 422
    assert "signs in with this mail address already" in answer.text


async def test_invitations_are_bounded(
    home: House, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 2)
    organisation_id = await home.organisation()
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    statuses = [
        (
            await boss.post(
                f"/teams/{organisation_id}/invitations",
                {"mail": f"p{n}@example.com", "roles": "bidder"},
            )
        ).status
        for n in range(3)
    ]
    assert statuses == [303, 303, 409]


async def test_staff_who_join_set_up_their_second_factor_first(home: House, site: Site) -> None:
    organisation_id = await home.organisation(HOUSE, "The house")
    boss = await site.as_person(await home.person(organisation_id, Role.ADMIN))
    await boss.post(f"/teams/{organisation_id}/invitations", {"mail": ANN, "roles": "settlement"})
    client = site.client()
    joined = {"name": "Ann", "password": OTHER, "time_zone": "UTC"}
    assert (await client.post(home.post.link(ANN), joined)).status == 303
    assert (await client.get("/staff/applications")).location == "/account/second-factor"


async def test_a_link_that_is_odd_is_spent(site: Site) -> None:
    for odd in ("x" * 5_000, "%F0%9F%92%A9", "'--", "a%20b"):
        for path in ("/sign-up/", "/reset/", "/invitations/"):
            assert (await site.client().get(path + odd)).status in {400, 404, 410}
