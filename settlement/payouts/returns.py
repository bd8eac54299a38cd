"""What the bank sends back of a file: booked back, and owed again.

A code that says that the account is closed or none takes the account away from its payee, so that
nothing is sent to it again; the payee is told, and waits for another.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

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
from settlement.payouts.return_file import (
    MAX_FAULTS,
    BadReturns,
    Notice,
    ReturnedCredit,
    parse_returns,
)
from settlement.payouts.words import (
    BatchState,
    PayableState,
    PayeeKind,
    PayoutRefusal,
    PayoutRefused,
)
from settlement.postings import bank_file_returned
from settlement.reconciliation.statement_file import Fault
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
_BATCHES_OF: Final = """
select distinct batch_id from payout_batch_item where trace = any($1) order by batch_id
"""
_BAD: Final = """
update payee_bank_account set state = 'REPLACED' where bank_account_id = $1 and state = 'ACTIVE'
returning true
"""
_NO_WAY: Final = """
update payee set way = null, changed_at_us = null, version = version + 1
where payee_id = $1 and way = 'BANK'
"""


class TakenIn(Struct, frozen=True, kw_only=True):
    """What became of a file: returns that were booked by it, and before it. ``notices``: what
    payees' banks ask to be mended; nothing is done about them."""

    booked: int
    known: int
    notices: Sequence[Notice]


class Back(Struct, frozen=True):
    """An item of a held file that came back, and why."""

    whole: WholeBatch
    item: Item
    code: str
    words: str

    @property
    def payable_ids(self) -> list[str]:
        return [line.payable_id for line in self.whole.lines if line.place == self.item.place]


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
            back = Back(whole, item, code, words.strip())
            await post(connection, await _book(connection, staff, back, now_us))
            booked = await read_batch(connection, batch_id)
        self._ring()
        return booked

    async def take_in(self, staff: Actor, data: bytes) -> TakenIn:
        """A bank's file of returns, whole or not at all; what was booked before is counted.

        Raises `return_file.BadReturns` with the lines that are wrong or fit no payment of ours.
        """
        file, now_us = parse_returns(data), self._now_us()
        traces = [one.trace for one in file.returns]
        async with transaction(self._pool) as connection:
            # Files by their numbers, then their invoices by theirs: as everybody else holds them.
            numbers = await connection.fetch(_BATCHES_OF, traces)
            wholes = [await read_batch(connection, row["batch_id"], hold=True) for row in numbers]
            sent = {item.trace: (whole, item) for whole in wholes for item in whole.items}
            new = _fitting(file.returns, sent)
            backs = [Back(*sent[one.trace], one.code, one.words) for one in new]
            ids = [payable_id for back in backs for payable_id in back.payable_ids]
            await hold_everything(connection, await read_payables(connection, ids), now_us)
            entries: list[Entry] = []
            for back in backs:
                entries += await _book(connection, staff, back, now_us)
            await post(connection, entries)
        self._ring()
        return TakenIn(booked=len(new), known=len(file.returns) - len(new), notices=file.notices)


def _fitting(
    returns: Sequence[ReturnedCredit], sent: Mapping[str, tuple[WholeBatch, Item]]
) -> list[ReturnedCredit]:
    """Those that are not booked yet. Raises `BadReturns` for what fits no payment of ours."""
    faults, new = [], []
    for one in returns:
        item = sent[one.trace][1] if one.trace in sent else None
        if item is None:
            faults.append(Fault(one.line, f"no payment of ours has the trace number {one.trace}"))
        elif item.amount_minor != one.amount_minor:
            said = f"{one.amount_minor} cents came back of {item.amount_minor} that were sent"
            faults.append(Fault(one.line, said))
        elif item.state == "SENT":
            new.append(one)
        elif (item.state, item.return_code) != ("RETURNED", one.code):
            said = f"it is written down as {item.state} {item.return_code}".rstrip()
            faults.append(Fault(one.line, said))
    if faults:
        raise BadReturns(faults[:MAX_FAULTS])
    return new


async def _book(connection: AnyConnection, staff: Actor, back: Back, now_us: int) -> list[Entry]:
    """Write down that an item of a held file came back; what is to be posted, once for all."""
    whole, item = back.whole, back.item
    batch_id = whole.batch.batch_id
    payables = await read_payables(connection, back.payable_ids)
    everything = await hold_everything(connection, payables, now_us)
    await connection.execute(
        _RETURNED, batch_id, item.place, back.code, back.words, now_us, staff.person_id
    )
    entries = await _owed_again(connection, whole, item, everything, back.code, now_us)
    if back.code in ACCOUNT_BAD and await connection.fetchval(_BAD, item.bank_account_id):
        await connection.execute(_NO_WAY, item.payee_id)
        told = announcement(item.payee_id, f"bank{item.bank_account_id}~back", "RETURNED")
        await want(connection, [told], now_us)
    await record(
        connection,
        Act.BANK_RETURN_BOOKED,
        staff,
        now_us,
        object_id=f"{batch_id}-{item.place}",
        code=back.code,
    )
    return entries


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
