"""A team's people: roles, ceilings, leaving; and what the admins of the house do for others."""

import asyncio

import pytest

from accounts import directory, revocations, second_factor, team, tokens
from accounts.audit import OPERATOR, Actor
from accounts.clock import DAY_US
from accounts.identity import OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId
from accounts.refusals import Refusal, Refused
from foundation.database import transaction
from tests.accounts import VISITOR, House, session_id_of
from tests.accounts_site import Client, Site

RESELLER, LIQUIDATOR, HOUSE = (
    OrganisationKind.RESELLER,
    OrganisationKind.LIQUIDATOR,
    OrganisationKind.HOUSE,
)
ADMIN, BIDDER = Role.ADMIN, Role.BIDDER


class Pair:
    """A team of an admin and a bidder."""

    def __init__(self, home: House, organisation_id: OrganisationId) -> None:
        self.home, self.organisation_id = home, organisation_id
        self.boss, self.ann = PersonId(""), PersonId("")

    @property
    def path(self) -> str:
        return f"/teams/{self.organisation_id}/people/{self.ann}"

    async def roles(self, person_id: PersonId) -> frozenset[Role]:
        return (await directory.people(self.home.room.pool, [person_id]))[person_id].roles


@pytest.fixture
async def pair(home: House) -> Pair:
    made = Pair(home, await home.organisation())
    made.boss = await home.person(made.organisation_id, ADMIN, mail="boss@example.com")
    made.ann = await home.person(made.organisation_id, BIDDER, mail="ann@example.com", name="Ann")
    return made


@pytest.fixture
async def boss(pair: Pair, site: Site) -> Client:
    """The admin's browser."""
    return await site.as_person(pair.boss)


async def test_roles_and_ceiling_are_changed(pair: Pair, boss: Client) -> None:
    fields: dict[str, str | list[str]] = {"roles": ["bidder", "admin"], "ceiling": "1,250.50"}
    assert (await boss.post(pair.path, fields)).status == 303
    (entry,) = (await directory.people(pair.home.room.pool, [pair.ann])).values()
    assert entry.roles == frozenset({ADMIN, BIDDER})
    assert entry.ceiling_minor == 1_250_50
    assert "$1,250.50" in (await boss.get(f"/teams/{pair.organisation_id}")).text


async def test_with_other_roles_by_others_one_is_signed_out(
    pair: Pair, boss: Client, site: Site
) -> None:
    ann = await site.as_person(pair.ann)
    await boss.post(pair.path, {"roles": "bidder", "ceiling": "500"})
    assert (await ann.get("/account")).status == 200  # another ceiling is no other role
    await boss.post(pair.path, {"roles": "admin"})
    assert (await ann.get("/account")).status == 303


async def test_a_role_that_is_taken_away_takes_the_tokens_and_live_connections(
    pair: Pair, boss: Client
) -> None:
    room, clock = pair.home.room, pair.home.clock
    _, identity = await pair.home.session(pair.ann)
    async with transaction(room.pool) as connection:
        made = await tokens.make_token(
            connection,
            pair.ann,
            "x",
            frozenset({Scope.BID}),
            expires_at_us=clock() + DAY_US,
            now_us=clock(),
        )
    await boss.post(pair.path, {"roles": "admin"})
    revoked = await revocations.revoked_among(
        room.pool, [session_id_of(identity)], [made.token_id], clock()
    )
    assert (len(revoked.session_ids), len(revoked.token_ids)) == (1, 1)


@pytest.mark.parametrize("roles", [[], ["settlement"], ["liquidator"], ["bidder", "settlement"]])
async def test_roles_are_those_of_the_kind(pair: Pair, boss: Client, roles: list[str]) -> None:
    assert (await boss.post(pair.path, {"roles": roles})).status == 422
    assert await pair.roles(pair.ann) == frozenset({BIDDER})


async def test_somebody_stays_admin(pair: Pair, boss: Client) -> None:
    own = f"/teams/{pair.organisation_id}/people/{pair.boss}"
    assert (await boss.post(own, {"roles": "bidder"})).status == 409
    assert (await boss.post(f"{own}/remove")).status == 409
    await boss.post(pair.path, {"roles": "admin"})
    assert (await boss.post(own, {"roles": "bidder"})).status == 303


async def test_of_two_admins_who_leave_at_once_one_stays(pair: Pair) -> None:
    room, by = pair.home.room, Actor(pair.boss, "192.0.2.1")
    await team.change_roles(room, pair.organisation_id, pair.ann, frozenset({ADMIN}), None, by)

    async def leave(person_id: PersonId) -> bool:
        try:
            await team.remove_person(room, pair.organisation_id, person_id, OPERATOR)
        except Refused as refused:
            assert refused.refusal is Refusal.LAST_ADMIN
            return False
        return True

    assert sorted(await asyncio.gather(leave(pair.boss), leave(pair.ann))) == [False, True]


async def test_who_has_left_is_out_at_once_and_their_address_is_free(
    pair: Pair, boss: Client, site: Site
) -> None:
    ann = await site.as_person(pair.ann)
    await site.client().post("/reset", {"mail": "ann@example.com"})
    link = pair.home.post.link("ann@example.com")
    assert (await boss.post(f"{pair.path}/remove")).status == 303
    assert (await ann.get("/account")).status == 303
    assert (await site.client().get(link)).status == 410
    assert (await boss.get(pair.path)).status == 404
    assert "Ann" not in (await boss.get(f"/teams/{pair.organisation_id}")).text.split("<main")[1]
    again = await pair.home.member(RESELLER, mail="ann@example.com")
    assert again != pair.ann


async def test_somebody_is_signed_out_by_the_admin(pair: Pair, boss: Client, site: Site) -> None:
    ann = await site.as_person(pair.ann)
    assert (await boss.post(f"{pair.path}/shut-out")).status == 303
    assert (await ann.get("/account")).status == 303


async def test_a_lost_second_factor_is_removed_by_the_admin_and_told(
    pair: Pair, boss: Client, site: Site
) -> None:
    home = pair.home
    _, identity = await home.session(pair.ann)
    enrolment = await second_factor.begin(home.room, pair.ann)
    code = second_factor.code_at(enrolment.secret, home.clock())
    await second_factor.confirm(home.room, pair.ann, session_id_of(identity), code, VISITOR.actor)
    ann = await site.as_person(pair.ann)
    assert (await boss.post(f"{pair.path}/lost-factor")).status == 303
    assert (await ann.get("/account")).status == 303
    await site.sign_in("ann@example.com")
    assert home.post.to("ann@example.com")[-1].subject.startswith("A second factor was removed")
    assert (await boss.post(f"{pair.path}/lost-factor")).status == 409


async def test_nobody_removes_their_own_second_factor_as_a_lost_one(
    pair: Pair, boss: Client
) -> None:
    own = f"/teams/{pair.organisation_id}/people/{pair.boss}/lost-factor"
    answer = await boss.post(own)
    assert answer.status == 409
    assert "Ask another admin" in answer.text


async def test_a_bidder_sees_the_team_and_changes_nothing(pair: Pair, site: Site) -> None:
    ann = await site.as_person(pair.ann)
    shown = (await ann.get(f"/teams/{pair.organisation_id}")).text
    assert "boss@example.com" in shown
    assert "Invite somebody" not in shown
    assert (await ann.get(pair.path)).status == 403
    assert (await ann.post(f"{pair.path}/remove")).status == 403


async def test_the_house_makes_sellers_and_invites_their_first_admin(
    home: House, site: Site
) -> None:
    ada = await site.as_person(await home.member(HOUSE, ADMIN, mail="ada@example.com"))
    made = await ada.post("/staff/organisations/new", {"kind": "LIQUIDATOR", "name": "<Lakes>"})
    assert made.status == 303
    assert "&lt;Lakes&gt;" in (await ada.get(made.location)).text
    invited: dict[str, str | list[str]] = {
        "mail": "first@example.com",
        "roles": ["admin", "liquidator"],
    }
    assert (await ada.post(f"{made.location}/invitations", invited)).status == 303
    client = site.client()
    joined = {"name": "First", "password": "a long pass phrase", "time_zone": "UTC"}
    assert (await client.post(home.post.link("first@example.com"), joined)).status == 303
    assert '"RUN_SALE"' in (await client.get("/api/v1/me")).text
    for kind in ("RESELLER", "HOUSE", "NOBODY", ""):
        bad = await ada.post("/staff/organisations/new", {"kind": kind, "name": "x"})
        assert bad.status == 422


async def test_organisations_are_listed_page_by_page(home: House, site: Site) -> None:
    ada = await site.as_person(await home.member(HOUSE, ADMIN, mail="ada@example.com"))
    for number in range(5):
        home.clock.advance(1)
        await home.organisation(LIQUIDATOR, f"Seller {number}")
    first = await ada.get("/api/v1/organisations?kind=LIQUIDATOR&limit=3")
    cursor = first.text.split('"next_cursor":"')[1].split('"')[0]
    second = await ada.get(f"/api/v1/organisations?kind=LIQUIDATOR&limit=3&cursor={cursor}")
    names = [f"Seller {number}" for number in (4, 3, 2, 1, 0)]
    assert [name in first.text for name in names] == [True] * 3 + [False] * 2
    assert [name in second.text for name in names] == [False] * 3 + [True] * 2
    assert '"next_cursor":null' in second.text
    page = await ada.get("/staff/organisations?kind=LIQUIDATOR&limit=3")
    assert f"cursor={cursor}" in page.text
