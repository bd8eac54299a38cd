"""What taking a buyer's money cost is borne by consignors as they agreed, and is on statements."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire
from settlement.ids import AwardId
from settlement.papers.archive import Archive
from settlement.papers.kinds import PaperKind
from settlement.payouts.payment_costs import payment_costs
from tests.paper_house import RESULT
from tests.papers import drawn
from tests.payouts import DRIVER, NORTH, TARGET, PayoutHouse, payout_house
from tests.settlement_rules import BUYER, CLOSED, SALE

# Of 11,907.50: 2.9 % and 0.30.
FEE = 345_62
CHARGED = """
insert into payment_charge (charge_id, payment_id, transaction_id, invoice_id, buyer_id,
    customer_id, way, currency, amount_minor, fee_minor, made_at_us)
select charge, 'pi_' || charge, 'txn_' || charge, invoice_id, 'buyer', 'cus', 'CARD', 'USD',
    1190750, $1, 0
from (select t.stripe_ids[1] as charge, t.invoice_id from ledger_transaction t
    where t.purpose = 'capture') as captured
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[PayoutHouse]:
    async with payout_house(database_url) as house:
        yield house


async def released(house: PayoutHouse, bearer: str, *, hammer_minor: int = 10_000_00) -> AwardId:
    """A consigned lot that was paid by card, accepted and released."""
    await house.commission(0)
    await house.consigns("12", claims="LIQUIDATOR", payment_fees=bearer)
    award_id = await house.paid("12", hammer_minor, consignor=TARGET)
    await house.pool.execute(CHARGED, FEE)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    return award_id


@pytest.mark.parametrize(
    ("bearer", "borne_minor"), [("LIQUIDATOR", 0), ("CONSIGNOR", FEE), ("SHARED", 301_66)]
)
async def test_the_cost_of_payment_is_taken_of_the_consignors_part_as_agreed(
    house: PayoutHouse, bearer: str, borne_minor: int
) -> None:
    await released(house, bearer)
    balances = await house.balances()
    # 12 % of 10,000.00 and four pallets at 18.00.
    assert balances["consignor_payable:target"] == 8_728_00 - borne_minor
    assert balances["seller_payable:north"] == 1_272_00 + borne_minor


async def test_a_fee_is_divided_among_all_that_its_charge_filled(house: PayoutHouse) -> None:
    first = await house.paid("12", 10_000_00)
    await house.pool.execute(CHARGED, FEE)
    async with acquire(house.pool) as connection:
        await connection.execute("alter table ledger_transfer disable trigger all")
        # As if a third of the capture had filled another award.
        await connection.execute(
            "update ledger_transfer set award_id = 'S1~13' where place > 1 and award_id = $1", first
        )
        costs = await payment_costs(connection, [first])
        every = await payment_costs(connection, [first, AwardId("S1~13")])
    assert sum(every.values()) == FEE
    assert costs[first] == every[first] < FEE


async def test_what_was_paid_without_a_charge_cost_nothing(house: PayoutHouse) -> None:
    award_id = await house.paid("12")
    async with acquire(house.pool) as connection:
        assert dict(await payment_costs(connection, [award_id])) == {}
        assert dict(await payment_costs(connection, [])) == {}


async def test_a_cost_above_what_the_lot_brought_is_taken_from_later_goods(
    house: PayoutHouse,
) -> None:
    await released(house, "CONSIGNOR", hammer_minor=400_00)
    # 400.00 less 48.00, 72.00 and 345.62 is -65.62.
    (charge,) = await house.fetch("select amount_minor from consignor_charge")
    assert charge["amount_minor"] == 65_62
    assert "consignor_payable:target" not in await house.balances()


async def test_the_consignors_statement_has_the_cost_among_its_fees(house: PayoutHouse) -> None:
    await released(house, "CONSIGNOR")
    await house.pool.execute(
        RESULT, SALE, "12", NORTH, "Kitchen appliances", "SOLD", None, 1_000_000, CLOSED, 12
    )
    archive = Archive(house.pool, house.clock)
    kind = PaperKind.CONSIGNOR_STATEMENT
    found = drawn((await archive.get_document(kind, f"{TARGET}:2026-03")).data)
    # The fees of 72.00 with 345.62.
    assert {"10,000.00", "-1,200.00", "-417.62", "8,382.38"} <= set(found)
    assert any("with the cost of payment" in text for text in found)
    seller = drawn((await archive.get_document(PaperKind.LIQUIDATOR_STATEMENT, SALE)).data)
    assert "-8,382.38" in seller
