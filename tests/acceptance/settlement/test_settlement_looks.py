"""Every page of settlement: no serious fault for axe, nothing wider than a phone, a quiet console.

With SOFTCLOSE_TEST_SCREENSHOTS=FOLDER pictures of all of them are kept there.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser

from accounts.audit import Actor
from accounts.identity import OrganisationKind, Role
from accounts.ids import PersonId
from auction.catalog.goods import FreightTerms
from auction.catalog.photos import PhotoWorker
from auction.ids import BidderId, LiquidatorId
from auction.terms import Confirmation
from foundation.database import acquire, transaction
from settlement.after_default.fee_desk import FeeDesk
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.payouts.credit_payouts import CreditPayouts
from settlement.pickups.charge_table import charge_relist
from settlement.pickups.charges import Charges
from settlement.pickups.deliveries import Deliveries, Shipping
from settlement.pickups.slots import dock_id_of
from settlement.rows import read_award
from tests.acceptance.resellers.hands import Hands, hands
from tests.acceptance.resellers.test_looks import look
from tests.paid_lots import CLERK, PAID, give_credit, goods, lots, pay_for
from tests.settled import DAY_US, held_operation, settled
from tests.settlement_rules import DALLAS, PORTLAND, TEXAS
from tests.settling import asks_seller
from tests.site import Site, now_us, open_site


async def enter(site: Site, visitor: Hands, person_id: PersonId) -> None:
    """Sign in without the form: staff have a second factor."""
    secret, _ = await site.people.session(person_id)
    await visitor.page.context.add_cookies(
        [{"name": "__Host-session", "value": secret, "url": site.origin.replace("http:", "https:")}]
    )
    await visitor.page.set_extra_http_headers({"Cookie": f"__Host-session={secret}"})


async def to_be_shipped(site: Site, buyer_id: BidderId) -> tuple[AwardId, AwardId]:
    """Two lots that the house ships, one of them on its way; and one that stands for too long."""
    sent = lots("71", "72", buyer_id=buyer_id, ships_to=TEXAS, ship_from=PORTLAND)
    async with acquire(site.pool) as connection:
        what = [goods(one.lot_id, freight_terms=FreightTerms.FIXED) for one in sent]
        first, second = await pay_for(connection, *sent, what=what)
        (stands,) = await pay_for(
            connection, *lots("73", buyer_id=buyer_id, ship_from=replace(PORTLAND, company="East"))
        )
    await Charges(site.pool, now_us).count_up(stands, CLERK)
    photos = PhotoWorker()
    shipping = Shipping(carrier="Estes", tracking="041-7726613", shipped_at_us=PAID)
    await Deliveries(site.pool, now_us, photos).ship(second, None, shipping, CLERK)
    return first, second


async def owed_and_left(site: Site, buyer_id: BidderId, void: AwardId, left: AwardId) -> None:
    """A fee, a deposit, credit and goods that somebody has to decide about."""
    async with transaction(site.pool) as connection:
        held = await read_award(connection, void)
        row, at_us = held.awards[void], now_us() - 3 * DAY_US
        charge = await charge_relist(connection, row, 1, {void: 405_00}, at_us)
        await connection.execute(
            "insert into hand_deposit (sale_id, buyer_id, invoice_id, currency, amount_minor,"
            " asked_at_us) values ('S3', $1, $2, 'USD', 25000, $3)",
            buyer_id, row.invoice_id, at_us,
        )  # fmt: skip
        await connection.execute(
            "insert into abandonment (award_id, noticed_at_us, pallets, storage_minor)"
            " values ($1, $2, 4, 2800)",
            left, at_us,
        )  # fmt: skip
    assert charge is not None
    await give_credit(site.pool, 300_00, buyer_id)
    by = Actor(PersonId("ann"), "192.0.2.1")
    await FeeDesk(site.pool, now_us).ask_write_off(by, charge.charge_id, 1, "They are bankrupt.")
    credit = CreditPayouts(site.pool, now_us)
    asked = await credit.ask(by, buyer_id, "USD", 100_00, "They ask for it.")
    await credit.decide(Actor(PersonId("bob"), "192.0.2.2"), asked.number, agrees=True)
    await credit.ask(by, buyer_id, "USD", 50_00, "They ask for more.")


async def furnished(site: Site) -> dict[str, tuple[PersonId, dict[str, str]]]:
    """Sales in all states; who looks, and at which pages."""
    house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
    staff_id = await site.people.person(
        house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
    )
    buyer = await site.reseller("Acme Resale")
    newcomer = await site.reseller("Newcomer")
    liquidator = await site.people.organisation(OrganisationKind.LIQUIDATOR, "North Liquidation")
    seller_id = await site.people.person(
        liquidator, Role.LIQUIDATOR, Role.ADMIN, mail="lee@north.example", name="Lee North"
    )
    both = (site.pool, buyer.bidder_id, liquidator)
    at = now_us() - DAY_US
    paid = await settled(*both, state=AwardState.PAID_OUT)
    held = await settled(*both, sale_id="S3", state=AwardState.HANDED_OVER, closed_at_us=at)
    invoiced = AwardState.INVOICED
    await settled(*both, sale_id="S2", payment=PaymentState.OVERDUE, state=invoiced)
    due = await settled(
        *both, sale_id="S4", payment=PaymentState.DUE, state=invoiced, closed_at_us=at
    )
    small = await settled(
        *both, sale_id="S5", lots=("1",), payment=PaymentState.DUE, state=invoiced,
        closed_at_us=at, hammer_minor=200_00,
    )  # fmt: skip
    fetched = await settled(*both, sale_id="S6", closed_at_us=at)
    shipped, on_its_way = await to_be_shipped(site, buyer.bidder_id)
    dock = dock_id_of(LiquidatorId(liquidator), DALLAS)
    words = "Stripe says that the charge was refunded, the books say that it was not."
    await held_operation(site.pool, held.award_ids[0], words, now_us() - DAY_US)
    await owed_and_left(site, buyer.bidder_id, held.award_ids[0], fetched.award_ids[0])
    async with transaction(site.pool) as connection:
        await asks_seller(connection, due.invoice_id, now_us(), Confirmation.ELSE_CANCELLED)
    return {
        "staff": (
            staff_id,
            {
                "queue": "/settlement",
                "invoices": "/settlement/invoices",
                "award": f"/settlement/awards/{paid.award_ids[0]}",
                "award-held": f"/settlement/awards/{held.award_ids[0]}",
                "invoice": f"/settlement/invoices/{paid.invoice_id}",
                "search": "/settlement/search?q=1237.50",
                "search-nothing": "/settlement/search?q=nothing-like-it",
                "balances": "/settlement/balances",
                "statement": f"/settlement/statement?of=LIQUIDATOR&subject={liquidator}",
                "exports": "/settlement/exports",
                "reconciliation": "/settlement/reconciliation",
                "day": "/settlement/day?day=2026-03-07",
                "month": "/settlement/months?month=2026-03",
                "claims-desk": "/settlement/claims",
                "docks": "/settlement/docks",
                "payouts": "/settlement/payouts",
                "deliveries": "/settlement/deliveries",
                "delivery": f"/settlement/deliveries/{shipped}",
                "delivery-sent": f"/settlement/deliveries/{on_its_way}",
                "dock-slot": f"/settlement/awards/{fetched.award_ids[0]}/pickup",
                "dock-plan": f"/settlement/docks/{dock}/plan",
                "dock": f"/settlement/docks/{dock}",
                "fees": "/settlement/fees",
                "credit": "/settlement/credit",
                "abandoned": "/settlement/abandoned",
            },
        ),
        "buyer": (
            buyer.person_id,
            {
                "purchases": "/purchases",
                "purchase-due": f"/purchases/{due.invoice_id}",
                "purchase-small": f"/purchases/{small.invoice_id}",
                "purchase-handed-over": f"/purchases/{held.invoice_id}",
                "cards": "/purchases/cards",
                "card-new": "/purchases/cards/new",
                "pickups": "/purchases/pickups",
                "pickup-new": f"/purchases/pickups/new?award_id={fetched.award_ids[0]}",
            },
        ),
        "newcomer": (
            newcomer.person_id,
            {
                "purchases-empty": "/purchases",
                "cards-empty": "/purchases/cards",
                "pickups-empty": "/purchases/pickups",
                "offers-empty": "/purchases/offers",
                "claims-empty": "/purchases/claims",
            },
        ),
        "seller": (
            seller_id,
            {
                "earnings": "/earnings",
                "sold": "/earnings/sold",
                "cancel": f"/earnings/sold/{due.award_ids[0]}/cancel",
                "confirmations": "/earnings/confirmations",
                "consents-empty": "/earnings/consents",
                "payee": f"/earnings/payees/{liquidator}",
            },
        ),
    }


@pytest.mark.timeout(400)
async def test_no_page_of_settlement_has_a_serious_fault(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        faults: list[str] = []
        for who, (person_id, pages) in (await furnished(site)).items():
            async with hands(chromium, site.origin, zone="America/New_York") as visitor:
                await enter(site, visitor, person_id)
                for name, path in pages.items():
                    faults += [f"{who}: {fault}" for fault in await look(visitor, name, path)]
        assert faults == [], "\n".join(faults)


@pytest.mark.timeout(120)
async def test_a_house_without_any_sale_has_pages_too(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="sam@softclose.example", name="Sam Staff"
        )
        faults: list[str] = []
        async with hands(chromium, site.origin, zone="America/New_York") as visitor:
            await enter(site, visitor, staff_id)
            for name in ("", "/invoices", "/balances", "/statement", "/exports"):
                faults += await look(
                    visitor, f"empty{name.replace('/', '-')}", f"/settlement{name}"
                )
        assert faults == [], "\n".join(faults)


@pytest.mark.timeout(120)
async def test_the_navigation_fits_a_laptops_screen_beside_a_long_name(
    database_url: str, tmp_path: Path, chromium: Browser
) -> None:
    async with open_site(database_url, tmp_path) as site:
        house = await site.people.organisation(OrganisationKind.HOUSE, "Softclose")
        name = "Alexandra Featherstonehaugh"
        staff_id = await site.people.person(
            house, Role.SETTLEMENT, mail="alex@softclose.example", name=name
        )
        newcomer = await site.reseller("Newcomer")
        for person_id, path in ((staff_id, "/settlement"), (newcomer.person_id, "/purchases")):
            async with hands(chromium, site.origin) as visitor:
                await enter(site, visitor, person_id)
                await visitor.page.set_viewport_size({"width": 1280, "height": 900})
                await visitor.page.goto(f"{site.origin}{path}")
                nav = visitor.page.get_by_role("navigation", name="Main")
                hidden = await nav.evaluate("nav => nav.scrollWidth - nav.clientWidth")
                assert hidden <= 0, f"{path}: {hidden} px of the navigation are out of sight"
