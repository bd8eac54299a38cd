"""Every route of settlement, asked by staff, a buyer, a seller and a guest: who has no business
there is stopped at the door, and what is another's is answered like what does not exist."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.identity import Identity, OrganisationKind, Role
from accounts.permissions import Access, Action, may
from foundation.http.routes import Route
from settlement.mount import mount
from tests.accounts_site import Answer, Client
from tests.settled import Settled, settled
from tests.site import Site, open_site
from tests.visiting import visitor

# Ids of what is the buyer's and the seller's, by the names that paths have for them.
MISSING = "S9~nothing"


@dataclass(frozen=True)
class People:
    """Who asks, and what there is."""

    site: Site
    clients: dict[str, Client]
    identities: dict[str, Identity | None]
    paid: Settled
    seller: str

    def routes(self) -> list[Route]:
        return list(mount(self.site.house.settlement).routes)


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    """The whole site, and a browser of each."""
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer, rival = await site.reseller("Acme Resale"), await site.reseller("Rival Goods")
        sellers = {}
        for name in ("north", "south"):
            organisation = await site.people.organisation(OrganisationKind.LIQUIDATOR, name)
            person = await site.people.person(
                organisation,
                Role.LIQUIDATOR,
                Role.ADMIN,
                mail=f"{name}@example.com",
                name=f"Lee {name}",
            )
            sellers[name] = (organisation, person)
        paid = await settled(site.pool, buyer.bidder_id, sellers["north"][0])
        who = {
            "staff": staff,
            "buyer": buyer.person_id,
            "rival": rival.person_id,
            "seller": sellers["north"][1],
            "other seller": sellers["south"][1],
        }
        identities: dict[str, Identity | None] = {"guest": None}
        async with AsyncExitStack() as visits:
            clients = {"guest": await visits.enter_async_context(visitor(site, None))}
            for name, person_id in who.items():
                clients[name] = await visits.enter_async_context(visitor(site, person_id))
                identities[name] = (await site.people.session(person_id))[1]
            yield People(site, clients, identities, paid, sellers["north"][0])


def filled(path: str, people: People, *, missing: bool = False) -> str:
    """The path with ids of what there is, or of nothing."""
    places = {
        "award_id": people.paid.award_ids[0],
        "invoice_id": people.paid.invoice_id,
        "kind": "invoice",
        "subject": people.paid.invoice_id,
        "payee_id": people.seller,
    }

    def put(found: re.Match[str]) -> str:
        name = found[1].partition(":")[0]
        if name == "kind":
            return "invoice"
        return MISSING if missing or name not in places else places[name]

    return re.sub(r"\{([^}]*)\}", put, path)


async def ask(client: Client, route: Route, path: str) -> Answer:
    for name in [name for name in client.cookies if name.endswith("flash")]:
        del client.cookies[name]  # a message of the answer before is shown once
    if route.method == "GET":
        return await client.get(path)
    if route.path.startswith("/api/"):
        return await client.send(route.method, path, json={})
    return await client.post(path, {})


async def test_the_door_of_every_route_lets_in_whom_the_table_names(people: People) -> None:
    wrong = []
    for route in people.routes():
        assert isinstance(route.access, Access)
        if route.access.action is Action.REPORT_PAYMENT:
            continue
        for name, client in people.clients.items():
            found = await ask(client, route, filled(route.path, people, missing=True))
            let_in = may(people.identities[name], route.access.action)
            if name == "guest":
                stopped = found.status == 401 or (
                    found.status == 303 and found.location.startswith("/sign-in")
                )
            else:
                stopped = found.status == 403
            if stopped == let_in or found.status >= 500:
                wrong.append((name, route.method, route.path, found.status))
    assert wrong == []


async def test_what_is_anothers_is_answered_like_what_does_not_exist(people: People) -> None:
    wrong = []
    for route in people.routes():
        assert isinstance(route.access, Access)
        action = route.access.action
        if "{" not in route.path:
            continue
        for name in ("rival", "other seller"):
            if not may(people.identities[name], action):
                continue
            client = people.clients[name]
            theirs = await ask(client, route, filled(route.path, people))
            nothing = await ask(client, route, filled(route.path, people, missing=True))
            if (theirs.status, theirs.body) != (nothing.status, nothing.body):
                wrong.append((name, route.method, route.path, theirs.status, nothing.status))
            if route.method == "GET" and theirs.status == 200:
                wrong.append((name, route.method, route.path, theirs.status, 200))
    assert wrong == []
