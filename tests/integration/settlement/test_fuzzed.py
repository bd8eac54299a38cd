"""Random requests to settlement's API: as staff, as a seller and as a buyer."""

from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role
from tests.fuzzing import fuzz
from tests.settled import settled
from tests.site import open_site
from tests.thorough import THOROUGH, thorough

# Only settlement's paths, by who may ask for them: the doors of the others are tested elsewhere.
# What is staff's is more than one run has time for.
OWN = "/api/v1/settlement/"
WITHOUT = {
    "staff, a and b": rf"^(?!{OWN}[ab])",
    "staff, c": rf"^(?!{OWN}(?!consents|confirmations)c)",
    "staff, d": rf"^(?!{OWN}d)",
    "staff, e to h": rf"^(?!{OWN}(?!earnings)[e-h])",
    "staff, i to o": rf"^(?!{OWN}(?!offers)[i-o])",
    "staff, p": rf"^(?!{OWN}(?!purchases)p)",
    "staff, q to z": rf"^(?!{OWN}[q-z])",
    "seller": rf"^(?!{OWN}(earnings|consents|confirmations|awards))",
    "buyer": rf"^(?!{OWN}(purchases|offers))",
}


@thorough
@pytest.mark.parametrize("who", list(WITHOUT))
async def test_whatever_comes_is_answered_as_described(
    database_url: str, tmp_path: Path, who: str
) -> None:
    is_staff = who.startswith("staff")
    async with open_site(database_url, tmp_path) as site:
        kinds = {
            True: (OrganisationKind.HOUSE, Role.SETTLEMENT),
            False: (OrganisationKind.LIQUIDATOR, Role.LIQUIDATOR),
        }
        buyer = await site.reseller("Acme Resale")
        seller_id, person_id = "north", buyer.person_id
        if who != "buyer":
            kind, role = kinds[is_staff]
            organisation_id = await site.people.organisation(kind, "Somebody")
            person_id = await site.people.person(organisation_id, role, mail="x@example.com")
            seller_id = organisation_id
        made = await settled(site.pool, buyer.bidder_id, seller_id)
        secret, _ = await site.people.session(person_id, second_factor=True)
        requests = await fuzz(
            site.origin,
            headers={"Cookie": f"__Host-session={secret}", "Origin": site.origin},
            examples=2,
            places={
                "award_id": made.award_ids[0],
                "invoice_id": made.invoice_id,
                "turn": "1",
                "op_id": "1",
                "kind": "invoice",
                "subject": made.invoice_id,
            },
            without=WITHOUT[who],
            phases="coverage,fuzzing" if THOROUGH else "fuzzing",
        )
    assert requests > 10
