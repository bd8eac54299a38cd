"""What a buyer owes for lots that it did not pay, until it is paid or two people give it up.

The fee of a default is a charge like those of the dock (`settlement.pickups.charge_table`): the
buyer pays it by card or from its credit, staff write down what came in another way. By itself the
house takes it from credit whenever there is some, and asks the saved card a few times, days apart;
each ask is a try of its own with a stored key (`charge_cards`). While it is open the buyer stays
suspended, also when its time is over.

* ``collect_fee``: of one charge, from the default on, once a day.
* ``fees_from_credit``: money came that no invoice needed.
"""

from collections.abc import Sequence
from typing import Final

from foundation.database import AnyConnection
from settlement.ids import AwardId
from settlement.ledger import post
from settlement.operations import HOUR_US, Again, Deadline, Handler, Operation
from settlement.payment_objects import least_charge_minor
from settlement.payments.payers import TablePayers
from settlement.pickups.charge_cards import ask_card
from settlement.pickups.charge_table import Charge, read_charge, take_from_credit
from settlement.pickups.pickup_table import hold_awards
from settlement.story import HOUSE_ITSELF, Told, tell

COLLECT_FEE: Final = "collect_fee"
FEES_FROM_CREDIT: Final = "fees_from_credit"

DAY_US: Final = 24 * HOUR_US
# A card that has no money today may have some on a pay day; one that says no so often will not pay.
# How long after each try that came to nothing the next one is made.
CARD_PAUSES_US: Final = (DAY_US, 3 * DAY_US, 7 * DAY_US)
# After that it is for a collector, and nothing looks at it by itself any more.
COLLECT_FOR_US: Final = 180 * DAY_US
# A card's answer is there within moments.
ASKED_PAUSE_US: Final = HOUR_US

_TRIES: Final = """
select count(*), coalesce(max(made_at_us), 0) as last_us from charge_try where charge_id = $1
"""
_OPEN: Final = """
select charge_id, award_id from buyer_charge
where buyer_id = $1 and currency = $2 and state = 'OPEN' and kind = 'RELIST_FEE'
order by made_at_us, charge_id
"""


class CollectFee(Deadline):
    """Takes what is open of a fee from the buyer's credit, and asks its card for the rest."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `operations.Handler`."""
        seen = await read_charge(connection, op.subject)
        assert seen is not None, "a charge is never removed"
        (charge,) = await hold_charges(connection, [seen])
        if not charge.open_minor or now_us - charge.made_at_us > COLLECT_FOR_US:
            return None
        if charge.card_is_asked:
            return Again(now_us + ASKED_PAUSE_US)
        entries = await take_from_credit(connection, [charge], HOUSE_ITSELF, now_us)
        after = await read_charge(connection, op.subject)
        assert after is not None, "a charge is never removed"
        await tell_paid(connection, charge, after, now_us)
        if after.open_minor:
            await _ask(connection, after, now_us)
        await post(connection, entries)
        return Again(now_us + DAY_US) if after.open_minor else None


class FeesFromCredit(Deadline):
    """Credit that no invoice needs pays what a buyer owes for earlier ones."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `operations.Handler`."""
        whose = (op.arguments["buyer_id"], op.arguments["currency"])
        rows = await connection.fetch(_OPEN, *whose)
        seen = [await read_charge(connection, row["charge_id"]) for row in rows]
        charges = await hold_charges(connection, [one for one in seen if one is not None])
        entries = await take_from_credit(connection, charges, HOUSE_ITSELF, now_us)
        for charge in charges:
            after = await read_charge(connection, charge.charge_id)
            assert after is not None, "a charge is never removed"
            await tell_paid(connection, charge, after, now_us)
        await post(connection, entries)


async def hold_charges(connection: AnyConnection, seen: Sequence[Charge]) -> list[Charge]:
    """These charges as they stand, with their awards, in the order in which all hold them."""
    await hold_awards(connection, [AwardId(charge.award_id) for charge in seen])
    held = []
    for charge_id in sorted(charge.charge_id for charge in seen):
        charge = await read_charge(connection, charge_id, hold=True)
        assert charge is not None, "a charge is never removed"
        held.append(charge)
    return held


async def tell_paid(
    connection: AnyConnection, before: Charge, after: Charge, now_us: int, by: str = HOUSE_ITSELF
) -> None:
    """What of a fee the buyer's credit has paid."""
    if after.paid_minor == before.paid_minor:
        return
    facts = {
        "charge_id": after.charge_id,
        "amount_minor": after.paid_minor - before.paid_minor,
        "currency": after.currency,
        "how": "credit",
    }
    told = Told(kind="charge_paid", award_id=after.award_id, actor=by, facts=facts)
    await tell(connection, [told], now_us)


async def _ask(connection: AnyConnection, charge: Charge, now_us: int) -> None:
    """Ask the saved card, if it is time, and it can be charged so little."""
    tries = await connection.fetchrow(_TRIES, charge.charge_id)
    assert tries is not None, "it is one row"
    if tries["count"] > len(CARD_PAUSES_US):
        return
    if tries["count"] and now_us < tries["last_us"] + CARD_PAUSES_US[tries["count"] - 1]:
        return
    payer = await TablePayers().payer(connection, charge.buyer_id)
    if payer is None or payer.card_id is None:
        return
    if charge.open_minor < least_charge_minor(charge.currency):
        return
    await ask_card(connection, charge, payer.customer_id, payer.card_id, now_us)
    facts = {"charge_id": charge.charge_id, "amount_minor": charge.open_minor}
    told = Told(kind="charge_card_asked", award_id=charge.award_id, facts=facts)
    await tell(connection, [told], now_us)


def fee_handlers() -> dict[str, Handler]:
    """By operation."""
    return {COLLECT_FEE: CollectFee(), FEES_FROM_CREDIT: FeesFromCredit()}
