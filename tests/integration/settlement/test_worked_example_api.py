"""The worked example to the cent, from the invoice to the write-off, by programs over HTTP alone.

The house is the very one that ``softclose serve`` puts up; what the world outside does (the bank of
the buyer, the seller at Stripe) is said to the simulator.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from accounts.identity import OrganisationKind, Role
from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import acquire, transaction
from settlement.ids import AwardId, InvoiceId
from settlement.pickups.slots import dock_id_of
from tests.accounts_site import Client
from tests.catalogue import a_described_lot, a_line, a_sale, list_lots
from tests.integration.settlement.test_dock_api import TRUCK, every_day, in_days
from tests.settlement_rules import DALLAS
from tests.settling import SALE, an_invoice
from tests.site import Site, now_us, open_site
from tests.visiting import visitor
from tests.waiting import answered

API = "/api/v1/settlement"
# The card is taken for the whole invoice, and a seller's new account is not frozen.
POLICY = """
insert into settlement_policy
select (jsonb_populate_record(p, jsonb_build_object('version', p.version + 1, 'valid_from_us',
    p.valid_from_us + 1, 'card_cap_minor', 99999999, 'account_freeze_us', 0))).*
from settlement_policy p where currency = 'USD' order by version desc limit 1
"""


@dataclass(frozen=True)
class Scene:
    """Who takes part, and what it is about."""

    site: Site
    buyer: Client
    seller: Client
    clerk: Client
    chief: Client
    north: str
    award_id: AwardId
    invoice_id: InvoiceId

    async def asks(
        self, by: Client, method: str, path: str, body: object = None, status: int = 200
    ) -> Any:
        """The answer as a value, of the status that is expected."""
        own = {"Sec-Fetch-Site": "same-origin", "Accept": "application/json"}
        given = await by.send(method, f"{API}{path}", headers=own, json=body)
        assert given.status == status, given.body
        return json.loads(given.body) if given.body else None

    async def booked(self) -> dict[str, int]:
        """Every kind of account that is not at nothing, as staff see it."""
        books = await self.asks(self.clerk, "GET", "/balances")
        rows = [row for one in books["items"] for row in one["trial"]]
        sums = {row["kind"]: abs(row["on_debit_minor"] - row["on_credit_minor"]) for row in rows}
        return {kind: minor for kind, minor in sums.items() if minor}

    async def comes_to(self, **wanted: int) -> None:
        """The books come to this, soon."""

        async def so() -> bool:
            return await self.booked() == wanted

        try:
            await answered(so)
        except TimeoutError:
            assert await self.booked() == wanted

    @property
    def control(self) -> Any:
        """What the world outside does."""
        running = self.site.house.stripe.simulator
        assert running is not None
        return running.control


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        of_house = [
            await site.people.person(house, Role.SETTLEMENT, mail=f"{name}@softclose.example")
            for name in ("sam", "kit")
        ]
        north = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North")
        seller_id = await site.people.person(
            north, Role.LIQUIDATOR, Role.ADMIN, mail="lee@north.example"
        )
        buyer = await site.reseller("Acme Resale")
        async with (
            visitor(site, buyer.person_id) as of_buyer,
            visitor(site, seller_id) as of_seller,
            visitor(site, of_house[0]) as clerk,
            visitor(site, of_house[1]) as chief,
        ):
            saved = await of_buyer.post(
                "/purchases/cards/new?to=/purchases", {"card": "pm_card_visa"}
            )
            assert saved.status == 303, saved.text
            invoice_id = await sold(site, buyer.bidder_id, LiquidatorId(north))
            award_id = AwardId(f"{SALE}~1")
            yield Scene(site, of_buyer, of_seller, clerk, chief, north, award_id, invoice_id)


async def sold(site: Site, buyer_id: BidderId, seller_id: LiquidatorId) -> InvoiceId:
    """A lot of 10,000.00 at 10 % premium and 8.25 % tax; the commission is 5 %."""
    async with acquire(site.pool) as connection:
        await connection.execute(POLICY)
        await connection.execute(
            "insert into liquidator_commission values ($1, 'USD', 0, 500, 0, 0, 'test')", seller_id
        )
        lines = (a_line(1, quantity=100, unit_msrp_minor=200_00),)
        await list_lots(connection, a_described_lot("1", SALE), sale=a_sale(SALE), lines=lines)
    async with transaction(site.pool) as connection:
        return await an_invoice(
            connection,
            1_000_000,
            buyer_id=buyer_id,
            liquidator_id=seller_id,
            rate_bps=1_000,
            at_us=now_us(),
        )


async def fetched(scene: Scene, *others: AwardId) -> None:
    """A truck takes the pallet away, and those of other lots."""
    asks, clerk, award_id = scene.asks, scene.clerk, scene.award_id
    slots = f"/awards/{award_id}/slots?day={in_days(2)}"
    await asks(clerk, "GET", slots)
    dock = f"/docks/{dock_id_of(LiquidatorId(scene.north), DALLAS)}"
    await asks(clerk, "PUT", dock, {"version": 1, "plan": every_day()})
    free = (await asks(clerk, "GET", slots))["items"]
    wanted = {"award_ids": [award_id, *others], "slot_at_us": free[0]["slot"]["at_us"]}
    pickup = await asks(scene.buyer, "POST", "/purchases/pickups", wanted, 201)
    place = f"/pickups/{pickup['pickup_id']}"
    load = await asks(
        clerk, "POST", f"{place}/check-in", {"version": pickup["version"], "truck": TRUCK}
    )
    for pallet in load["pallets"]:
        await asks(clerk, "POST", f"{place}/scan", {"code": pallet["pallet_id"]})
    version = (await asks(clerk, "GET", place))["pickup"]["version"]
    signed = {"version": version, "signature": {"name": "Dee Driver"}}
    gone = await asks(clerk, "POST", f"{place}/release", signed)
    assert {lot["state"] for lot in gone["lots"]} == {"HANDED_OVER"}


async def claimed(scene: Scene) -> None:
    """Twelve of a hundred pieces are missing; two people credit them."""
    filing = {"lines": [{"line": 1, "reason": "MISSING", "quantity": 12}]}
    place = f"/purchases/awards/{scene.award_id}/claims"
    claim = await scene.asks(scene.buyer, "POST", place, filing, 201)
    place = f"/claims/{claim['claim_id']}"
    seen = await scene.asks(scene.clerk, "GET", place)
    assert seen["formula"]["hammer_minor"] == 120_000
    granted = await scene.asks(scene.clerk, "POST", f"{place}/grant", {"version": claim["version"]})
    seen = {"version": granted["version"]}
    await scene.asks(scene.chief, "POST", f"{place}/agreement", seen)


async def onboarded(scene: Scene) -> str:
    """The seller has an account at Stripe, which it keeps its money in."""
    place = f"/earnings/payees/{scene.north}"
    await scene.asks(scene.seller, "POST", f"{place}/account", {"email": "lee@north.example"})

    async def made() -> str | None:
        connected = (await scene.asks(scene.seller, "GET", place))["connected"]
        account_id: str | None = connected["account_id"]
        return account_id

    account_id = str(await answered(made))
    await scene.control.onboard(account_id)
    await scene.asks(scene.seller, "POST", f"{place}/account/reading")
    return account_id


async def lost(scene: Scene) -> None:
    """The buyer's bank takes all of it back, for what the seller had misdescribed."""
    charges = await scene.site.house.stripe.gateway.v1.charges.list_async({})
    dispute_id = await scene.control.open_dispute(charges.data[0].id)
    await scene.control.deliver()
    place = f"/disputes/{dispute_id}"

    async def known() -> bool:
        return (await scene.clerk.send("GET", f"{API}{place}")).status == 200

    await answered(known)
    await scene.comes_to(
        stripe_balance=872_062,  # below nothing: 177,298 less 1,049,360
        stripe_fees=34_562,
        premium_income=88_000,
        commission_income=44_000,
        sales_tax=79_860,
        disputes_pending=1_047_860,
        dispute_fees=1_500,
    )
    dispute = await scene.asks(scene.clerk, "GET", place)
    said = {"fault": "SELLER", "version": dispute["version"]}
    await scene.asks(scene.clerk, "POST", f"{place}/fault", said)
    await scene.control.decide_dispute(dispute_id, won=False)
    await scene.control.deliver()


@pytest.mark.timeout(200)
async def test_the_worked_example_comes_out_to_the_cent_over_http(scene: Scene) -> None:
    asks, gateway = scene.asks, scene.site.house.stripe.gateway
    account_id = await onboarded(scene)
    seen = await asks(scene.buyer, "GET", f"/purchases/{scene.invoice_id}")
    assert seen["total_minor"] == 1_190_750
    captured = {
        "stripe_balance": 1_190_750 - 34_562,
        "stripe_fees": 34_562,
        "held": 1_000_000,
        "deferred_fees": 100_000,
        "sales_tax": 90_750,
    }
    await scene.comes_to(**captured)
    # The seller keeps some of it in its account, and spends the rest.
    manual: Any = {"settings": {"payouts": {"schedule": {"interval": "manual"}}}}
    await gateway.v1.accounts.update_async(account_id, manual)
    await fetched(scene)
    await claimed(scene)
    sent = {
        "stripe_balance": 1_190_750 - 34_562 - 142_890 - 836_000,
        "stripe_fees": 34_562,
        "premium_income": 88_000,
        "commission_income": 44_000,
        "sales_tax": 79_860,
    }
    await scene.comes_to(**sent)
    (paid,) = (await asks(scene.seller, "GET", "/earnings/paid"))["items"]
    assert paid["amount_minor"] == 836_000
    await scene.control.move(days=3)
    spent: Any = {"amount": 336_000, "currency": "usd"}
    await gateway.v1.payouts.create_async(spent, {"stripe_account": account_id})
    await lost(scene)
    # The seller owes all that it got; what it has left goes back.
    owing = {
        "stripe_balance": 872_062 - 500_000,
        "stripe_fees": 34_562,
        "dispute_fees": 1_500,
        "seller_receivable": 336_000,
    }
    await scene.comes_to(**owing)
    why = {"liquidator_id": scene.north, "amount_minor": 336_000, "why": "It is out of business."}
    asked = await asks(scene.clerk, "POST", "/write-offs", why, 201)
    agreement = f"/write-offs/{asked['number']}/agreement"
    await asks(scene.clerk, "POST", agreement, status=409)
    await asks(scene.chief, "POST", agreement)
    del owing["seller_receivable"]
    await scene.comes_to(**owing, bad_debt=336_000)
    rows = await gateway.v1.balance_transactions.list_async({"limit": 100})
    assert abs(sum(row.net for row in rows.data)) == owing["stripe_balance"]


async def test_a_lot_of_1237_50_costs_1540_54_and_brings_its_seller_1113_75(scene: Scene) -> None:
    """Premium 15 %, tax 8.25 % of both, commission 10 %, each rounded half up."""
    site, sale_id, seller_id = scene.site, SaleId("S2"), LiquidatorId(scene.north)
    async with transaction(site.pool) as connection:
        await connection.execute(
            "insert into liquidator_commission values ($1, 'USD', 1, 1000, 0, 1, 'test')", seller_id
        )
        await list_lots(connection, a_described_lot("1", sale_id), sale=a_sale(sale_id))
        buyer_id = BidderId(await connection.fetchval("select buyer_id from invoice"))
        invoice_id = await an_invoice(
            connection,
            sale_id=sale_id,
            buyer_id=buyer_id,
            liquidator_id=seller_id,
            at_us=now_us(),
        )
    its = replace(scene, invoice_id=invoice_id, award_id=AwardId("S2~1"))
    asks, buyer = its.asks, its.buyer

    async def paid() -> Any:
        seen = await asks(buyer, "GET", f"/purchases/{invoice_id}")
        return seen if seen["payment"] == "PAID" else None

    (lot,) = (await answered(paid))["lots"]
    names = ("hammer_minor", "premium_minor", "tax_minor", "total_minor")
    assert [lot[name] for name in names] == [1_237_50, 185_63, 117_41, 1_540_54]
    await fetched(its)
    await asks(buyer, "POST", f"/purchases/awards/{its.award_id}/acceptance", status=204)

    async def owed() -> list[int]:
        items = (await asks(its.seller, "GET", "/earnings/owed"))["items"]
        return [item["amount_minor"] for item in items]

    assert await answered(owed) == [1_113_75]
    booked = await its.booked()
    assert booked["commission_income"] == 123_75
    assert booked["premium_income"] == 185_63


# Hammer price, pieces of a hundred that are missing, what the lot's threshold pays, the credit.
CLAIMS = {
    "1": (3_200_00, 5, "FULL", 160_00),
    "2": (2_000_00, 6, "FULL", 120_00),
    "3": (2_000_00, 6, "EXCESS", 20_00),
    "4": (2_000_00, 5, "FULL", 100_00),
    "5": (2_000_00, 5, "EXCESS", 0),
}


async def test_claims_bring_what_the_rules_say_of_their_thresholds(scene: Scene) -> None:
    """Of goods of 20,000.00, at 5 %: at exactly that both ways of paying apply."""
    site, sale_id = scene.site, SaleId("S2")
    lines = (a_line(1, quantity=100, unit_msrp_minor=200_00),)
    async with transaction(site.pool) as connection:
        lots = [a_described_lot(lot, sale_id) for lot in CLAIMS]
        await list_lots(connection, *lots, sale=a_sale(sale_id), lines=lines)
    for lot, (_, _, pays, _) in CLAIMS.items():
        place = f"/sales/{sale_id}/lots/{lot}/claim-threshold"
        await scene.asks(scene.clerk, "PUT", place, {"share_bps": 500, "pays": pays}, 204)
    async with transaction(site.pool) as connection:
        invoice_id = await an_invoice(
            connection,
            *(hammer_minor for hammer_minor, *_ in CLAIMS.values()),
            sale_id=sale_id,
            buyer_id=BidderId(await connection.fetchval("select buyer_id from invoice")),
            liquidator_id=LiquidatorId(scene.north),
            at_us=now_us(),
        )

    async def paid() -> bool:
        seen = await scene.asks(scene.buyer, "GET", f"/purchases/{invoice_id}")
        return bool(seen["payment"] == "PAID")

    await answered(paid)
    first, *others = (AwardId(f"{sale_id}~{lot}") for lot in CLAIMS)
    await fetched(replace(scene, award_id=first), *others)
    for lot, (_, missing, _, credit_minor) in CLAIMS.items():
        filing = {"lines": [{"line": 1, "reason": "MISSING", "quantity": missing}]}
        place = f"/purchases/awards/{sale_id}~{lot}/claims"
        claim = await scene.asks(scene.buyer, "POST", place, filing, 201)
        seen = await scene.asks(scene.clerk, "GET", f"/claims/{claim['claim_id']}")
        assert seen["formula"]["hammer_minor"] == credit_minor, lot
