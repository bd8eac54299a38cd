"""Staff's pages of settlement and the same for programs; and that they are staff's alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from auction.ids import BidderId
from foundation.database import acquire
from settlement.chart import Kind
from settlement.lives import AwardState, PaymentState
from settlement.story import Told, tell
from tests.accounts_site import Client
from tests.settled import DAY_US, Settled, held_operation, settled
from tests.site import Site, now_us, open_site
from tests.visiting import visitor


@dataclass(frozen=True)
class People:
    """Browsers of each kind of visitor, over some settled sales."""

    site: Site
    staff: Client
    buyer: Client
    seller: Client
    seller_id: PersonId
    buyer_id: BidderId
    paid: Settled
    overdue: Settled


@pytest.fixture
async def people(database_url: str, tmp_path: Path) -> AsyncIterator[People]:
    """The whole site, and who visits it."""
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        buyer = await site.reseller("Acme Resale")
        liquidator = await site.people.organisation(
            OrganisationKind.LIQUIDATOR, "North Liquidation"
        )
        seller_id = await site.people.person(
            liquidator, Role.LIQUIDATOR, Role.ADMIN, mail="lee@north.example", name="Lee North"
        )
        paid = await settled(
            site.pool, buyer.bidder_id, liquidator, state=AwardState.PAID_OUT, sale_id="S1"
        )
        overdue = await settled(
            site.pool,
            buyer.bidder_id,
            liquidator,
            sale_id="S2",
            lots=("7A",),
            payment=PaymentState.OVERDUE,
            state=AwardState.INVOICED,
            hammer_minor=777_00,
        )
        async with (
            visitor(site, staff_id) as staff,
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, seller_id) as of_seller,
        ):
            ids = (seller_id, buyer.bidder_id)
            yield People(site, staff, of_buyer, of_seller, *ids, paid, overdue)


async def test_the_queue_says_what_waits_and_a_held_operation_is_tried_again(
    people: People,
) -> None:
    award = people.paid.award_ids[0]
    words = "the payment was captured twice: look at pi_3Abc"
    number = await held_operation(people.site.pool, award, words, now_us() - DAY_US)
    page = (await people.staff.get("/settlement")).text
    assert words in page and "Needs a person" in page and "Invoice overdue" in page
    assert page.index("Invoice overdue") < page.index(words)  # the older deadline comes first
    only = (await people.staff.get("/settlement?kind=OVERDUE")).text
    assert words not in only and "It is not paid" in only
    said = await people.staff.post("/settlement", {"op_id": str(number)})
    assert said.status == 303
    assert words not in (await people.staff.get("/settlement")).text
    async with acquire(people.site.pool) as connection:
        acts = await connection.fetch(
            "select object_id from audit_event where act = 'OPERATION_TRIED_AGAIN'"
        )
    assert [row["object_id"] for row in acts] == [str(number)]


async def test_an_award_tells_its_whole_story_on_one_page(people: People) -> None:
    page = (await people.staff.get(f"/settlement/awards/{people.paid.award_ids[0]}")).text
    for part in (
        "Lot 1 Kitchen appliances",
        "Paid out",
        "Acme Resale",
        "North Liquidation",
        "$1,237.50",
        "$185.63",
        "$117.41",
        "$1,540.54",
        "Booked: capture",
        "Booked: release",
        "Booked: transfer",
        "pi_3Abc",
        "ch_3Abc",
        "overdue:",
        "America/Chicago",
    ):
        assert part in page, part
    assert "S1~2" not in page  # what is another lot's


async def test_a_story_names_who_acted_and_leaves_out_what_is_empty(people: People) -> None:
    award, person = people.paid.award_ids[0], people.seller_id
    facts = {"buyer_id": people.buyer_id, "seal": "", "driver": "Jo Driver", "currency": "USD"}
    line = Told(kind="checked_in", award_id=award, actor=person, facts=facts)
    async with acquire(people.site.pool) as connection:
        await tell(connection, [line], now_us())
    page = (await people.staff.get(f"/settlement/awards/{award}")).text
    assert "by Lee North" in page and person not in page
    told = page[page.index("Checked in") :]
    told = told[: told.index("</li>")]
    assert "Acme Resale" in told and "Jo Driver" in told
    assert not any(word in told for word in (people.buyer_id, "seal", "currency"))


async def test_an_invoice_shows_its_lots_and_what_was_booked(people: People) -> None:
    page = (await people.staff.get(f"/settlement/invoices/{people.paid.invoice_id}")).text
    assert "$4,621.62" in page and page.count("/settlement/awards/S1~") >= 3


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("1", "Invoice 1"),
        ("7A", "Lot 7A"),
        ("Acme Resale", "Invoice 2"),
        ("acme", "Invoice 1"),
        ("$4,621.62", "Invoice 1"),
        ("777.00", "Lot 7A"),
        ("S2", "Invoice 2"),
        ("S1~2", "Lot 2"),
        ("pi_3Abc", "Invoice 1"),
        ("100%_\\", "Nothing fits"),
        ("nobody", "Nothing fits"),
    ],
)
async def test_everything_is_found_by_what_is_at_hand(
    people: People, asked: str, found: str
) -> None:
    answer = await people.staff.get(f"/settlement/search?q={quote(asked)}")
    if answer.status == 303:
        answer = await people.staff.get(answer.location)
    assert answer.status == 200
    assert found in answer.text


async def test_balances_say_whose_the_money_is_and_debits_are_credits(people: People) -> None:
    page = (await people.staff.get("/settlement/balances")).text
    assert "Debits are credits" in page and "Free to pay out" in page and "Sales tax" in page
    program = await people.staff.get("/api/v1/settlement/balances", Accept="application/json")
    assert program.status == 200


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("of=AWARD&subject=S1~1", "$1,237.50"),
        ("of=SALE&subject=S1&month=2026-03", "Opening balance"),
        ("of=ALL&day=2026-03-07", "Balance at Stripe"),
        ("of=SALE&subject=nothing", "Nothing was booked"),
        ("of=ALL&subject=x", "ask for the whole book"),
        ("of=SALE&subject=S1&month=2026-13", "Please check this"),
        ("of=LIQUIDATOR&subject=%21", "This can be no id"),
    ],
)
async def test_a_statement_is_of_any_scope_and_period(
    people: People, query: str, part: str
) -> None:
    answer = await people.staff.get(f"/settlement/statement?{query}")
    assert answer.status in (200, 422)
    assert part in answer.text
    table = await people.staff.get(f"/api/v1/settlement/statement.csv?{query}")
    assert table.status == answer.status


async def test_a_statement_that_is_too_long_for_a_page_is_a_file(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.pages.books.MAX_SHOWN", 5)
    answer = await people.staff.get("/settlement/statement?of=SALE&subject=S1")
    assert answer.status == 422 and "too many for a page" in answer.text
    assert "S1~1" not in answer.text
    assert "/api/v1/settlement/statement.csv?of=SALE" in answer.text
    table = await people.staff.get("/api/v1/settlement/statement.csv?of=SALE&subject=S1")
    assert table.status == 200 and "S1~1" in table.text


async def test_a_month_is_exported_for_three_programs(people: People) -> None:
    api = "/api/v1/settlement/exports"
    quickbooks = await people.staff.get(f"{api}/quickbooks.csv?month=2026-03")
    assert quickbooks.text.startswith("Journal No.") and "stripe_balance" in quickbooks.text
    journal = await people.staff.get(f"{api}/hledger.journal?month=2026-03")
    assert "closing balances" in journal.text
    missing = await people.staff.get(f"{api}/xero.zip?month=2026-03", Accept="application/json")
    assert missing.status == 422 and "account code" in missing.text
    codes = "&".join(f"code={kind}={place}" for place, kind in enumerate(Kind, start=200))
    packed = await people.staff.get(f"{api}/xero.zip?month=2026-03&{codes}")
    assert packed.body.startswith(b"PK")


STAFF_ONLY = (
    "/settlement",
    "/settlement/search?q=1",
    "/settlement/invoices",
    "/settlement/balances",
    "/settlement/statement",
    "/settlement/exports",
    "/settlement/find/S1~1",
    "/settlement/awards/S1~1",
    "/api/v1/settlement/queue",
    "/api/v1/settlement/balances",
    "/api/v1/settlement/awards/S1~1",
    "/api/v1/settlement/statement?of=ALL",
)


@pytest.mark.parametrize("path", STAFF_ONLY)
async def test_buyers_and_sellers_have_no_pages_of_staff(people: People, path: str) -> None:
    assert (await people.staff.get(path)).status in (200, 303)
    for other in (people.buyer, people.seller):
        assert (await other.get(path)).status == 403


async def test_what_is_not_there_is_said_so(people: People) -> None:
    for path in ("awards/S9~1", "awards/%20", "invoices/x", "awards/..%2f"):
        assert (await people.staff.get(f"/settlement/{path}")).status == 404
        assert (await people.staff.get(f"/api/v1/settlement/{path}")).status == 404
