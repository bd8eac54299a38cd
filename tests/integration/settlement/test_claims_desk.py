"""Claims from their filing to the books: what is refused, what is credited, and by whom."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from auction.catalog.goods import Condition, FreightTerms, ManifestLine
from auction.catalog.photos import PhotoWorker
from auction.ids import BidderId, LotId
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.accepting import Accept
from settlement.chart import sales_tax
from settlement.claiming.claim_table import Claim, claim_id_of
from settlement.claiming.desk import ClaimsDesk
from settlement.claiming.filing import Claims
from settlement.claiming.queueing import CLAIMS
from settlement.claiming.refunding import claim_handlers
from settlement.claiming.talking import ClaimTalk
from settlement.claiming.words import ClaimState, FiledLine, Filing, GrantedLine, Refused
from settlement.claims import Reason, Threshold
from settlement.entries import About, AwardMoney
from settlement.ids import AwardId, InvoiceId, TaxPlace
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.operations import Handler, Operation
from settlement.payments.backs import credit_line
from settlement.policy import ThresholdPays
from settlement.postings import claim_after_release, claim_credit, release
from settlement.queue import Queue, Waiting
from settlement.rows import hold_invoice
from settlement.steps import Step, Wanted, want, write
from settlement.worker import Worker
from tests.books import balances_of
from tests.catalogue import a_described_lot, a_line, a_sale, list_lots
from tests.paging import walked
from tests.paid_lots import (
    CHIEF,
    CLERK,
    DRIVER,
    SELLER,
    Clock,
    a_pool,
    goods,
    lots,
    pay_for,
    row_of,
    told,
    waiting,
)
from tests.pictures import a_bomb, a_photo
from tests.settlement_rules import BUYER, SALE, at_us, tax_at

OTHER = BidderId("other")
# Twenty at 500.00 and a hundred at 100.00: 20,000.00 in all.
MANIFEST = (
    a_line(1, quantity=20, unit_msrp_minor=500_00),
    a_line(2, quantity=100, unit_msrp_minor=100_00),
)
NO_TAX = tax_at(rate_ppm=0)
HANDED_OVER = at_us("2026-03-10 09:40")


class Refunds:
    """Gives back at once what is asked for, and books it as it is to be booked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def call(self, op: Operation) -> object:
        self.asked.append(dict(op.arguments))
        return f"re_{len(self.asked)}"

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        facts = op.arguments
        held = await hold_invoice(connection, InvoiceId(facts["invoice_id"]))
        back = AwardMoney(
            award_id=AwardId(facts["award_id"]),
            hammer_minor=facts["hammer_minor"],
            premium_minor=facts["premium_minor"],
            tax_minor=facts["tax_minor"],
            freight_minor=facts["freight_minor"],
            tax_place=sales_tax(TaxPlace(facts["tax_place"])),
        )
        assert back.total_minor == facts["amount_minor"]
        about = About(subject=op.subject, at_us=now_us, currency=facts["currency"])
        if facts["after_release"]:
            entry = claim_after_release(about, SELLER, back, facts["commission_minor"])
        else:
            entry = claim_credit(about, back)
        told = Wanted(
            operation="claim_credited", subject=op.subject, arguments={"refund_id": answer}
        )
        await write(connection, held, Step(operations=(told,), entries=(entry,)), now_us)


class Desk:
    """All services of claims over one database, by one clock."""

    def __init__(self, pool: Pool, photos: PhotoWorker) -> None:
        self.pool, self.clock = pool, Clock(HANDED_OVER)
        self.claims = Claims(pool, self.clock, photos)
        self.talk = ClaimTalk(pool, self.clock, photos)
        self.desk = ClaimsDesk(pool, self.clock)
        self.refunds = Refunds()
        handlers: dict[str, Handler] = {
            "refund": self.refunds,
            "accept": Accept(),
            **claim_handlers(),
        }
        self.worker = Worker(pool, handlers | claim_handlers(), self.clock)

    async def handed_over(
        self,
        hammer_minor: int = 3_200_00,
        *,
        lines: Sequence[ManifestLine] = MANIFEST,
        freight: FreightTerms = FreightTerms.BUYER_ARRANGED,
        state: AwardState = AwardState.HANDED_OVER,
        threshold: Threshold | None = None,
        **paid: Any,
    ) -> AwardId:
        """A lot of a sale with a manifest, paid and handed over."""
        (lot,) = lots("1")
        lot = replace(lot, hammer_minor=hammer_minor)
        described = a_described_lot("1", SALE, freight_terms=FreightTerms.BUYER_ARRANGED)
        facts: dict[str, Any] = {"tax": NO_TAX, "premium_bps": 0} | paid
        async with acquire(self.pool) as connection:
            await list_lots(connection, described, sale=a_sale(SALE), lines=lines)
            if threshold is not None:
                await self.desk.state_threshold(SALE, LotId("1"), threshold, CLERK)
            what = [goods("1", freight_terms=freight)]
            (award_id,) = await pay_for(connection, lot, what=what, state=state, **facts)
            await connection.execute("update award set handed_over_at_us = $1", HANDED_OVER)
        return award_id

    async def files(self, award_id: AwardId, *lines: FiledLine, **more: Any) -> Claim:
        filing = Filing(lines=lines, words="The pallet was opened.")
        return await self.claims.file(award_id, filing, DRIVER, buyer_id=BUYER, **more)

    async def grants(self, claim: Claim, **how: Any) -> Claim:
        granted = await self.desk.grant(claim.claim_id, claim.version, CLERK, **how)
        await self.worker.drain()
        return await self.claims.claim(granted.claim_id)

    async def balances(self) -> dict[str, int]:
        async with acquire(self.pool) as connection:
            return await balances_of(connection)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    photos = PhotoWorker()
    async with a_pool(database_url) as pool:
        yield Desk(pool, photos)
    await photos.close()


def missing(quantity: int, line: int = 2, **more: Any) -> FiledLine:
    return FiledLine(line=line, reason=Reason.MISSING, quantity=quantity, **more)


async def refused(asked: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await asked  # type: ignore[misc]
    return caught.value.refusal.value, caught.value.message


async def test_a_thousand_of_twenty_thousand_missing_on_3200_is_160_in_the_books(
    desk: Desk,
) -> None:
    award_id = await desk.handed_over(3_200_00)
    claim = await desk.files(award_id, missing(10))
    assert (await row_of(desk.pool, award_id)).state is AwardState.CLAIMED
    view = await desk.desk.view(claim.claim_id)
    assert (view.formula.total_minor, view.lost_ppm) == (160_00, 50_000)
    granted = await desk.grants(claim)
    assert (granted.state, granted.refund_id) == (ClaimState.GRANTED, "re_1")
    books = await desk.balances()
    assert books[f"held:{award_id}"] == books["stripe_balance"] == 3_040_00
    assert (await row_of(desk.pool, award_id)).state is AwardState.ACCEPTED
    assert [op["subject"] for op in await waiting(desk.pool, "release")] == [award_id]
    assert not await waiting(desk.pool, "reverse_transfer"), "the seller owes nothing"
    async with transaction(desk.pool) as connection:
        again = Wanted(
            operation="claim_credited",
            subject=claim.claim_id,
            generation=2,
            arguments={"refund_id": "re_2"},
        )
        await want(connection, [again], desk.clock.now_us)
    assert await desk.worker.drain() == 1
    assert await desk.claims.claim(claim.claim_id) == granted
    assert await told(desk.pool, award_id) == [
        "claimed",
        "claim_granted",
        "claim_credited",
        "accepted",
    ]


@pytest.mark.parametrize(
    ("pieces", "pays", "credited_minor"),
    [
        (12, ThresholdPays.FULL, 120_00),
        (12, ThresholdPays.EXCESS, 20_00),
        (10, ThresholdPays.FULL, 100_00),
        (10, ThresholdPays.EXCESS, 0),
        (9, ThresholdPays.FULL, 0),
    ],
)
async def test_a_threshold_of_five_per_cent_on_2000_as_the_lot_states_it(
    desk: Desk, pieces: int, pays: ThresholdPays, credited_minor: int
) -> None:
    award_id = await desk.handed_over(2_000_00, threshold=Threshold(500, pays))
    claim = await desk.files(award_id, missing(pieces))
    granted = await desk.grants(claim)
    assert granted.state is ClaimState.GRANTED
    assert (await desk.balances())[f"held:{award_id}"] == 2_000_00 - credited_minor
    assert len(desk.refunds.asked) == bool(credited_minor)
    assert (await row_of(desk.pool, award_id)).state is AwardState.ACCEPTED


async def test_premium_and_tax_go_back_as_in_the_worked_example(desk: Desk) -> None:
    award_id = await desk.handed_over(10_000_00, tax=tax_at(), premium_bps=1_000)
    claim = await desk.files(award_id, missing(24))
    proposed = await desk.grants(claim)
    assert proposed.state is ClaimState.PROPOSED, "it is above the bound for one person"
    await desk.desk.agree(claim.claim_id, proposed.version, CHIEF)
    await desk.worker.drain()
    assert await desk.balances() == {
        f"deferred_fees:{award_id}": 88_000,
        f"held:{award_id}": 880_000,
        "sales_tax:US-TX": 79_860,
        "stripe_balance": 1_190_750 - 142_890,
    }


async def test_claims_in_pieces_bring_no_more_than_one(desk: Desk) -> None:
    award_id = await desk.handed_over(3_200_00)
    first = await desk.files(award_id, missing(10))
    await desk.grants(first)
    second = await desk.claims.file(award_id, Filing(lines=(missing(6),)), CLERK)
    assert second.late and second.number == 2
    mine = [second.claim_id, first.claim_id]
    pages = await walked(lambda paging: desk.claims.page_of_buyer(BUYER, paging))
    assert [one.claim_id for one in pages] == mine
    waiting = [one.claim_id for one in await walked(desk.desk.page)]
    assert waiting == [second.claim_id]
    assert (await row_of(desk.pool, award_id)).state is AwardState.CLAIMED
    granted = await desk.grants(second)
    assert granted.credit is not None and granted.credit.total_minor == 96_00
    assert (await desk.balances())[f"held:{award_id}"] == 3_200_00 - 256_00
    beyond = desk.claims.file(award_id, Filing(lines=(missing(85),)), CLERK)
    said = "Line 2: 101 are affected of 100."
    assert await refused(beyond) == ("QUANTITY_ABOVE_MANIFEST", said)


async def test_what_staff_cut_is_not_got_back_by_the_next_claim(desk: Desk) -> None:
    award_id = await desk.handed_over(3_200_00)
    claim = await desk.files(award_id, missing(10))
    cut = await desk.grants(claim, credit_minor=60_00, why="photos show fewer")
    assert cut.credit is not None and cut.credit.total_minor == 60_00
    second = await desk.claims.file(award_id, Filing(lines=(missing(10, 1),)), CLERK)
    granted = await desk.grants(second)
    assert granted.credit is not None and granted.credit.total_minor == 800_00
    assert (await desk.balances())[f"held:{award_id}"] == 3_200_00 - 860_00


async def test_staff_grant_less_with_a_reason_and_never_more(desk: Desk) -> None:
    award_id = await desk.handed_over(3_200_00)
    claim = await desk.files(award_id, missing(10), missing(2, 1))
    grant = desk.desk.grant
    args = (claim.claim_id, claim.version, CLERK)
    one = [GrantedLine(place=1, quantity=10)]
    assert (await desk.desk.figure(claim.claim_id, one)).total_minor == 160_00
    more = [GrantedLine(place=1, quantity=11)]
    assert (await refused(grant(*args, granted=more)))[0] == "MORE_THAN_CLAIMED"
    twice = [GrantedLine(place=1, quantity=1), GrantedLine(place=1, quantity=1)]
    assert (await refused(grant(*args, granted=twice)))[0] == "UNKNOWN_LINE"
    assert (await refused(grant(*args, credit_minor=320_01, why="kind")))[0] == "MORE_THAN_FORMULA"
    assert (await refused(grant(*args, credit_minor=-1, why="kind")))[0] == "MORE_THAN_FORMULA"
    assert (await refused(grant(*args, granted=one)))[0] == "WHY_NEEDED"
    assert (await refused(grant(*args, credit_minor=1_00, why=" ")))[0] == "WHY_NEEDED"
    granted = await desk.grants(claim, granted=one, why="line 1 was all there")
    assert granted.credit is not None and granted.credit.total_minor == 160_00
    again = grant(claim.claim_id, granted.version, CLERK)
    assert (await refused(again))[0] == "NOT_NOW"


async def test_a_large_credit_needs_another_person(desk: Desk) -> None:
    award_id = await desk.handed_over(20_000_00)
    claim = await desk.files(award_id, missing(10))
    proposed = await desk.grants(claim)
    assert proposed.state is ClaimState.PROPOSED and not desk.refunds.asked
    args = (claim.claim_id, proposed.version)
    assert (await refused(desk.desk.agree(*args, CLERK)))[0] == "SAME_PERSON"
    assert (await refused(desk.desk.send_back(*args, "", CHIEF)))[0] == "WHY_NEEDED"
    back = await desk.desk.send_back(*args, "ask for photos", CHIEF)
    assert (back.state, back.credit) == (ClaimState.FILED, None)
    assert (await refused(desk.desk.agree(claim.claim_id, back.version, CHIEF)))[0] == "NOT_NOW"
    proposed = await desk.grants(back)
    stale = desk.desk.agree(claim.claim_id, back.version, CHIEF)
    assert (await refused(stale))[0] == "CHANGED_MEANWHILE"
    agreed = await desk.desk.agree(claim.claim_id, proposed.version, CHIEF)
    assert agreed.agreed_by == CHIEF.person_id
    assert await desk.worker.drain() == 2
    assert (await desk.balances())[f"held:{award_id}"] == 19_000_00


async def test_what_was_credited_between_two_signatures_is_not_credited_twice(desk: Desk) -> None:
    award_id = await desk.handed_over(32_000_00, tax=tax_at())
    claim = await desk.files(award_id, missing(10))
    proposed = await desk.desk.grant(claim.claim_id, claim.version, CLERK)
    assert proposed.state is ClaimState.PROPOSED
    assert proposed.credit is not None and proposed.credit.tax_minor > 0
    invoice_id = (await row_of(desk.pool, award_id)).invoice_id
    assert invoice_id is not None
    place = sales_tax(TaxPlace("US-TX"))
    tax = AwardMoney(award_id=award_id, hammer_minor=0, tax_minor=2_640_00, tax_place=place)
    async with transaction(desk.pool) as connection:
        await credit_line(connection, invoice_id, "CERTIFICATE", [tax], desk.clock.now_us)
    asked = (claim.claim_id, proposed.version)
    assert (await refused(desk.desk.agree(*asked, CHIEF)))[0] == "NOT_NOW"
    back = await desk.desk.send_back(*asked, "its tax went back", CHIEF)
    anew = await desk.desk.grant(claim.claim_id, back.version, CLERK)
    assert anew.credit is not None and anew.credit.tax_minor == 0
    await desk.desk.agree(claim.claim_id, anew.version, CHIEF)


async def test_two_people_who_decide_at_once_credit_once(desk: Desk) -> None:
    award_id = await desk.handed_over(3_200_00)
    claim = await desk.files(award_id, missing(10))
    args = (claim.claim_id, claim.version)
    decisions = [desk.desk.grant(*args, who) for who in (CLERK, CHIEF)]
    decisions.append(desk.desk.refuse(*args, "no", CHIEF))
    answers = await asyncio.gather(*decisions, return_exceptions=True)
    codes = sorted(a.refusal.value for a in answers if isinstance(a, Refused))
    assert codes == ["CHANGED_MEANWHILE"] * 2
    await desk.worker.drain()
    assert len(desk.refunds.asked) <= 1
    assert (await row_of(desk.pool, award_id)).state is AwardState.ACCEPTED


async def test_nothing_is_accepted_while_a_claim_is_decided(desk: Desk) -> None:
    award_id = await desk.handed_over(3_200_00)
    claim = await desk.files(award_id, missing(10))
    async with transaction(desk.pool) as connection:
        deadline = Wanted(operation="accept", subject=award_id, generation=2)
        await want(connection, [deadline], desk.clock.now_us)
    desk.clock.is_now("2026-03-20 09:00")
    await desk.worker.drain()
    assert (await row_of(desk.pool, award_id)).state is AwardState.CLAIMED
    granted = await desk.desk.grant(claim.claim_id, claim.version, CLERK)
    assert granted.state is ClaimState.CREDITING
    assert (await row_of(desk.pool, award_id)).state is AwardState.CLAIMED, "the refund is to come"


async def test_a_claim_is_refused_with_a_reason_and_the_goods_are_accepted(desk: Desk) -> None:
    award_id = await desk.handed_over()
    claim = await desk.files(award_id, missing(10))
    args = (claim.claim_id, claim.version)
    assert (await refused(desk.desk.refuse(*args, " ", CLERK)))[0] == "WHY_NEEDED"
    no = await desk.desk.refuse(*args, "The photos show all of them.", CLERK)
    assert (no.state, no.why) == (ClaimState.REFUSED, "The photos show all of them.")
    assert (await row_of(desk.pool, award_id)).state is AwardState.ACCEPTED
    assert (await desk.balances())[f"held:{award_id}"] == 3_200_00


async def test_the_buyer_takes_its_claim_back(desk: Desk) -> None:
    award_id = await desk.handed_over()
    claim = await desk.files(award_id, missing(10))
    args = (claim.claim_id, claim.version, DRIVER)
    foreign = desk.claims.withdraw(*args, buyer_id=OTHER)
    assert (await refused(foreign))[0] == "NOT_FOUND"
    back = await desk.claims.withdraw(*args, buyer_id=BUYER)
    assert back.state is ClaimState.WITHDRAWN
    assert (await row_of(desk.pool, award_id)).state is AwardState.ACCEPTED
    twice = desk.claims.withdraw(claim.claim_id, back.version, DRIVER, buyer_id=BUYER)
    assert (await refused(twice))[0] == "NOT_NOW"


async def test_a_proposal_is_void_when_the_buyer_takes_the_claim_back(desk: Desk) -> None:
    award_id = await desk.handed_over(20_000_00)
    proposed = await desk.grants(await desk.files(award_id, missing(10)))
    back = await desk.claims.withdraw(proposed.claim_id, proposed.version, DRIVER, buyer_id=BUYER)
    assert (back.state, back.credit) == (ClaimState.WITHDRAWN, None)


async def test_the_window_is_open_until_just_before_its_end(desk: Desk) -> None:
    award_id = await desk.handed_over()
    until_us, manifest = await desk.claims.claimable(award_id, BUYER)
    assert until_us == at_us("2026-03-12 09:40") and len(manifest) == 2
    desk.clock.now_us = until_us
    assert await refused(desk.files(award_id, missing(10))) == (
        "CLAIMS_WINDOW_OVER",
        "The time for claims is over.",
    )
    desk.clock.now_us = until_us - 1
    assert (await desk.files(award_id, missing(10))).state is ClaimState.FILED
    assert (await refused(desk.files(award_id, missing(1))))[0] == "ALREADY_CLAIMED"
    assert (await refused(desk.claims.claimable(award_id, OTHER)))[0] == "NOT_FOUND"


async def test_the_window_may_end_while_photos_are_read(desk: Desk) -> None:
    award_id = await desk.handed_over()
    times = iter([HANDED_OVER, at_us("2026-03-12 09:40")])
    claims = Claims(desk.pool, lambda: next(times), PhotoWorker())
    filing = Filing(lines=(missing(10),))
    late = claims.file(award_id, filing, DRIVER, buyer_id=BUYER)
    assert (await refused(late))[0] == "CLAIMS_WINDOW_OVER"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (AwardState.INVOICED, "NOT_HANDED_OVER"),
        (AwardState.FUNDED, "NOT_HANDED_OVER"),
        (AwardState.CANCELLED, "NOT_HANDED_OVER"),
        (AwardState.VOID, "NOT_HANDED_OVER"),
        (AwardState.ACCEPTED, "CLAIMS_WINDOW_OVER"),
        (AwardState.RELEASED, "CLAIMS_WINDOW_OVER"),
    ],
)
async def test_only_what_was_handed_over_is_claimed(
    desk: Desk, state: AwardState, code: str
) -> None:
    award_id = await desk.handed_over(state=state)
    assert (await refused(desk.files(award_id, missing(10))))[0] == code
    if code == "NOT_HANDED_OVER":
        late = desk.claims.file(award_id, Filing(lines=(missing(10),)), CLERK)
        assert (await refused(late))[0] == code


LOSS = FiledLine(line=1, reason=Reason.WORSE_CONDITION, quantity=1, loss_bps=2_500)
DAMAGE = FiledLine(line=1, reason=Reason.DAMAGED, quantity=1, loss_bps=5_000)


@pytest.mark.parametrize(
    ("condition", "freight", "line", "code"),
    [
        (Condition.SALVAGE, FreightTerms.BINDING, LOSS, "NOT_COVERED"),
        (Condition.UNINSPECTED, FreightTerms.BINDING, LOSS, "NOT_COVERED"),
        (Condition.USED_GOOD, FreightTerms.BUYER_ARRANGED, DAMAGE, "NOT_COVERED"),
        (Condition.SALVAGE, FreightTerms.BINDING, DAMAGE, "NOT_COVERED"),
        (Condition.NEW, FreightTerms.BINDING, replace(DAMAGE, line=3), "UNKNOWN_LINE"),
        (Condition.NEW, FreightTerms.BINDING, missing(21, 1), "QUANTITY_ABOVE_MANIFEST"),
        (Condition.NEW, FreightTerms.BINDING, missing(1, 1, loss_bps=9_999), "LOSS_NOT_POSSIBLE"),
        (Condition.NEW, FreightTerms.BINDING, replace(LOSS, loss_bps=0), "LOSS_NOT_POSSIBLE"),
        (Condition.NEW, FreightTerms.BINDING, DAMAGE, ""),
        (Condition.USED_GOOD, FreightTerms.BUYER_ARRANGED, LOSS, ""),
        (Condition.SALVAGE, FreightTerms.BUYER_ARRANGED, missing(1, 1), ""),
    ],
)
async def test_what_can_be_claimed_is_a_table_and_a_refusal_names_the_line(
    desk: Desk, condition: Condition, freight: FreightTerms, line: FiledLine, code: str
) -> None:
    lines = (replace(MANIFEST[0], condition=condition), replace(MANIFEST[1], condition=condition))
    award_id = await desk.handed_over(lines=lines, freight=freight)
    asked = desk.files(award_id, missing(1, 2), line)
    if not code:
        assert (await asked).state is ClaimState.FILED
        return
    refusal, message = await refused(asked)
    assert refusal == code and f"ine {line.line}" in message
    assert (await row_of(desk.pool, award_id)).state is AwardState.HANDED_OVER


async def test_a_claim_of_nothing_is_none(desk: Desk) -> None:
    award_id = await desk.handed_over()
    assert (await refused(desk.files(award_id)))[0] == "NOTHING_CLAIMED"
    nowhere = desk.files(AwardId("S1~404"), missing(1))
    assert (await refused(nowhere))[0] == "NOT_FOUND"
    theirs = desk.claims.file(award_id, Filing(lines=(missing(1),)), DRIVER, buyer_id=OTHER)
    assert (await refused(theirs))[0] == "NOT_FOUND"


async def test_of_two_who_file_at_once_one_does(desk: Desk) -> None:
    award_id = await desk.handed_over()
    clicks = [desk.files(award_id, missing(10)) for _ in range(4)]
    answers = await asyncio.gather(*clicks, return_exceptions=True)
    codes = [a.refusal.value for a in answers if isinstance(a, Refused)]
    assert codes == ["ALREADY_CLAIMED"] * 3


@pytest.mark.parametrize("payment", [PaymentState.DISPUTED, PaymentState.PARTLY_FUNDED])
async def test_nothing_is_credited_while_the_bank_wants_the_money_back(
    desk: Desk, payment: PaymentState
) -> None:
    award_id = await desk.handed_over(payment=payment)
    async with transaction(desk.pool) as connection:
        await connection.execute("update invoice set open_disputes = 1")
    claim = await desk.files(award_id, missing(10))
    grant = desk.desk.grant(claim.claim_id, claim.version, CLERK)
    assert (await refused(grant))[0] == "DISPUTED"
    no = await desk.desk.refuse(claim.claim_id, claim.version, "it is all there", CLERK)
    assert no.state is ClaimState.REFUSED


async def test_after_the_release_the_seller_owes_its_part(desk: Desk) -> None:
    award_id = await desk.handed_over(2_000_00, state=AwardState.PAID_OUT)
    async with transaction(desk.pool) as connection:
        kept = AwardMoney(award_id=award_id, hammer_minor=2_000_00)
        about = About(subject=award_id, at_us=desk.clock.now_us, currency="USD")
        await post(connection, [release(about, SELLER, kept, 200_00)])
    late = await desk.claims.file(award_id, Filing(lines=(missing(12),)), CLERK)
    assert late.after_release
    assert (await row_of(desk.pool, award_id)).state is AwardState.PAID_OUT
    granted = await desk.grants(late)
    assert granted.state is ClaimState.GRANTED
    books = await desk.balances()
    assert books["seller_receivable:prairie"] == 120_00 - 12_00
    assert books["commission_income"] == 200_00 - 12_00
    (reversal,) = await waiting(desk.pool, "reverse_transfer")
    assert (reversal["subject"], reversal["arguments"]["amount_minor"]) == (award_id, 108_00)
    assert (await row_of(desk.pool, award_id)).state is AwardState.PAID_OUT


async def test_buyer_and_staff_talk_while_it_is_not_decided(desk: Desk) -> None:
    award_id = await desk.handed_over()
    claim = await desk.files(award_id, missing(10), uploads=[a_photo()])
    claim_id = claim.claim_id
    await desk.talk.say(claim_id, "Which boxes?", CLERK)
    hostile = "<script>alert(1)</script>'; drop table claim;--"
    (mail,) = await waiting(desk.pool, "mail")
    assert mail["arguments"]["organisation_id"] == BUYER
    said = await desk.talk.say(claim_id, hostile, DRIVER, buyer_id=BUYER)
    assert [(m.from_staff, m.words) for m in said] == [(True, "Which boxes?"), (False, hostile)]
    photos = await desk.talk.add_photos(claim_id, [a_photo("#000000")], DRIVER, buyer_id=BUYER)
    assert len(photos) == 2
    kind, _ = await desk.talk.photo_file(claim_id, photos[0].file("tile").sha256, BUYER)
    assert kind == "image/webp"
    for peek in (
        desk.talk.messages(claim_id, OTHER),
        desk.talk.photos(claim_id, OTHER),
        desk.talk.photo_file(claim_id, photos[0].file("tile").sha256, OTHER),
        desk.talk.say(claim_id, "hello", DRIVER, buyer_id=OTHER),
        desk.talk.add_photos(claim_id, [a_photo()], DRIVER, buyer_id=OTHER),
        desk.claims.claim(claim_id, OTHER),
    ):
        assert (await refused(peek))[0] == "NOT_FOUND"
    bomb = desk.talk.add_photos(claim_id, [a_bomb(20_000, 20_000)], DRIVER, buyer_id=BUYER)
    assert (await refused(bomb))[0] == "BAD_PHOTO"
    now = await desk.claims.claim(claim_id, BUYER)
    await desk.desk.refuse(claim_id, now.version, "all there", CLERK)
    for late in (
        desk.talk.say(claim_id, "but", DRIVER, buyer_id=BUYER),
        desk.talk.add_photos(claim_id, [a_photo()], DRIVER, buyer_id=BUYER),
    ):
        assert (await refused(late))[0] == "NOT_NOW"


async def test_what_is_said_and_claimed_of_an_award_has_an_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settlement.claiming.talking.MAX_MESSAGES", 1)
    monkeypatch.setattr("settlement.claiming.filing.MAX_OF_AWARD", 1)
    award_id = await desk.handed_over()
    claim_id = (await desk.files(award_id, missing(10))).claim_id
    await desk.talk.say(claim_id, "Which boxes?", CLERK)
    more = desk.talk.say(claim_id, "These.", DRIVER, buyer_id=BUYER)
    assert (await refused(more))[0] == "TOO_MANY"
    assert len(await desk.talk.messages(claim_id)) == 1
    now = await desk.claims.claim(claim_id)
    await desk.desk.refuse(claim_id, now.version, "all there", CLERK)
    again = desk.claims.file(award_id, Filing(lines=(missing(10),), words="late"), CLERK)
    assert (await refused(again))[0] == "TOO_MANY"
    assert len(await desk.claims.of_buyer(BUYER)) == 1


async def test_a_bad_photo_files_nothing(desk: Desk) -> None:
    award_id = await desk.handed_over()
    asked = desk.files(award_id, missing(10), uploads=[a_photo(), b"%PDF-1.7"])
    assert (await refused(asked))[0] == "BAD_PHOTO"
    assert not await desk.claims.of_buyer(BUYER)
    assert (await row_of(desk.pool, award_id)).state is AwardState.HANDED_OVER


async def test_a_lot_that_is_sold_keeps_its_threshold(desk: Desk) -> None:
    await desk.handed_over()
    late = desk.desk.state_threshold(SALE, LotId("1"), Threshold(0, ThresholdPays.FULL), CLERK)
    assert (await refused(late))[0] == "SOLD_ALREADY"


def test_a_claims_id_is_no_awards() -> None:
    assert claim_id_of(AwardId("S1~12"), 2) == "S1~12~claim2"


async def test_a_claim_stands_in_the_staffs_queue_until_it_is_decided(desk: Desk) -> None:
    award_id = await desk.handed_over(20_000_00)
    claim = await desk.files(award_id, missing(10))
    queue = Queue(desk.pool, desk.clock, more=(CLAIMS,))
    (item,) = (await queue.page(Waiting.CLAIM)).items
    assert (item.subject, item.amount_minor) == (claim.claim_id, None)
    assert (item.title, item.words) == ("Claim 1 on lot 1", "It is to be decided.")
    proposed = await desk.grants(claim)
    (item,) = (await queue.page()).items
    assert (item.amount_minor, item.words) == (1_000_00, "A second person has to agree.")
    await desk.desk.agree(claim.claim_id, proposed.version, CHIEF)
    assert not (await queue.page()).items
