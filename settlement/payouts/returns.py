"""What the bank sends back of a file: booked back, and owed again.

A code that says that the account is closed or none takes the account away from its payee, so that
nothing is sent to it again; the payee is told, and waits for another.
"""

import re
from collections.abc import Callable
from typing import Final

from accounts.audit import Act, Actor, record
from auction.ids import BidderId, LiquidatorId
from foundation.database import AnyConnection, Pool, transaction
from settlement.chart import BANK, consignor_payable
from settlement.entries import About, Entry, Purpose, entry
from settlement.entries import moved as posting
from settlement.ids import ConsignorId
from settlement.ledger import post
from settlement.payouts.announcing import announcement
from settlement.payouts.batch_rows import (
    Everything,
    Item,
    WholeBatch,
    hold_everything,
    read_batch,
    read_payables,
)
from settlement.payouts.payables import Payable, moved, write_payable
from settlement.payouts.words import (
    BatchState,
    PayableState,
    PayeeKind,
    PayoutRefusal,
    PayoutRefused,
)
from settlement.postings import bank_file_returned
from settlement.steps import Step, want, write
from settlement.story import Told

# Nacha's return reason codes; a wire comes back with words.
CODE: Final = re.compile(r"R[0-9]{2}")
WIRE_BACK: Final = "WIRE"
# Account closed, no such account, number not valid, frozen, not for such payments, owner dead.
ACCOUNT_BAD: Final = frozenset({"R02", "R03", "R04", "R12", "R14", "R15", "R16", "R20"})
MAX_WORDS: Final = 200

_RETURNED: Final = """
update payout_batch_item set state = 'RETURNED', return_code = $3, return_note = $4,
    returned_at_us = $5, returned_by = $6
where batch_id = $1 and place = $2
"""
_BAD: Final = """
update payee_bank_account set state = 'REPLACED' where bank_account_id = $1 and state = 'ACTIVE'
returning true
"""
_NO_WAY: Final = """
update payee set way = null, changed_at_us = null, version = version + 1
where payee_id = $1 and way = 'BANK'
"""


class Returns:
    """What staff do about what came back. ``ring`` wakes the worker."""

    def __init__(self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None]) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def book(
        self, staff: Actor, batch_id: int, place: int, code: str, words: str = ""
    ) -> WholeBatch:
        """An item came back. ``code``: R01 and so on, or WIRE.

        Raises `PayoutRefused`: NOT_FOUND, BAD_DETAILS, NOT_NOW (it was not sent, or came back).
        """
        now_us = self._now_us()
        if (not CODE.fullmatch(code) and code != WIRE_BACK) or len(words) > MAX_WORDS:
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="code")
        async with transaction(self._pool) as connection:
            whole = await read_batch(connection, batch_id, hold=True)
            item = next((each for each in whole.items if each.place == place), None)
            if item is None:
                raise PayoutRefused(PayoutRefusal.NOT_FOUND)
            if whole.batch.state is not BatchState.RELEASED or item.state != "SENT":
                raise PayoutRefused(PayoutRefusal.NOT_NOW)
            ids = [line.payable_id for line in whole.lines if line.place == place]
            payables = await read_payables(connection, ids)
            everything = await hold_everything(connection, payables, now_us)
            await connection.execute(
                _RETURNED, batch_id, place, code, words.strip(), now_us, staff.person_id
            )
            entries = await _owed_again(connection, whole, item, everything, code, now_us)
            if code in ACCOUNT_BAD and await connection.fetchval(_BAD, item.bank_account_id):
                await connection.execute(_NO_WAY, item.payee_id)
                told = announcement(item.payee_id, f"bank{item.bank_account_id}~back", "RETURNED")
                await want(connection, [told], now_us)
            await record(
                connection,
                Act.BANK_RETURN_BOOKED,
                staff,
                now_us,
                object_id=f"{batch_id}-{place}",
                code=code,
            )
            await post(connection, entries)
            booked = await read_batch(connection, batch_id)
        self._ring()
        return booked


async def _owed_again(
    connection: AnyConnection,
    whole: WholeBatch,
    item: Item,
    everything: Everything,
    code: str,
    now_us: int,
) -> list[Entry]:
    entries = []
    for line in whole.lines:
        if line.place != item.place:
            continue
        payable = everything.payables[line.payable_id]
        row, held = everything.row(payable), everything.held(payable)
        about = payable.about(row, line.send, now_us)
        entries.append(returned_entry(payable, line.amount_minor, about))
        back = moved(
            payable,
            state=PayableState.OWED,
            sent_minor=payable.sent_minor - line.amount_minor,
            decisions=payable.decisions + 1,
            note=f"the bank sent it back: {code}",
        )
        await write_payable(connection, back, now_us)
        facts = {"amount_minor": line.amount_minor, "currency": payable.currency, "code": code}
        told = Told(
            kind="returned_by_bank", invoice_id=row.invoice_id, award_id=row.award_id, facts=facts
        )
        step = Step(operations=(back.wanted(),), story=(told,))
        await write(connection, held, step, now_us)
    return entries


def returned_entry(payable: Payable, amount_minor: int, about: About) -> Entry:
    """A part of a payable is in the bank again, and owed."""
    if payable.kind is PayeeKind.LIQUIDATOR:
        return bank_file_returned(about, LiquidatorId(payable.payee_id), amount_minor)
    account = consignor_payable(ConsignorId(BidderId(payable.payee_id)))
    return entry(Purpose.BANK_FILE_RETURNED, about, [posting(BANK, account, amount_minor)])
