"""Builders for accounts: a room over a real database, people in it, and the mail that they got."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from accounts.applications import ApplicantProfile
from accounts.audit import OPERATOR
from accounts.clock import SECOND_US
from accounts.identity import ROLES_OF_KIND, Identity, OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId, SessionId
from accounts.letters import Letter
from accounts.organisations import make_organisation
from accounts.passwords import Passwords
from accounts.room import Room
from accounts.secret import Secret
from accounts.sessions import identify, open_session
from accounts.signing_in import Visitor
from accounts.team import make_person
from foundation.database import open_pool, transaction

PASSWORD = "correct horse battery staple"
ORIGIN = "http://127.0.0.1:8080"
# What a reseller says of itself, complete.
HART = ApplicantProfile(
    legal_name="Hart Resale LLC",
    street="1 Main Street",
    city="Joliet",
    region="IL",
    postal_code="60431",
    phone="312 555 0100",
    website="www.hart.example",
    business="Returned tools and kitchen appliances, on two marketplaces and in a shop.",
)
# Noon on 22 November 2026.
NOON_US = 1_795_348_800 * SECOND_US
VISITOR = Visitor(address="192.0.2.1", agent="a browser")


def cheap_hasher() -> PasswordHasher:
    """Argon2 with the least work that it allows: what a test waits for is not the hash."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    """Stands until the test moves it."""

    now_us: int = NOON_US

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


@dataclass
class Letterbox:
    """The post of a test: everything lies here."""

    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        """See `accounts.room.Post`."""
        self.letters.append(letter)

    def to(self, mail: str) -> list[Letter]:
        """What somebody got, the oldest first."""
        return [letter for letter in self.letters if letter.to == mail]

    def link(self, mail: str) -> str:
        """The path of the first link in the last letter to somebody."""
        found = re.search(rf"{ORIGIN}(/\S+)", self.to(mail)[-1].text)
        assert found is not None
        return found[1]

    def secret(self, mail: str) -> str:
        """The secret at the end of that link."""
        return self.link(mail).rpartition("/")[2]


@dataclass(frozen=True)
class House:
    """A room with the things of it that a test looks into."""

    room: Room
    clock: Clock
    post: Letterbox

    async def organisation(
        self, kind: OrganisationKind = OrganisationKind.RESELLER, name: str = "Hart Resale"
    ) -> OrganisationId:
        async with transaction(self.room.pool) as connection:
            return await make_organisation(
                connection, kind, name, actor=OPERATOR, now_us=self.clock()
            )

    async def person(
        self,
        organisation_id: OrganisationId,
        *roles: Role,
        mail: str = "kim@example.com",
        name: str = "Kim Hart",
        password: str = PASSWORD,
        ceiling_minor: int | None = None,
    ) -> PersonId:
        password_hash = await self.room.passwords.hash(password)
        async with transaction(self.room.pool) as connection:
            return await make_person(
                connection,
                organisation_id,
                mail=mail,
                name=name,
                zone="America/Chicago",
                roles=frozenset(roles),
                password_hash=password_hash,
                ceiling_minor=ceiling_minor,
                actor=OPERATOR,
                now_us=self.clock(),
            )

    async def member(
        self, kind: OrganisationKind, *roles: Role, mail: str = "kim@example.com"
    ) -> PersonId:
        """Somebody in an organisation of their own, by default with all roles of its kind."""
        organisation_id = await self.organisation(kind, f"Organisation of {mail}")
        return await self.person(organisation_id, *(roles or ROLES_OF_KIND[kind]), mail=mail)

    async def session(
        self, person_id: PersonId, *, second_factor: bool = True
    ) -> tuple[Secret, Identity]:
        """Somebody signed in: the cookie's secret, and who it stands for."""
        async with transaction(self.room.pool) as connection:
            opened = await open_session(
                connection,
                person_id,
                second_factor=second_factor,
                address=VISITOR.address,
                agent=VISITOR.agent,
                now_us=self.clock(),
            )
        identity = await identify(self.room.pool, opened.secret, self.clock())
        assert identity is not None
        return opened.secret, identity

    async def signed_in(self, kind: OrganisationKind, *roles: Role, mail: str) -> Identity:
        """Somebody new who is signed in."""
        return (await self.session(await self.member(kind, *roles, mail=mail)))[1]


def session_id_of(identity: Identity) -> SessionId:
    """The session of somebody who has one."""
    assert identity.session_id is not None
    return identity.session_id


@asynccontextmanager
async def house(database_url: str) -> AsyncIterator[House]:
    """A room over this database, for the block."""
    pool = await open_pool(database_url, name="tests")
    passwords, clock, post = Passwords(cheap_hasher()), Clock(), Letterbox()
    try:
        yield House(Room(pool, passwords, post, ORIGIN, clock), clock, post)
    finally:
        passwords.close()
        pool.terminate()
