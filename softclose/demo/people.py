"""Who is there in the demonstration: its resellers, its liquidator, staff, and an account of each
kind for the person who watches.

The simulated resellers have API tokens and no passwords. The others sign in with a password that
is made anew each time; staff also need a code, whose secret is known here.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from accounts import applications, by_operator, second_factor
from accounts.applications import ApplicantProfile
from accounts.audit import OPERATOR
from accounts.clock import DAY_US
from accounts.identity import OrganisationKind, Role, Scope
from accounts.ids import OrganisationId, PersonId
from accounts.organisations import make_organisation
from accounts.room import Room
from accounts.team import make_person
from accounts.tokens import make_token
from auction.ids import BidderId
from foundation.database import transaction
from softclose.demo.catalogue import LIQUIDATOR
from softclose.demo.resellers import Reseller

YOU: Final = OrganisationId("your-resale-business")
# Whose goods the liquidator sells besides its own.
CONSIGNOR: Final = OrganisationId("northwind-home-stores")
CONSIGNOR_NAME: Final = "Northwind Home Stores"
PLACE: Final = "Columbus", "OH", "43215"
# A truckload at ten times a deposit; what the simulated resellers have too.
YOUR_LIMIT_MINOR: Final = 50_000_00
TOKEN_LIFE_US: Final = 30 * DAY_US
# Short words that are easily typed; four of thirty and two digits are more than enough for an
# installation that lives for an afternoon.
_WORDS: Final = (
    *("amber", "bench", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "jetty"),
    *("kayak", "ledge", "maple", "noble", "ocean", "prism", "quill", "river", "slate", "tulip"),
    *("umber", "vivid", "wharf", "yacht", "zebra", "acorn", "birch", "cobalt", "dune", "echo"),
)


@dataclass(frozen=True)
class Login:
    """What somebody signs in with. ``code_secret``: of staff's second factor."""

    what: str
    mail: str
    password: str
    code_secret: str | None = None


@dataclass(frozen=True)
class People:
    """Everybody, with the tokens of the simulated resellers."""

    logins: Sequence[Login]
    tokens: Mapping[BidderId, str]
    you: PersonId
    seller: PersonId
    staff: PersonId
    consignor: OrganisationId


def new_password() -> str:
    """Four short words and two digits."""
    words = [secrets.choice(_WORDS) for _ in range(4)]
    return f"{'-'.join(words)}-{secrets.randbelow(90) + 10}"


async def settle_in(room: Room, resellers: Sequence[Reseller]) -> People:
    """Make all accounts."""
    tokens = {
        reseller.bidder_id: await simulated(room, reseller.bidder_id, reseller.name)
        for reseller in resellers
    }
    password = new_password()
    you = await _account(room, "reseller", "You", OrganisationKind.RESELLER, YOU, password)
    seller = await _account(
        room,
        "liquidator",
        "Harbor Returns",
        OrganisationKind.LIQUIDATOR,
        OrganisationId(LIQUIDATOR),
        password,
    )
    await _account(
        room, "consignor", CONSIGNOR_NAME, OrganisationKind.CONSIGNOR, CONSIGNOR, password
    )
    staff = await _account(room, "staff", "Staff", OrganisationKind.HOUSE, None, password)
    code_secret = await second_factor.enrol(room, staff)
    logins = (
        Login("a reseller", "reseller@example.com", password),
        Login("a liquidator", "liquidator@example.com", password),
        Login("a consignor", "consignor@example.com", password),
        Login("staff", "staff@example.com", password, code_secret),
    )
    return People(logins, tokens, you, seller, staff, CONSIGNOR)


async def _account(
    room: Room,
    name: str,
    organisation: str,
    kind: OrganisationKind,
    organisation_id: OrganisationId | None,
    password: str,
) -> PersonId:
    made = await by_operator.create(
        room,
        by_operator.NewAccount(
            mail=f"{name}@example.com",
            name=f"Demo {name}",
            kind=kind,
            organisation_name=organisation,
            organisation_id=organisation_id,
        ),
        password,
    )
    if kind is OrganisationKind.RESELLER:
        async with transaction(room.pool) as connection:
            await applications.admit(
                connection,
                made.organisation_id,
                _profile("Your resale business"),
                limit_minor=YOUR_LIMIT_MINOR,
                actor=OPERATOR,
                now_us=room.clock(),
            )
    return made.person_id


async def simulated(room: Room, bidder_id: BidderId, name: str) -> str:
    """An approved reseller whose only person is a program; its token."""
    now_us = room.clock()
    async with transaction(room.pool) as connection:
        organisation_id = await make_organisation(
            connection,
            OrganisationKind.RESELLER,
            name,
            organisation_id=bidder_id,
            actor=OPERATOR,
            now_us=now_us,
        )
        await applications.admit(
            connection,
            organisation_id,
            _profile(name),
            limit_minor=None,
            actor=OPERATOR,
            now_us=now_us,
        )
        person_id = await make_person(
            connection,
            organisation_id,
            mail=f"{bidder_id}@example.com",
            name=f"{name} (simulated)",
            zone="America/New_York",
            roles=frozenset({Role.BIDDER, Role.ADMIN}),
            password_hash=None,
            actor=OPERATOR,
            now_us=now_us,
        )
        made = await make_token(
            connection,
            person_id,
            "bids by itself",
            frozenset({Scope.BID}),
            expires_at_us=now_us + TOKEN_LIFE_US,
            now_us=now_us,
        )
    return made.secret


def _phone(name: str) -> str:
    """A number of its own that nobody has: those from 555-0100 to 555-0199 are kept for stories."""
    digits = int.from_bytes(sha256(name.encode()).digest()[:4], "big")
    area, last = divmod(digits % 80_000, 100)
    return f"+1 {200 + area} 555 01{last:02}"


def _profile(name: str) -> ApplicantProfile:
    city, region, postal_code = PLACE
    return ApplicantProfile(
        legal_name=f"{name} LLC",
        street="1 Example Street",
        city=city,
        region=region,
        postal_code=postal_code,
        phone=_phone(name),
        website="https://example.com",
        business="Resells returns and surplus in a shop and online.",
    )
