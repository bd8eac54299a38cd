"""Every route of accounts, asked by everybody: who is let in, and what the others are told."""

from dataclasses import dataclass
from itertools import product

import pytest

from accounts import tokens
from accounts.clock import DAY_US
from accounts.http.mount import mount
from accounts.identity import Identity, OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId
from accounts.permissions import Access, Action, Ownership, allowed, may
from foundation.database import transaction
from foundation.http.routes import Route
from tests.accounts import House, session_id_of
from tests.accounts_site import Answer, Client, Site

RESELLER, LIQUIDATOR, CONSIGNOR, HOUSE = (
    OrganisationKind.RESELLER,
    OrganisationKind.LIQUIDATOR,
    OrganisationKind.CONSIGNOR,
    OrganisationKind.HOUSE,
)
PEOPLE = {
    "bidder": (RESELLER, Role.BIDDER),
    "reseller admin": (RESELLER, Role.ADMIN),
    "liquidator": (LIQUIDATOR, Role.LIQUIDATOR),
    "liquidator admin": (LIQUIDATOR, Role.ADMIN),
    "consignor": (CONSIGNOR, Role.ADMIN),
    "settlement": (HOUSE, Role.SETTLEMENT),
    "house admin": (HOUSE, Role.ADMIN),
}


@dataclass
class Everybody:
    """A person of each kind, signed in, and a guest; and who each of them is."""

    clients: dict[str, Client]
    identities: dict[str, Identity | None]


@pytest.fixture
async def everybody(home: House, site: Site) -> Everybody:
    clients, identities = {"guest": site.client()}, dict[str, Identity | None](guest=None)
    for number, (who, (kind, role)) in enumerate(PEOPLE.items()):
        organisation_id = await home.organisation(kind, f"Of {who}")
        person_id = await home.person(organisation_id, role, mail=f"p{number}@example.com")
        secret, identities[who] = await home.session(person_id)
        clients[who] = site.client()
        clients[who].cookies["__Host-session"] = secret
    return Everybody(clients, identities)


def routes() -> list[Route]:
    nothing: object = None
    return list(mount(nothing).routes)  # type: ignore[arg-type]


def filled(route: Route) -> str:
    """The route's path with ids that nobody has."""
    path = route.path
    for name in ("organisation", "person", "session", "token", "document", "certificate"):
        path = path.replace(f"{{{name}_id}}", f"{name}-nobodys")
    return path.replace("{invitation_id}", "invitation-nobodys").replace("{secret}", "x")


async def test_the_door_of_each_route_lets_in_whom_the_table_does(everybody: Everybody) -> None:
    for route in routes():
        for who, client in everybody.clients.items():
            if route.path != "/sign-out":  # which is tried by itself
                check_door(route, who, everybody.identities[who], await ask(client, route))


def check_door(route: Route, who: str, identity: Identity | None, answer: Answer) -> None:
    access, case = route.access, (who, route.method, route.path, answer.status)
    assert isinstance(access, Access)
    if may(identity, access.action):
        assert answer.status not in {401, 403}, case
        assert answer.status < 500, case
        assert access.action is Action.SIGN_IN or not sends_to_sign_in(answer), case
    elif identity is not None:
        assert answer.status == 403, case
    elif route.for_programs:
        assert answer.status == 401, case
    else:
        assert sends_to_sign_in(answer), case


async def ask(client: Client, route: Route) -> Answer:
    path = filled(route)
    if not route.for_programs and route.method == "POST":
        return await client.post(path, {"nonsense": "1"})
    json = {"nonsense": 1} if route.method == "POST" else None
    headers = {"Origin": client.origin, "Accept": "*/*" if route.for_programs else "text/html"}
    return await client.send(route.method, path, headers=headers, json=json)


def sends_to_sign_in(answer: Answer) -> bool:
    return answer.status == 303 and answer.location.partition("?")[0] == "/sign-in"


@dataclass
class Rivals:
    """Two of each kind of organisation, and what belongs to one of each pair."""

    home: House
    organisations: dict[OrganisationKind, OrganisationId]
    people: dict[OrganisationKind, PersonId]


@pytest.fixture
async def rivals(home: House) -> Rivals:
    organisations, people = {}, {}
    for kind in OrganisationKind:
        organisations[kind] = await home.organisation(kind, f"Rival {kind}")
        people[kind] = await home.person(
            organisations[kind],
            *(Role.ADMIN,),
            mail=f"secret-{kind.lower()}@rival.example",
            name=f"Secret {kind}",
        )
    return Rivals(home, organisations, people)


# A GET whose answer depends on whose it is: its action, and for which kinds there is an object.
OWNED = {
    "/teams/{organisation_id}": (Action.VIEW_TEAM, set(OrganisationKind)),
    "/teams/{organisation_id}/audit": (Action.VIEW_AUDIT, set(OrganisationKind)),
    "/teams/{organisation_id}/people/{person_id}": (Action.MANAGE_TEAM, set(OrganisationKind)),
    "/staff/applications/{organisation_id}": (Action.DECIDE_APPLICATION, {RESELLER}),
    "/api/v1/organisations/{organisation_id}/people": (Action.VIEW_TEAM, set(OrganisationKind)),
    "/api/v1/organisations/{organisation_id}/approval": (Action.VIEW_APPLICATION, {RESELLER}),
}


@pytest.mark.parametrize("path", OWNED)
async def test_what_is_foreign_is_answered_byte_for_byte_like_what_is_missing(
    everybody: Everybody, rivals: Rivals, path: str
) -> None:
    action, kinds = OWNED[path]
    seen = 0
    for who, kind in product(PEOPLE, OrganisationKind):
        client, identity = everybody.clients[who], everybody.identities[who]
        if not may(identity, action):
            continue
        foreign = path.replace("{organisation_id}", rivals.organisations[kind])
        foreign = foreign.replace("{person_id}", rivals.people[kind])
        missing = path.replace("{organisation_id}", "o" * len(rivals.organisations[kind]))
        missing = missing.replace("{person_id}", rivals.people[kind])
        got, nothing = await client.get(foreign), await client.get(missing)
        assert nothing.status == 404
        if kind in kinds and allowed(identity, action, Ownership.FOREIGN):
            assert got.status == 200, (who, kind)
            seen += 1
        else:
            assert (got.status, got.body) == (nothing.status, nothing.body), (who, kind)
            assert plain(got) == plain(nothing), (who, kind)
    assert seen or not may(everybody.identities["house admin"], action)


def plain(answer: Answer) -> dict[str, str]:
    """Headers that do not tell of the request itself."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name not in {"Date", "X-Request-ID"}
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/teams/{organisation_id}/invitations"),
        ("POST", "/teams/{organisation_id}/people/{person_id}"),
        ("POST", "/teams/{organisation_id}/people/{person_id}/remove"),
        ("POST", "/teams/{organisation_id}/people/{person_id}/shut-out"),
        ("POST", "/teams/{organisation_id}/people/{person_id}/lost-factor"),
    ],
)
async def test_a_rivals_team_cannot_be_changed_nor_found(
    everybody: Everybody, rivals: Rivals, method: str, path: str
) -> None:
    fields: dict[str, str | list[str]] = {
        "mail": "spy@example.com",
        "roles": ["admin"],
        "ceiling": "",
    }
    for who in ("reseller admin", "liquidator admin", "consignor"):
        client = everybody.clients[who]
        foreign = path.replace("{organisation_id}", rivals.organisations[RESELLER])
        foreign = foreign.replace("{person_id}", rivals.people[RESELLER])
        missing = foreign.replace(rivals.organisations[RESELLER], "x")
        got = await client.send(method, foreign, fields, {"Origin": client.origin})
        nothing = await client.send(method, missing, fields, {"Origin": client.origin})
        assert (got.status, got.body) == (nothing.status, nothing.body) == (404, nothing.body)
    people = await rivals.home.room.pool.fetch(
        "select role from membership where person_id = $1", rivals.people[RESELLER]
    )
    assert [row["role"] for row in people] == ["admin"]


async def test_a_colleague_of_another_team_is_not_reached_through_ones_own(
    everybody: Everybody, rivals: Rivals
) -> None:
    identity, client = everybody.identities["reseller admin"], everybody.clients["reseller admin"]
    assert identity is not None
    for person in (rivals.people[RESELLER], "person-nobodys"):
        path = f"/teams/{identity.organisation_id}/people/{person}"
        answers = [
            await client.get(path),
            await client.post(path, {"roles": ["bidder"]}),
            await client.post(f"{path}/remove"),
        ]
        assert [answer.status for answer in answers] == [404, 404, 404]


@pytest.mark.parametrize(
    "odd",
    [
        "%00",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "'%20or%201=1--",
        "x" * 65,
        "%F0%9F%92%A9",
        "<script>",
        "%0d%0aSet-Cookie:x=y",
    ],
)
async def test_an_id_that_can_be_none_is_nobodys(everybody: Everybody, odd: str) -> None:
    client = everybody.clients["house admin"]
    for path in ("/teams/{}", "/staff/applications/{}", "/api/v1/organisations/{}/people"):
        assert (await client.get(path.format(odd))).status in {400, 404}


async def test_a_program_is_let_in_within_its_scopes(home: House, site: Site) -> None:
    person_id = await home.member(RESELLER)
    async with transaction(home.room.pool) as connection:
        made = await tokens.make_token(
            connection,
            person_id,
            "x",
            frozenset({Scope.READ}),
            expires_at_us=home.clock() + DAY_US,
            now_us=home.clock(),
        )
    program = site.client(token=made.secret)
    assert (await program.get("/api/v1/me")).status == 200
    assert (await program.send("POST", "/api/v1/tickets")).status == 201
    assert (await program.get("/api/v1/tokens")).status == 403
    assert (await program.get("/account")).status == 403


@pytest.mark.parametrize("header", ["Bearer", "Bearer sc_x", "Basic a2ltOng=", "Bearer a b", "x"])
async def test_a_bad_token_is_not_made_up_for_by_a_cookie(
    home: House, site: Site, header: str
) -> None:
    client = await site.as_person(await home.member(RESELLER))
    answer = await client.get("/api/v1/me", Authorization=header)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert (await client.get("/api/v1/me")).status == 200


async def test_a_ticket_is_made_by_a_page_of_this_site_only(home: House, site: Site) -> None:
    secret, identity = await home.session(await home.member(RESELLER))
    client = site.client()
    client.cookies["__Host-session"] = secret
    assert (await client.send("POST", "/api/v1/tickets")).status == 403
    answer = await client.send("POST", "/api/v1/tickets", headers={"Origin": site.origin})
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert session_id_of(identity) not in answer.text
