"""People of the house's settlement, as rows and as actors."""

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import AnyConnection

ADA = Actor(PersonId("ada"), "192.0.2.1")
BEN = Actor(PersonId("ben"), "192.0.2.2")
EVE = Actor(PersonId("eve"), "192.0.2.3")  # a buyer's


async def house_people(connection: AnyConnection) -> None:
    """Ada and Ben of settlement, and Eve of a buyer."""
    for organisation, kind in (("house", "HOUSE"), ("acme", "RESELLER")):
        await connection.execute(
            "insert into organisation (organisation_id, kind, name, created_at_us) "
            "values ($1, $2, $1, 1)",
            organisation,
            kind,
        )
    for person, of, role in (
        ("ada", "house", "settlement"),
        ("ben", "house", "settlement"),
        ("eve", "acme", "bidder"),
    ):
        await connection.execute(
            "insert into person (person_id, organisation_id, mail, name, time_zone, created_at_us) "
            "values ($1, $2, $1 || '@example.com', initcap($1), 'UTC', 1)",
            person,
            of,
        )
        await connection.execute(
            "insert into membership (person_id, role) values ($1, $2)", person, role
        )
