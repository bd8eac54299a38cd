"""``softclose settlement`` and its API, against the running house: as programs of staff, of a buyer
and of nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.identity import OrganisationKind, Role, Scope
from accounts.ids import PersonId
from accounts.tokens import make_token
from foundation.database import transaction
from settlement.lives import AwardState, PaymentState
from tests.fuzzing import fuzz
from tests.processes import Ended, softclose
from tests.settled import DAY_US, Settled, held_operation, settled
from tests.site import Site, now_us, open_site

# Only settlement's paths: the others are fuzzed with their rooms.
OTHERS = r"^(?!/api/v1/settlement)"


@dataclass(frozen=True)
class Programs:
    """The house, and programs of its staff and of a buyer."""

    site: Site
    staff: str
    buyer: str
    paid: Settled
    due: Settled


async def token_of(site: Site, person_id: PersonId, *scopes: Scope) -> str:
    async with transaction(site.pool) as connection:
        made = await make_token(
            connection,
            person_id,
            "program",
            frozenset(scopes),
            expires_at_us=now_us() + DAY_US,
            now_us=now_us(),
        )
    return str(made.secret)


@pytest.fixture
async def programs(database_url: str, tmp_path: Path) -> AsyncIterator[Programs]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer = await site.reseller("Acme Resale")
        seller = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North")
        who = (site.pool, buyer.bidder_id, seller)
        paid = await settled(*who, state=AwardState.FUNDED)
        due = await settled(
            *who,
            sale_id="S2",
            lots=("1",),
            payment=PaymentState.DUE,
            state=AwardState.INVOICED,
            closed_at_us=now_us() - DAY_US,
        )
        yield Programs(
            site,
            await token_of(site, staff_id, Scope.STAFF),
            await token_of(site, buyer.person_id, Scope.BID),
            paid,
            due,
        )


async def run(programs: Programs, *words: str, token: str = "") -> Ended:
    given = ("settlement", *words, "--url", programs.site.origin)
    return await asyncio.to_thread(softclose, *given, SOFTCLOSE_TOKEN=token or programs.staff)


async def test_staff_see_the_queue_stories_and_books_from_the_command_line(
    programs: Programs, tmp_path: Path
) -> None:
    award = programs.paid.award_ids[0]
    number = await held_operation(programs.site.pool, award, "look at this", now_us() - DAY_US)
    queue = await run(programs, "queue", "--json")
    assert queue.code == 1, queue
    assert "look at this" in [item["words"] for item in json.loads(queue.out)["items"]]
    again = await run(programs, "try-again", str(number))
    assert again.code == 0, again
    story = await run(programs, "award", award)
    assert story.code == 0 and "FUNDED" in story.out and "held:S1~1" in story.out, story
    listed = await run(programs, "invoices")
    assert "1540.54 USD" in listed.out, listed
    books = await run(programs, "balances", "--json")
    assert json.loads(books.out)["items"][0]["currency"] == "USD"
    table = await run(programs, "statement", "sale", "S1", "--csv")
    assert table.out.startswith("Account,"), table
    journal = tmp_path / "march.journal"
    export = await run(programs, "export", "hledger", "--month", "2026-03", "--out", str(journal))
    assert export.code == 0, export
    assert "closing balances" in journal.read_text()
    due = await run(programs, "payouts", "due")
    assert due.code == 0, due
    nothing = await run(programs, "payouts", "make")
    assert nothing.code == 1 and "NOTHING_DUE" in nothing.err, nothing
    day = await run(programs, "end-of-day", "2026-03-07", "--json")
    assert json.loads(day.out)["report"]["currency"] == "USD"
    month = await run(programs, "month", "close", "2026-03", "--yes")
    assert month.code == 1, month


async def test_a_buyers_program_has_no_books(programs: Programs) -> None:
    refused = await run(programs, "balances", token=programs.buyer)
    assert refused.code == 1 and "FORBIDDEN" in refused.err, refused


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["staff", "buyer"])
async def test_whatever_comes_is_answered_as_described(programs: Programs, who: str) -> None:
    token = programs.staff if who == "staff" else programs.buyer
    places = {
        "award_id": programs.paid.award_ids[0],
        "invoice_id": programs.due.invoice_id,
        "number": "1",
        "op_id": "1",
        "kind": "invoice",
        "subject": programs.due.invoice_id,
        "method_id": "pm_1",
        "pickup_id": "pickup-1",
        "claim_id": "S1~1~claim1",
        "turn": "1",
    }
    made = await fuzz(
        programs.site.origin,
        headers={"Authorization": f"Bearer {token}"},
        examples=2,
        places=places,
        without=OTHERS,
        phases="fuzzing",
    )
    assert made > 20
