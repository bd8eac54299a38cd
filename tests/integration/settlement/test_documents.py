"""Documents as they are asked for: the figures of the books, and the same bytes again."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from hashlib import sha256

import asyncpg
import pytest

from foundation.database import acquire
from settlement import postings as p
from settlement.chart import STRIPE, buyer_credit
from settlement.entries import Purpose, entry_key
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.papers.house import HousePaper, HousePapers
from settlement.papers.kinds import PaperKind, PaperRefusal, Refused
from settlement.papers.letterhead import Bank
from settlement.papers.reading_purchases import credit_notes_of
from settlement.papers.rendering import Format
from settlement.rows import read_invoice
from tests.code128 import codes_on
from tests.paid_lots import CLERK, PAID, SELLER
from tests.paper_house import PaperHouse, paper_house
from tests.papers import drawn, page_count
from tests.payouts import part
from tests.settlement_rules import BUYER, SALE

HOUSE = HousePaper(
    name="Prairie Exchange",
    address=("1200 Market Street", "Chicago, IL 60601, US"),
    contact="settlement@prairie.example",
    foot="Prairie Exchange LLC",
    gs1_prefix="0614141",
    bank=Bank(
        bank="First Bank of the Lakes",
        account_name="Prairie Exchange LLC",
        routing_number="071000013",
        account_number="000123456789",
    ),
)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PaperHouse]:
    async with paper_house(database_url) as house:
        await house.sells("1", "2", "3")
        yield house


async def is_refused(house: PaperHouse, kind: PaperKind, subject: str) -> PaperRefusal:
    with pytest.raises(Refused) as refused:
        await house.archive.get_document(kind, subject)
    return refused.value.refusal


async def invoice_of(house: PaperHouse, award_id: str) -> InvoiceId:
    async with acquire(house.pool) as connection:
        found: InvoiceId = await connection.fetchval(
            "select invoice_id from award where award_id = $1", award_id
        )
    return found


async def test_the_worked_example_is_on_paper_to_the_cent(house: PaperHouse) -> None:
    award_id = await house.worked_example()
    await house.result("1", hammer_minor=1_000_000)
    invoice_id = await invoice_of(house, award_id)
    invoice = await house.archive.get_document(PaperKind.INVOICE, invoice_id)
    found = drawn(invoice.data)
    assert {"10,000.00", "1,000.00", "907.50", "11,000.00", "-11,907.50", "$0.00"} <= set(found)
    assert {"Hart Resale, Inc.", "77 Elm Street", "Dallas, TX, US", "US-TX"} <= set(found)
    assert invoice.number in found

    about = await house.about(award_id, stripe_ids=(StripeId("re_1"),))
    await house.books(p.claim_credit(about, part(award_id, 120_000, 12_000, 10_890)))
    async with acquire(house.pool) as connection:
        (note,) = await credit_notes_of(connection, await read_invoice(connection, invoice_id))
    credit = await house.archive.get_document(PaperKind.CREDIT_NOTE, note)
    found = drawn(credit.data)
    assert {"1,200.00", "120.00", "108.90", "$1,428.90", "1,320.00", "Claim"} <= set(found)
    assert any("re_1" in text for text in found)
    assert {credit.number, invoice.number} <= set(found)

    about = await house.about(award_id)
    await house.books(p.release(about, SELLER, part(award_id, 880_000, 88_000, 0), 44_000))
    about = await house.about(award_id, stripe_ids=(StripeId("tr_1"),))
    sent = p.transfer_out(about, SELLER, 836_000)
    await house.books(sent)
    statement = await house.archive.get_document(PaperKind.LIQUIDATOR_STATEMENT, SALE)
    found = drawn(statement.data)
    assert {"-1,200.00", "-440.00", "8,360.00", "-8,360.00", "$0.00", "tr_1"} <= set(found)
    advice = await house.archive.get_document(PaperKind.PAYOUT_ADVICE, sent.key)
    found = drawn(advice.data)
    assert {"10,000.00", "-1,200.00", "-440.00", "$8,360.00"} <= set(found)


async def test_the_manifest_comes_with_the_money_and_not_before(house: PaperHouse) -> None:
    (award_id,) = await house.paid("1", state=AwardState.INVOICED, payment=PaymentState.DUE)
    assert await is_refused(house, PaperKind.MANIFEST, award_id) is PaperRefusal.NOT_FUNDED
    for state in ("CANCELLED", "VOID"):
        await house.does("update award set state = $2 where award_id = $1", award_id, state)
        assert await is_refused(house, PaperKind.MANIFEST, award_id) is PaperRefusal.CANCELLED
    for state in ("FUNDED", "HANDED_OVER", "ACCEPTED", "RELEASED", "PAID_OUT", "CLOSED"):
        await house.does("update award set state = $2 where award_id = $1", award_id, state)
        manifest = await house.archive.get_document(PaperKind.MANIFEST, award_id)
    found = drawn(manifest.data)
    assert {"LPNX000001", "SN00000001", "1 Dock Road", "79.98"} <= set(found)
    assert manifest.version == 1
    invoice = drawn(
        (
            await house.archive.get_document(PaperKind.INVOICE, await invoice_of(house, award_id))
        ).data
    )
    assert not {"1 Dock Road", "LPNX000001"} & set(invoice)


async def test_the_manifest_is_the_one_that_was_published_in_each_form(house: PaperHouse) -> None:
    award_id = await house.worked_example()
    kind = PaperKind.MANIFEST
    table = (await house.archive.get_document(kind, award_id, Format.CSV)).data.decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    async with acquire(house.pool) as connection:
        digest = await connection.fetchval(
            "select encode(manifest_sha256, 'hex') from lot_listing where lot_id = '1'"
        )
    assert [row["LPN"] for row in rows] == ["LPNX000001", "'=1+1"]
    assert {row["Manifest SHA-256"] for row in rows} == {digest}
    sheet = await house.archive.get_document(kind, award_id, Format.XLSX)
    assert sheet.data.startswith(b"PK")
    assert sheet.file_name.startswith("manifest-MF-") and sheet.file_name.endswith(".xlsx")
    assert await is_refused(house, kind, "S1~99") is PaperRefusal.NOT_FOUND
    with pytest.raises(Refused) as refused:
        invoice_id = await invoice_of(house, award_id)
        await house.archive.get_document(PaperKind.INVOICE, invoice_id, Format.CSV)
    assert refused.value.refusal is PaperRefusal.NO_SUCH_FORM


async def test_a_document_is_the_same_bytes_until_its_facts_change(house: PaperHouse) -> None:
    award_id = await house.worked_example()
    invoice_id, kind = await invoice_of(house, award_id), PaperKind.INVOICE
    both = await asyncio.gather(*(house.archive.get_document(kind, invoice_id) for _ in range(2)))
    house.clock.now_us += 86_400_000_000
    again = await house.archive.get_document(kind, invoice_id)
    assert {one.data for one in (*both, again)} == {again.data}
    assert again.sha256 == sha256(again.data).hexdigest()
    assert again.version == 1
    assert await house.archive.is_as_before(kind, invoice_id) is True
    await house.does("update invoice set credited_minor = 142890 where true")
    assert await house.archive.is_as_before(kind, invoice_id) is None
    changed = await house.archive.get_document(kind, invoice_id)
    assert (changed.version, changed.number) == (2, again.number)
    assert changed.data != again.data
    assert (await house.archive.at_version(kind, invoice_id, 1)).data == again.data
    assert [one.version for one in await house.archive.versions(kind, invoice_id)] == [2, 1]
    (known,) = await house.archive.by_digest(again.sha256)
    assert (known.kind, known.subject, known.version) == (kind, invoice_id, 1)
    assert await house.archive.by_digest("no digest") == []
    with pytest.raises(Refused):
        await house.archive.at_version(kind, invoice_id, 3)


async def test_what_is_kept_needs_no_press_and_what_is_not_is_refused_without_one(
    house: PaperHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    award_id = await house.worked_example()
    invoice_id = await invoice_of(house, award_id)
    kept = await house.archive.get_document(PaperKind.INVOICE, invoice_id)
    monkeypatch.setattr("sys.executable", "/bin/false")
    again = await house.archive.get_document(PaperKind.INVOICE, invoice_id)
    assert again == kept
    assert await is_refused(house, PaperKind.MANIFEST, award_id) is PaperRefusal.BUSY
    monkeypatch.undo()
    assert (await house.archive.get_document(PaperKind.MANIFEST, award_id)).version == 1


async def test_what_was_handed_out_is_never_changed(house: PaperHouse) -> None:
    award_id = await house.worked_example()
    await house.archive.get_document(PaperKind.MANIFEST, award_id)
    for statement in (
        "update paper_file set bytes = 'x'",
        "delete from paper",
        "truncate paper_subject cascade",
        "update house_paper set name = 'x'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await house.does(statement)


async def test_numbers_of_a_kind_have_no_gaps(house: PaperHouse) -> None:
    awards = await house.paid("1", "2", "3")
    kind = PaperKind.LABELS
    papers = await asyncio.gather(*(house.archive.get_document(kind, one) for one in awards))
    assert sorted(paper.number for paper in papers) == ["LB-000001", "LB-000002", "LB-000003"]


async def test_the_house_and_its_bank_are_on_what_is_made_from_then_on(house: PaperHouse) -> None:
    (award_id,) = await house.paid("1", payment=PaymentState.DUE, state=AwardState.INVOICED)
    invoice_id = await invoice_of(house, award_id)
    await house.does("update invoice set paid_minor = 0, issued_at_us = $1", PAID + 10)
    await HousePapers(house.pool, house.clock).set(CLERK, HOUSE)
    found = drawn((await house.archive.get_document(PaperKind.INVOICE, invoice_id)).data)
    assert {"Prairie Exchange", "071000013", "000123456789", "How to pay"} <= set(found)
    address = {"kind": "aba", "account": "99001", "routing": "110000000", "holder": "Hart Resale"}
    addresses = [address | {"bank": "Test Bank", "networks": ["ach"]}]
    await house.does(
        "insert into bank_details values ($1, 'USD', 'cus_1', $2::jsonb, 0)",
        *(BUYER, json.dumps(addresses)),
    )
    found = drawn((await house.archive.get_document(PaperKind.INVOICE, invoice_id)).data)
    assert {"Test Bank", "99001", "110000000"} <= set(found)
    assert "000123456789" not in found


async def test_the_house_is_set_by_staff_whom_the_log_names(house: PaperHouse) -> None:
    papers = HousePapers(house.pool, house.clock)
    await papers.set(CLERK, HOUSE)
    assert await papers.read() == HOUSE
    async with acquire(house.pool) as connection:
        row = await connection.fetchrow("select * from audit_event where act = 'HOUSE_PAPER_SET'")
    assert row is not None
    assert row["person_id"] == CLERK.person_id
    assert "000123456789" not in str(dict(row))
    with pytest.raises(Refused) as refused:  # two changes at the same microsecond
        await papers.set(CLERK, HOUSE)
    assert refused.value.refusal is PaperRefusal.BAD_HOUSE
    house.clock.now_us += 1
    with pytest.raises(Refused) as refused:
        await papers.set(CLERK, HousePaper(name="x", gs1_prefix="12"))
    assert refused.value.field == "gs1_prefix"


async def test_pallets_get_numbers_for_everybody_once_where_the_house_has_a_prefix(
    house: PaperHouse,
) -> None:
    first, second = await house.paid("1", "2")
    plain = await house.archive.get_document(PaperKind.LABELS, first)
    assert page_count(plain.data) == 4
    assert all(len(page) == 1 for page in codes_on(plain.data))
    await HousePapers(house.pool, house.clock).set(CLERK, HOUSE)
    labels = await house.archive.get_document(PaperKind.LABELS, first)
    others = await house.archive.get_document(PaperKind.LABELS, second)
    pages = codes_on(labels.data) + codes_on(others.data)
    assert [page[0] for page in pages[:2]] == [
        "<F1>00006141410000000012",
        "<F1>00006141410000000029",
    ]
    assert len({page[0] for page in pages}) == 8
    assert [page[1] for page in pages[:4]] == [page[0] for page in codes_on(plain.data)]
    again = await house.archive.get_document(PaperKind.LABELS, first)
    assert again.data == labels.data


async def test_a_late_certificates_credit_note_and_what_was_never_paid(house: PaperHouse) -> None:
    award_id, void = await house.paid("1", "2", hammer_minor=1_000_000)
    about = await house.about(award_id)
    await house.books(p.tax_credited(about, part(award_id, 0, 0, 90_750), buyer_credit(BUYER)))
    key = entry_key(Purpose.TAX_CREDITED, award_id)
    found = drawn((await house.archive.get_document(PaperKind.CREDIT_NOTE, key)).data)
    assert {"907.50", "$907.50", "11,000.00"} <= set(found)
    assert any("kept as your credit" in text for text in found)
    assert await is_refused(house, PaperKind.CREDIT_NOTE, f"void:{award_id}") is (
        PaperRefusal.NOT_FOUND
    )
    await house.does("update award set state = 'VOID', ended_at_us = 1 where award_id = $1", void)
    found = drawn((await house.archive.get_document(PaperKind.CREDIT_NOTE, f"void:{void}")).data)
    assert {"Lot void, not paid", "$11,907.50"} <= set(found)
    assert STRIPE.name not in found


async def test_a_statement_says_what_passed_and_what_is_only_expected(house: PaperHouse) -> None:
    _, void = await house.paid("1", "2")
    await house.does("update award set state = 'VOID' where award_id = $1", void)
    await house.result("1", hammer_minor=1_237_50)
    await house.result("2", hammer_minor=1_237_50)
    await house.result("3", "PASSED", reason="RESERVE_NOT_MET")
    statement = await house.archive.get_document(PaperKind.LIQUIDATOR_STATEMENT, SALE)
    found = drawn(statement.data)
    assert {"1,237.50", "-123.75", "1,113.75", "Buyer did not pay", "Passed"} <= set(found)
    assert {"reserve not met", "$0.00"} <= set(found)
    assert await is_refused(house, PaperKind.LIQUIDATOR_STATEMENT, "S9") is PaperRefusal.NOT_FOUND


async def test_an_exempt_invoice_names_the_certificate(house: PaperHouse) -> None:
    (award_id,) = await house.paid("1", rate_ppm=0)
    await house.does(
        "insert into resale_certificate (certificate_id, organisation_id, region, number, "
        "expires_on, state, created_at_us) values ('c1', $1, 'TX', '32-1', '2026-12-31', "
        "'ACCEPTED', 0)",
        BUYER,
    )
    invoice_id = await invoice_of(house, award_id)
    found = drawn((await house.archive.get_document(PaperKind.INVOICE, invoice_id)).data)
    assert "Exempt by resale certificate 32-1, good until 31 Dec 2026" in found
