"""What follows the hammer, to the end: paid, fetched, claimed, released, sent, and in the books.

Small invoices are charged to cards, the others are paid by bank. One buyer does not pay: its lots
go to the runners-up, whom their seller consents to. One claim is credited. Then the claims windows
pass, the seller gets its money, and the books are compared with Stripe's to the cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from accounts.audit import OPERATOR, Actor
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from accounts.organisations import make_organisation
from accounts.team import make_person
from auction.catalog.manifests import read_manifest
from auction.ids import BidderId
from foundation.database import acquire, transaction
from foundation.http.cursors import Paging
from settlement.claiming.words import ClaimState, FiledLine, Filing
from settlement.claims import Reason
from settlement.ids import AwardId, StripeId
from settlement.lives import PaymentState
from settlement.payment_objects import MethodKind
from settlement.pickups.dock_table import dock_for
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.signatures import Signature
from settlement.pickups.words import Truck
from settlement.reconciliation.standing import ledger_sum_minor, standing
from settlement.rows import InvoiceRow, invoice_row
from settlement.stripe_simulator import cash_balances
from settlement.stripe_simulator.accounts import onboarded
from settlement.stripe_simulator.work import Work
from softclose.demo.catalogue import CURRENCY, LIQUIDATOR, Catalogue
from softclose.demo.filling import publish_words
from softclose.demo.people import simulated
from softclose.demo.play import DemoFailed
from softclose.demo.resellers import Reseller
from softclose.demo.settlement_house import HOUR_US, SECOND_US, SettlementHouse

DAY_US: Final = 24 * HOUR_US
# Claims can be made for two business days; then what is accepted is released and sent.
WINDOW_US: Final = 5 * DAY_US
# A transfer that nothing came back from is closed after some days.
CLOSED_US: Final = 8 * DAY_US
DAYS_AHEAD: Final = 10
# A runner-up who declines is followed by another; here all accept.
MOST_TURNS: Final = 10
HOUSE: Final = OrganisationId("softclose-demo")
# Above it buyers pay by bank. The policy of a new installation says 1,000.00, below every lot here.
CARD_CAP_MINOR: Final = 2_500_00

_CARD_CAP: Final = """
insert into settlement_policy
select (jsonb_populate_record(p, jsonb_build_object('version', p.version + 1,
    'valid_from_us', p.valid_from_us + 1, 'card_cap_minor', $1::bigint,
    'label', 'Demonstration'))).*
from settlement_policy p where currency = $2 order by version desc limit 1
"""


_SUMS: Final = """
select
    (select count(*) from award) as awards,
    (select count(*) from invoice) as invoices,
    (select count(*) from payment_charge where way = 'CARD') as by_card,
    (select count(*) from payment_charge where way <> 'CARD') as by_bank,
    (select coalesce(sum(amount_minor), 0)::bigint from payment_charge) as captured_minor,
    (select coalesce(sum(sent_minor), 0)::bigint from payable) as paid_out_minor,
    (select count(*) from award where state = 'VOID') as defaults,
    (select count(*) from award where generation > 1) as runners_up,
    (select count(*) from claim where state = 'GRANTED') as claims,
    (select count(*) from ledger_transaction where currency = $1) as entries,
    (select count(*) from settlement_op where state = 'HELD') as held
"""


@dataclass(frozen=True)
class Staff:
    """Two people of the house, of whom one releases what the other prepares; and the seller."""

    clerk: Actor
    chief: Actor
    owner: Actor


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What it came to; amounts in minor units. ``by_card`` and ``by_bank``: sums that came in;
    ``held``: operations that need a person."""

    awards: int
    invoices: int
    by_card: int
    by_bank: int
    captured_minor: int
    paid_out_minor: int
    defaults: int
    runners_up: int
    claims: int
    entries: int
    held: int
    exceptions: int
    ledger_sum_minor: int
    stripe_difference_minor: int

    @property
    def balanced(self) -> bool:
        """Whether the books balance and are Stripe's to the cent, and nothing is left to do."""
        off_minor = self.ledger_sum_minor or self.stripe_difference_minor
        return not (off_minor or self.exceptions or self.held)

    def as_json(self) -> dict[str, int]:
        """What ``--json`` adds."""
        return {
            "awards": self.awards,
            "invoices": self.invoices,
            "captured_minor": self.captured_minor,
            "paid_out_minor": self.paid_out_minor,
            "defaults": self.defaults,
            "claims": self.claims,
            "ledger_sum_minor": self.ledger_sum_minor,
            "stripe_difference_minor": self.stripe_difference_minor,
        }


async def furnish(
    house: SettlementHouse, catalogue: Catalogue, resellers: Sequence[Reseller]
) -> Staff:
    """What it needs: the lots in the catalogue, people, their cards, the seller's account."""
    async with transaction(house.pool) as connection:
        await publish_words(connection, catalogue)
        await connection.execute(_CARD_CAP, CARD_CAP_MINOR, CURRENCY)
    staff = await _staff(house)
    for reseller in resellers:
        await simulated(house.accounts, reseller.bidder_id, reseller.name)
        await _save_card(house, reseller.bidder_id)
    await house.payees.connect(staff.owner, LIQUIDATOR, email="owner@example.com")
    await house.settle()
    shown = await house.payees.read(LIQUIDATOR)
    assert shown.connected is not None and shown.connected.account_id is not None
    account_id = str(shown.connected.account_id)
    house.stripe.run(lambda work: onboarded(work, account_id))
    await house.onboarding.refresh(LIQUIDATOR)
    return staff


async def _staff(house: SettlementHouse) -> Staff:
    now_us = house.accounts.clock()
    async with transaction(house.pool) as connection:
        people = []
        for organisation_id, kind, organisation, names in (
            (HOUSE, OrganisationKind.HOUSE, "Softclose", ("clerk", "chief")),
            (OrganisationId(LIQUIDATOR), OrganisationKind.LIQUIDATOR, "Harbor Returns", ("owner",)),
        ):
            await make_organisation(
                connection, kind, organisation,
                organisation_id=organisation_id, actor=OPERATOR, now_us=now_us,
            )  # fmt: skip
            role = Role.SETTLEMENT if kind is OrganisationKind.HOUSE else Role.ADMIN
            people += [
                await make_person(
                    connection,
                    organisation_id,
                    mail=f"{name}@example.com",
                    name=f"Demo {name}",
                    zone="America/Chicago",
                    roles=frozenset({role}),
                    password_hash=None,
                    actor=OPERATOR,
                    now_us=now_us,
                )
                for name in names
            ]
    clerk, chief, owner = (Actor(PersonId(person), "127.0.0.1") for person in people)
    return Staff(clerk, chief, owner)


async def _save_card(house: SettlementHouse, buyer_id: BidderId) -> None:
    buyers = house.services.buyers
    setup = await buyers.begin(buyer_id, MethodKind.CARD)
    await buyers.confirm(
        buyer_id, setup.setup_id, StripeId("pm_card_visa"),
        return_url="http://127.0.0.1:8080/", address="127.0.0.1", user_agent="demonstration",
    )  # fmt: skip


class AfterHammer:
    """The course of it, once the sale has closed."""

    def __init__(self, house: SettlementHouse, staff: Staff) -> None:
        self._house, self._staff = house, staff
        self._now_us = house.clock.now_us
        self._claims = 0

    async def run(self) -> Settled:
        """From the hammer to the books."""
        house = self._house
        await house.settle()
        await house.passes(until_us=self._now_us() + HOUR_US)
        invoices = await self._invoices()
        defaulter = _who_does_not_pay(invoices)
        await self._send_money(defaulter)
        await house.passes(until_us=max(row.invoice.due_at_us for row in invoices) + HOUR_US)
        await self._offer_again()
        await self._send_money(defaulter)
        await self._fetch_all()
        await house.passes(until_us=self._now_us() + WINDOW_US)
        await self._pay_out()
        await house.passes(until_us=self._now_us() + CLOSED_US)
        return await self._added_up()

    async def _send_money(self, defaulter: BidderId) -> None:
        """Whoever is to pay by bank does, but for one."""
        house = self._house
        for row in await self._invoices():
            buyer_id = row.invoice.buyer_id
            if row.payment is PaymentState.AWAITING_FUNDS and buyer_id != defaulter:
                customer_id = await house.services.buyers.ensure_customer(buyer_id)
                house.stripe.run(partial(_sends, customer=customer_id, amount_minor=row.open_minor))
        await house.passes(until_us=self._now_us() + HOUR_US)

    async def _offer_again(self) -> None:
        """What was not paid goes to the runners-up, with their seller's consent."""
        house, answering = self._house, self._house.after_default.answering
        for _ in range(MOST_TURNS):
            asked = await answering.consents(LIQUIDATOR, Paging(limit=100), waiting=True)
            for consent in asked.items:
                await answering.answer_consent(
                    LIQUIDATOR, consent.award_id, consent.turn,
                    consents=True, actor=self._staff.owner,
                )  # fmt: skip
            await house.settle()
            offered = [
                (buyer_id, offer)
                for buyer_id in await self._buyers()
                for offer in (
                    await answering.offers(buyer_id, Paging(limit=100), waiting=True)
                ).items
            ]
            for buyer_id, offer in offered:
                await answering.answer_offer(
                    buyer_id, offer.award_id, offer.turn, accepted=True, actor=OPERATOR
                )
            await house.settle()
            if not asked.items and not offered:
                return

    async def _fetch_all(self) -> None:
        """Each buyer books a slot, comes, and signs; the first of them claims a line."""
        booked = [
            await self._book(buyer_id, awards) for buyer_id, awards in (await self._ready()).items()
        ]
        for pickup in sorted(booked, key=lambda pickup: pickup.slot_at_us):
            await self._house.passes(until_us=max(self._now_us(), pickup.slot_at_us))
            await self._leaves(pickup)
            if not self._claims:
                await self._claim(pickup)

    async def _ready(self) -> dict[tuple[BidderId, str], list[AwardId]]:
        """What stands on docks, by buyer and dock."""
        ready: dict[tuple[BidderId, str], list[AwardId]] = {}
        for buyer_id in await self._buyers():
            for each in await self._house.services.bookings.ready(buyer_id):
                award = each.award
                async with transaction(self._house.pool) as connection:
                    place = (award.liquidator_id, award.award.ship_from, each.zone)
                    dock = await dock_for(connection, *place, self._now_us())
                ready.setdefault((buyer_id, dock.dock_id), []).append(award.award_id)
        return ready

    async def _book(self, whose: tuple[BidderId, str], awards: Sequence[AwardId]) -> Pickup:
        buyer_id, dock_id = whose
        services = self._house.services
        today = datetime.fromtimestamp(self._now_us() / SECOND_US, UTC).date()
        for days in range(1, DAYS_AHEAD):
            for free in await services.docks.free_slots(dock_id, today + timedelta(days=days)):
                if any(free.doors.values()):
                    return await services.bookings.book(
                        awards, free.slot.at_us, OPERATOR, buyer_id=buyer_id
                    )
        raise DemoFailed(f"the dock {dock_id} has no free slot in {DAYS_AHEAD} days")

    async def _leaves(self, pickup: Pickup) -> None:
        """The truck is checked in, loaded by scan, and signed for."""
        dock, clerk = self._house.services.at_dock, self._staff.clerk
        truck = Truck(carrier="Own truck", driver="Sam Driver", trailer="DEMO 1")
        load = await dock.check_in(pickup.pickup_id, pickup.version, truck, clerk)
        for pallet in load.pallets:
            await dock.scan(pickup.pickup_id, pallet.pallet_id, clerk)
        load = await dock.load(pickup.pickup_id)
        await dock.release(
            pickup.pickup_id, load.pickup.version, Signature("Sam Driver"), clerk, seal="SEAL-1"
        )

    async def _claim(self, pickup: Pickup) -> None:
        """Some pieces were missing; staff credit them by the formula."""
        services = self._house.services
        load = await services.at_dock.load(pickup.pickup_id)
        award = load.awards[0]
        async with acquire(self._house.pool) as connection:
            manifest = await read_manifest(connection, award.sale_id, award.lot_id)
        dearest = max(manifest, key=lambda line: (line.unit_msrp_minor or 0) * line.quantity)
        missing = FiledLine(
            line=dearest.line, reason=Reason.MISSING, quantity=max(1, dearest.quantity // 2)
        )
        claim = await services.claims.file(
            award.award_id, Filing(lines=(missing,)), OPERATOR, buyer_id=award.buyer_id
        )
        claim = await services.claims_desk.grant(claim.claim_id, claim.version, self._staff.clerk)
        if claim.state is ClaimState.PROPOSED:
            await services.claims_desk.agree(claim.claim_id, claim.version, self._staff.chief)
        self._claims += 1
        await self._house.settle()

    async def _pay_out(self) -> None:
        """What the house has earned goes to its bank; nothing that it owes does."""
        platform = self._house.platform
        await platform.set_manual()
        proposal = await platform.propose(CURRENCY)
        if proposal.proposed_minor:
            await platform.ask(self._staff.clerk, CURRENCY, proposal.proposed_minor)
        await self._house.settle()

    async def _invoices(self) -> list[InvoiceRow]:
        async with acquire(self._house.pool) as connection:
            rows = await connection.fetch("select * from invoice order by number")
        return [invoice_row(row) for row in rows]

    async def _buyers(self) -> list[BidderId]:
        async with acquire(self._house.pool) as connection:
            rows = await connection.fetch(
                "select organisation_id from organisation where kind = 'RESELLER' order by 1"
            )
        return [BidderId(row[0]) for row in rows]

    async def _added_up(self) -> Settled:
        async with acquire(self._house.pool) as connection:
            (row,) = await connection.fetch(_SUMS, CURRENCY)
            stands = await standing(connection, CURRENCY)
            off_minor = await ledger_sum_minor(connection, CURRENCY)
        return Settled(
            **row,
            exceptions=stands.exceptions,
            ledger_sum_minor=off_minor,
            stripe_difference_minor=stands.difference_minor,
        )


def _sends(work: Work, *, customer: str, amount_minor: int) -> None:
    """A bank transfer arrives."""
    cash_balances.fund(work, customer, amount_minor, CURRENCY.lower(), None)


def _who_does_not_pay(invoices: Sequence[InvoiceRow]) -> BidderId:
    """Of those who are to pay by bank, the one with the smallest invoice."""
    by_bank = [row for row in invoices if row.payment is PaymentState.AWAITING_FUNDS]
    if not by_bank:
        raise DemoFailed("no invoice is to be paid by bank")
    return min(by_bank, key=lambda row: row.invoice.total_minor).invoice.buyer_id
