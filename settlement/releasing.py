"""The release: what is held for an accepted award becomes owed, and the house's part is earned.

What is divided is what the ledger holds for the award, and nothing else: no credit that was booked
can be forgotten here, and nothing can be released twice. The invoice and its awards are held while
it is read, and a consignor from then on.

A dispute of the invoice freezes all of its awards: the release comes again until it is over.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from auction.consignment import AgreementTerms, Bearer
from auction.desk.agreements import versions
from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection
from settlement.accepting import DISPUTE_LOOK_US
from settlement.chart import deferred_fees
from settlement.chart import held as held_account
from settlement.due import Calendar
from settlement.entries import About, AwardMoney, ConsignedPart, Entry
from settlement.ids import AwardId, ConsignorId
from settlement.ledger import balances
from settlement.lives import AwardState
from settlement.operations import Again, Deadline, NeedsPerson, Operation
from settlement.payouts.payables import (
    Payable,
    add_payable,
    hold_payees,
    make_payees,
    new_payable,
)
from settlement.payouts.payment_costs import payment_costs
from settlement.payouts.words import PayeeKind
from settlement.policy import Commission
from settlement.policy_table import commission_at
from settlement.postings import release
from settlement.postings_house import consignor_charged
from settlement.releases import (
    Consigned,
    HeldBack,
    Release,
    consignor_due_us,
    keeps_from_release,
    release_of,
)
from settlement.rows import AwardRow, Held, calendar_of, hold_award, policy_of
from settlement.steps import Step, after, write
from settlement.story import Told

_CONSIGNED: Final = """
select consignor_id, agreement_id, agreement_version, pallets from consigned_lot
where sale_id = $1 and lot_id = $2
"""

_CHARGES: Final = """
select charge_id, liquidator_id, amount_minor - charged_minor as open_minor, parts
from consignor_charge where consignor_id = $1 and currency = $2 and charged_minor < amount_minor
order by made_at_us, charge_id for update
"""

_CHARGED: Final = """
update consignor_charge set charged_minor = charged_minor + $2, parts = $3 where charge_id = $1
"""

_NEW_CHARGE: Final = """
insert into consignor_charge (charge_id, consignor_id, liquidator_id, currency, amount_minor,
    made_at_us)
values ($1, $2, $3, $4, $5, $6)
"""


class Charge(Struct, frozen=True, kw_only=True):
    """What a consignor's earlier goods cost beyond what they brought. ``parts``: taken so far."""

    charge_id: str
    liquidator_id: LiquidatorId
    open_minor: int
    parts: int


class OfConsignor(Struct, frozen=True, kw_only=True):
    """Whose goods they were, by which agreement, and what of earlier ones is open.

    ``payment_minor``: what taking the buyer's money has cost.
    """

    consignor_id: ConsignorId
    terms: AgreementTerms
    pallets: int
    charges: tuple[Charge, ...]
    payment_minor: int = 0


class Facts(Struct, frozen=True, kw_only=True):
    """What a release is decided by. ``kept``: what the ledger holds for the award."""

    kept: AwardMoney
    commission: Commission
    calendar: Calendar
    consignor: OfConsignor | None


class Released(Struct, frozen=True, kw_only=True):
    """What follows. ``taken``: of earlier charges; ``charge_minor``: a new one."""

    step: Step
    payables: tuple[Payable, ...]
    taken: tuple[tuple[Charge, int], ...]
    charge_minor: int


def released(held: Held, row: AwardRow, facts: Facts, now_us: int) -> Released:
    """The release of an award that nothing keeps. Pure."""
    line = next(each for each in held.invoiced.invoice.lines if each.award_id == row.award_id)
    of = facts.consignor
    consigned = None if of is None else Consigned(of.terms, of.pallets, of.payment_minor)
    who_gets = release_of(line, facts.kept, facts.commission, consigned)
    consignor_minor = max(0, who_gets.consignor_minor)
    taken = _taken(of.charges if of else (), consignor_minor)
    taken_minor = sum(minor for _, minor in taken)
    seller_minor = facts.kept.hammer_minor - who_gets.commission_minor - consignor_minor
    parts: list[tuple[PayeeKind, str, int, int]]
    parts = [(PayeeKind.LIQUIDATOR, row.liquidator_id, max(0, seller_minor) + taken_minor, now_us)]
    if of is not None:
        due_us = consignor_due_us(of.terms, facts.calendar, row.accepted_at_us or now_us)
        parts.append((PayeeKind.CONSIGNOR, of.consignor_id, consignor_minor - taken_minor, due_us))
    payables = tuple(
        new_payable(row, kind, payee_id, minor, due_us, now_us)
        for kind, payee_id, minor, due_us in parts
        if minor
    )
    step = Step(
        awards={row.award_id: AwardState.RELEASED},
        operations=tuple(payable.wanted(payable.due_at_us) for payable in payables),
        entries=_entries(row, facts, who_gets, taken, now_us),
        story=(_told(row, facts, who_gets),),
    )
    return Released(
        step=step,
        payables=payables,
        taken=taken,
        charge_minor=max(0, -who_gets.consignor_minor),
    )


class Releasing(Deadline):
    """An award was accepted."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        award_id = AwardId(op.subject)
        held = await hold_award(connection, award_id)
        row = held.awards[award_id]
        kept = keeps_from_release(row.state, held.invoiced.standing)
        if kept is HeldBack.DISPUTED:
            return Again(now_us + DISPUTE_LOOK_US)
        if kept is HeldBack.NOT_ACCEPTED:  # a claim came between, or it was released
            return None
        facts = await _facts_of(connection, held, row, now_us)
        if kept is HeldBack.REFUNDED and facts.kept.total_minor:
            return None
        # Of a lot that a bank took whole, or that was credited whole, nothing is held that could be
        # kept back: it goes to its own end.
        done = released(held, row, facts, now_us)
        for payable in done.payables:
            await add_payable(connection, payable)
        await _write_charges(connection, row, facts, done, now_us)
        await write(connection, held, done.step, now_us)
        if not done.payables:
            told = Told(kind="closed", invoice_id=row.invoice_id, award_id=award_id)
            step = Step(awards={award_id: AwardState.CLOSED}, story=(told,))
            await write(connection, after(held, done.step), step, now_us)
        return None


async def kept_of(connection: AnyConnection, row: AwardRow) -> AwardMoney:
    """What the ledger holds of the hammer price and the premium of an award whose row is held."""
    accounts = (held_account(row.award_id), deferred_fees(row.award_id))
    found = await balances(connection, accounts, row.currency)
    hammer, premium = (found[each].credits_minor - found[each].debits_minor for each in accounts)
    return AwardMoney(award_id=row.award_id, hammer_minor=hammer, premium_minor=premium)


async def _facts_of(connection: AnyConnection, held: Held, row: AwardRow, now_us: int) -> Facts:
    policy = await policy_of(connection, held.invoiced)
    lot = await connection.fetchrow(_CONSIGNED, row.sale_id, row.lot_id)
    agreed = None if lot is None else ConsignorId(BidderId(lot["consignor_id"]))
    if agreed != row.consignor_id:
        raise NeedsPerson(f"consigned by {row.consignor_id}, agreed with {agreed}")
    await make_payees(connection, {row.liquidator_id: PayeeKind.LIQUIDATOR}, now_us)
    if agreed is not None:  # its earlier charges are taken from what it gets
        await hold_payees(connection, {agreed: PayeeKind.CONSIGNOR}, now_us)
    consignor = None
    if lot is not None and agreed is not None:
        key = (lot["agreement_id"], lot["agreement_version"])
        agreement = (await versions(connection, [key]))[key]
        if agreement.terms.currency != row.currency:
            raise NeedsPerson(f"the agreement is in {agreement.terms.currency}")
        charges = await connection.fetch(_CHARGES, agreed, row.currency)
        # Most agreements leave the cost of payment to the liquidator, and nobody asks for it.
        bears = agreement.terms.payment_fees is not Bearer.LIQUIDATOR
        costs = await payment_costs(connection, [row.award_id] if bears else [])
        consignor = OfConsignor(
            consignor_id=agreed,
            terms=agreement.terms,
            pallets=lot["pallets"],
            charges=tuple(Charge(**each) for each in charges),
            payment_minor=costs.get(row.award_id, 0),
        )
    return Facts(
        kept=await kept_of(connection, row),
        commission=await commission_at(connection, row.liquidator_id, policy, row.awarded_at_us),
        calendar=await calendar_of(connection, held.invoiced),
        consignor=consignor,
    )


def _taken(charges: Sequence[Charge], consignor_minor: int) -> tuple[tuple[Charge, int], ...]:
    """What is taken of a consignor's part for earlier charges, the oldest first."""
    taken = []
    for charge in charges:
        minor = min(charge.open_minor, consignor_minor)
        if minor:
            taken.append((charge, minor))
            consignor_minor -= minor
    return tuple(taken)


def _entries(
    row: AwardRow,
    facts: Facts,
    who_gets: Release,
    taken: Sequence[tuple[Charge, int]],
    now_us: int,
) -> list[Entry]:
    of = facts.consignor
    consigned = None if of is None else ConsignedPart(of.consignor_id, who_gets.consignor_minor)
    entries = []
    if facts.kept.total_minor or who_gets.consignor_minor > 0:
        about = _about(row, row.award_id, 1, now_us)
        commission_minor = who_gets.commission_minor
        entries.append(release(about, row.liquidator_id, facts.kept, commission_minor, consigned))
    for charge, minor in taken:
        assert of is not None, "only of consigned goods charges are taken"
        about = _about(row, charge.charge_id, charge.parts + 1, now_us)
        seller = charge.liquidator_id
        entries.append(consignor_charged(about, of.consignor_id, seller, minor, row.award_id))
    return entries


def _about(row: AwardRow, subject: str, generation: int, now_us: int) -> About:
    # The operation ends in the transaction that books it, so its time is written once.
    return About(
        subject=subject,
        generation=generation,
        at_us=now_us,
        currency=row.currency,
        sale_id=row.sale_id,
        award_id=row.award_id,
        invoice_id=row.invoice_id,
        liquidator_id=row.liquidator_id,
        consignor_id=row.consignor_id,
        buyer_id=row.buyer_id,
    )


def _told(row: AwardRow, facts: Facts, who_gets: Release) -> Told:
    of = facts.consignor
    return Told(
        kind="released",
        invoice_id=row.invoice_id,
        award_id=row.award_id,
        facts={
            "currency": row.currency,
            "hammer_minor": who_gets.hammer_minor,
            "premium_minor": who_gets.premium_minor,
            "commission_minor": who_gets.commission_minor,
            "liquidator_minor": who_gets.liquidator_minor,
            "consignor_id": None if of is None else of.consignor_id,
            "consignor_minor": who_gets.consignor_minor,
        },
    )


async def _write_charges(
    connection: AnyConnection, row: AwardRow, facts: Facts, done: Released, now_us: int
) -> None:
    for charge, minor in done.taken:
        await connection.execute(_CHARGED, charge.charge_id, minor, charge.parts + 1)
    if done.charge_minor:
        assert facts.consignor is not None, "only consigned goods cost a consignor something"
        await connection.execute(
            _NEW_CHARGE,
            row.award_id,
            facts.consignor.consignor_id,
            row.liquidator_id,
            row.currency,
            done.charge_minor,
            now_us,
        )
