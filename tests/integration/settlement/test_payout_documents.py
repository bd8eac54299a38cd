"""Advices of real payments, and who may read which document."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState, PaymentState
from settlement.papers.archive import Archive
from settlement.papers.kinds import PaperKind, PaperRefusal, Refused
from settlement.papers.listing import (
    advices_of,
    papers_of_award,
    papers_of_invoice,
    readers_of,
    statements_of_consignor,
    statements_of_liquidator,
)
from settlement.papers.rendering import Format
from settlement.papers.words import day
from settlement.payouts.batches import BankFiles
from settlement.payouts.house_bank import HouseBank
from settlement.payouts.platform import PlatformPayouts
from settlement.postings import claim_credit
from settlement.postings_house import cancellation_fee
from tests.paid_lots import SELLER
from tests.paper_house import RESULT, PaperHouse, paper_house
from tests.papers import drawn
from tests.payouts import (
    CHIEF,
    CLERK,
    DRIVER,
    NORTH,
    TARGET,
    WORDS,
    PayoutHouse,
    part,
    payout_house,
)
from tests.settlement_rules import BUYER, CLOSED, SALE


@pytest.fixture
async def paying(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PaperHouse]:
    async with paper_house(database_url) as house:
        await house.sells("1", "2")
        yield house


async def sold(house: PayoutHouse, lot: str) -> AwardId:
    """The worked example with its claim, on the board too."""
    award_id = await house.paid(lot)
    await house.pool.execute(
        RESULT, SALE, lot, NORTH, "Kitchen appliances", "SOLD", None, 1_000_000, CLOSED, int(lot)
    )
    credit = part(award_id, 120_000, 12_000, 10_890)
    await house.books(claim_credit(house.about(award_id), credit))
    return award_id


async def advice(house: PayoutHouse, payee_id: str) -> list[str]:
    async with acquire(house.pool) as connection:
        first = (await advices_of(connection, payee_id))[0]
        assert first.about.startswith("lot ") and first.about.endswith(" 2026")
        assert await readers_of(connection, first.kind, first.subject) == {payee_id}
    archive = Archive(house.pool, house.clock)
    return drawn((await archive.get_document(first.kind, first.subject)).data)


async def test_a_transfers_advice_is_the_worked_example(paying: PayoutHouse) -> None:
    await paying.commission(500)
    await paying.connected()
    award_id = await sold(paying, "12")
    await paying.acceptances.accept(BUYER, DRIVER, award_id)
    await paying.drain()
    found = await advice(paying, NORTH)
    assert {"10,000.00", "-1,200.00", "-440.00", "8,360.00", "$8,360.00"} <= set(found)
    assert "Transfer to your account at Stripe" in found
    assert any("tr_" in text for text in found)
    assert "North Salvage" in found


async def test_an_advice_says_what_was_kept_of_a_payment(paying: PayoutHouse) -> None:
    await paying.commission(500)
    await paying.connected()
    await paying.books(cancellation_fee(paying.about("S0~9"), NORTH, 81_000, AwardId("S0~9")))
    award_id = await sold(paying, "12")
    await paying.acceptances.accept(BUYER, DRIVER, award_id)
    await paying.drain()
    found = await advice(paying, NORTH)
    assert {"8,360.00", "-810.00", "$7,550.00"} <= set(found)
    assert any("Kept for what you owe" in text for text in found)


async def test_a_bank_files_advice_has_all_that_it_pays(paying: PayoutHouse) -> None:
    await paying.commission(500)
    platform = PlatformPayouts(paying.pool, paying.stripe, paying.clock, lambda: None)
    await platform.set_manual()
    await paying.has_bank()
    for lot in ("12", "13"):
        award_id = await sold(paying, lot)
        await paying.passes(days=7)
        await paying.acceptances.accept(BUYER, DRIVER, award_id)
        await paying.drain()
    files = BankFiles(paying.pool, paying.clock, lambda: None)
    await HouseBank(paying.pool, paying.clock).set(CHIEF, "USD", WORDS)
    number = (await files.make(CLERK, "USD")).batch.batch_id
    archive = Archive(paying.pool, paying.clock)
    with pytest.raises(Refused) as refused:
        await archive.get_document(PaperKind.PAYOUT_ADVICE, f"file:{number}:1")
    assert refused.value.refusal is PaperRefusal.NOT_FOUND  # it is not released yet
    await platform.ask(CLERK, "USD", 1_672_000, number)
    await paying.drain()
    await files.release(CHIEF, number)
    kind, subject = PaperKind.PAYOUT_ADVICE, f"file:{number}:1"
    found = drawn((await archive.get_document(kind, subject)).data)
    assert {"20,000.00", "-2,400.00", "-880.00", "16,720.00", "$16,720.00"} <= set(found)
    assert any(f"file {number}" in text for text in found)
    assert "Sent to your bank" not in found  # it is this very payment
    async with acquire(paying.pool) as connection:
        offered = {one.subject: one.about for one in await advices_of(connection, NORTH)}
        assert offered[subject] == day(paying.clock(), "UTC")  # else a list of many says nothing
        assert await readers_of(connection, kind, subject) == {NORTH}


async def test_documents_are_offered_when_they_can_be_made(house: PaperHouse) -> None:
    (due,) = await house.paid("1", state=AwardState.INVOICED, payment=PaymentState.DUE)
    async with acquire(house.pool) as connection:
        invoice_id = InvoiceId(await connection.fetchval("select invoice_id from award"))
        assert [one.kind for one in await papers_of_invoice(connection, invoice_id)] == [
            PaperKind.INVOICE
        ]
        await connection.execute("update award set state = 'FUNDED'")
        offered = await papers_of_invoice(connection, invoice_id)
        assert [(one.kind, one.subject) for one in offered] == [
            (PaperKind.INVOICE, invoice_id),
            (PaperKind.MANIFEST, due),
        ]
        assert offered[1].forms == (Format.PDF, Format.XLSX, Format.CSV)
        assert [one.kind for one in await papers_of_award(connection, due)] == [
            *(PaperKind.MANIFEST, PaperKind.LABELS, PaperKind.EVIDENCE)
        ]
        assert await papers_of_award(connection, AwardId("S1~99")) == []
        assert await papers_of_invoice(connection, InvoiceId("none")) == []
    for one in offered:
        for form in one.forms:
            assert (await house.archive.get_document(one.kind, one.subject, form)).data


async def test_each_reads_its_own(house: PaperHouse) -> None:
    award_id = await house.worked_example()
    about = await house.about(award_id)
    credit = claim_credit(about, part(award_id, 120_000, 12_000, 10_890))
    await house.books(credit)
    await house.does(
        "insert into sale_result values ($1, $2, 'USD', 'STRICT', null, $3)", SALE, SELLER, CLOSED
    )
    await house.does(
        "insert into consignor (consignor_id, liquidator_id, name, contact, note, version, "
        "created_at_us, changed_at_us, changed_by, organisation_id) "
        "values ($1, $2, 'Target', '', '', 1, 0, 0, 'x', 'target-people')",
        *(TARGET, SELLER),
    )
    async with acquire(house.pool) as connection:
        invoice_id = await connection.fetchval("select invoice_id from award")
        whose: tuple[tuple[PaperKind, str, set[str]], ...] = (
            (PaperKind.INVOICE, invoice_id, {BUYER}),
            (PaperKind.CREDIT_NOTE, credit.key, {BUYER}),
            (PaperKind.CREDIT_NOTE, f"void:{award_id}", {BUYER}),
            (PaperKind.MANIFEST, award_id, {BUYER, SELLER}),
            (PaperKind.LABELS, award_id, {SELLER}),
            (PaperKind.EVIDENCE, award_id, set()),
            (PaperKind.LIQUIDATOR_STATEMENT, SALE, {SELLER}),
            (PaperKind.CONSIGNOR_STATEMENT, f"{TARGET}:2026-03", {SELLER, "target-people"}),
            (PaperKind.PAYOUT_ADVICE, credit.key, set()),
        )
        for kind, subject, readers in whose:
            assert await readers_of(connection, kind, subject) == readers, kind
        for kind in PaperKind:
            assert await readers_of(connection, kind, "none") == frozenset()
        statements = await statements_of_liquidator(connection, SELLER)
        assert [(one.subject, one.about) for one in statements] == [(SALE, "Returns of March")]
        assert await statements_of_consignor(connection, TARGET) == []
