"""What follows the hammer, to the end: paid, fetched, claimed, released, sent, and in the books.

Small invoices are charged to cards, the others are paid by bank. One buyer does not pay: its lots
go to the runners-up, whom their seller consents to. One claim is credited. Then the claims windows
pass, the seller gets its money, and the books are compared with Stripe's to the cent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from accounts.audit import OPERATOR, Actor
from accounts.identity import OrganisationKind, Role
from accounts.ids import OrganisationId, PersonId
from accounts.organisations import make_organisation
from accounts.team import make_person
from auction.ids import BidderId
from foundation.database import acquire, transaction
from foundation.http.cursors import Paging
from settlement.lives import PaymentState
from settlement.rows import InvoiceRow, invoice_row
from settlement.stripe_simulator.accounts import onboarded
from softclose.demo.acting import People, Staff
from softclose.demo.catalogue import CURRENCY, LIQUIDATOR, Catalogue
from softclose.demo.filling import publish_words
from softclose.demo.people import simulated
from softclose.demo.play import DemoFailed
from softclose.demo.resellers import Reseller
from softclose.demo.settled import Settled, added_up, take_cards
from softclose.demo.settlement_house import HOUR_US, SettlementHouse

DAY_US: Final = 24 * HOUR_US
# Claims can be made for two business days; then what is accepted is released and sent.
WINDOW_US: Final = 5 * DAY_US
# A transfer that nothing came back from is closed after some days.
CLOSED_US: Final = 8 * DAY_US
# A runner-up who declines is followed by another; here all accept.
MOST_TURNS: Final = 10
HOUSE: Final = OrganisationId("softclose-demo")


@dataclass(frozen=True)
class Cast:
    """Who is there; ``owner``: of the seller."""

    people: People
    owner: Actor


async def furnish(
    house: SettlementHouse, catalogue: Catalogue, resellers: Sequence[Reseller]
) -> Cast:
    """What it needs: the lots in the catalogue, people, their cards, the seller's account."""
    async with transaction(house.pool) as connection:
        await publish_words(connection, catalogue)
        await take_cards(connection)
    staff, owner = await _persons(house)
    people = People(house.pool, house.services, house.stripe, staff, house.clock.now_us)
    for reseller in resellers:
        await simulated(house.accounts, reseller.bidder_id, reseller.name)
        await people.save_card(reseller.bidder_id)
    await house.payees.connect(owner, LIQUIDATOR, email="owner@example.com")
    await house.settle()
    shown = await house.payees.read(LIQUIDATOR)
    assert shown.connected is not None and shown.connected.account_id is not None
    account_id = str(shown.connected.account_id)
    house.stripe.run(lambda work: onboarded(work, account_id))
    await house.onboarding.refresh(LIQUIDATOR)
    return Cast(people, owner)


async def _persons(house: SettlementHouse) -> tuple[Staff, Actor]:
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
    return Staff(clerk, chief), owner


class AfterHammer:
    """The course of it, once the sale has closed."""

    def __init__(self, house: SettlementHouse, cast: Cast) -> None:
        self._house, self._people, self._owner = house, cast.people, cast.owner
        self._now_us = house.clock.now_us

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
        return await added_up(house.pool)

    async def _send_money(self, defaulter: BidderId) -> None:
        """Whoever is to pay by bank does, but for one."""
        for row in await self._invoices():
            if row.payment is PaymentState.AWAITING_FUNDS and row.invoice.buyer_id != defaulter:
                await self._people.send_money(row)
        await self._house.passes(until_us=self._now_us() + HOUR_US)

    async def _offer_again(self) -> None:
        """What was not paid goes to the runners-up, with their seller's consent."""
        house, answering = self._house, self._house.after_default.answering
        for _ in range(MOST_TURNS):
            asked = await answering.consents(LIQUIDATOR, Paging(limit=100), waiting=True)
            for consent in asked.items:
                await answering.answer_consent(
                    LIQUIDATOR, consent.award_id, consent.turn,
                    consents=True, actor=self._owner,
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
            await self._people.book(buyer_id, dock_id, awards)
            for buyer_id in await self._buyers()
            for dock_id, awards in (await self._people.ready(buyer_id)).items()
        ]
        for place, pickup in enumerate(sorted(booked, key=lambda pickup: pickup.slot_at_us)):
            await self._house.passes(until_us=max(self._now_us(), pickup.slot_at_us))
            await self._people.load(pickup)
            if place == 0:
                await self._people.claim(pickup)
                await self._house.settle()

    async def _pay_out(self) -> None:
        """What the house has earned goes to its bank; nothing that it owes does."""
        platform = self._house.platform
        await platform.set_manual()
        proposal = await platform.propose(CURRENCY)
        if proposal.proposed_minor:
            await platform.ask(self._people.staff.clerk, CURRENCY, proposal.proposed_minor)
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


def _who_does_not_pay(invoices: Sequence[InvoiceRow]) -> BidderId:
    """Of those who are to pay by bank, the one with the smallest invoice."""
    by_bank = [row for row in invoices if row.payment is PaymentState.AWAITING_FUNDS]
    if not by_bank:
        raise DemoFailed("no invoice is to be paid by bank")
    return min(by_bank, key=lambda row: row.invoice.total_minor).invoice.buyer_id
