"""The release of a bank file: looked at again, frozen with its digest, and booked."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from accounts.audit import Act, Actor, record
from auction.ids import BidderId, LiquidatorId
from auction.money import format_minor
from foundation.database import AnyConnection
from settlement.due import Calendar
from settlement.entries import About, Entry
from settlement.ids import AwardId, ConsignorId
from settlement.ledger import post
from settlement.payouts.batch_rows import (
    Everything,
    Item,
    WholeBatch,
    awards_payables,
    bank_minor,
    hold_everything,
    read_payables,
)
from settlement.payouts.closing import close_us, kept_back, sending_policy
from settlement.payouts.house_bank import hold_house_bank
from settlement.payouts.nacha import Credit, Traced, ach_file, traced
from settlement.payouts.payables import Payable, all_done, moved, paid_out, write_payable
from settlement.payouts.wires import Wire, wire_list
from settlement.payouts.words import PayableState, PayeeKind, PayoutRefusal, PayoutRefused, Way
from settlement.policy_table import holidays_of
from settlement.postings import bank_file_paid
from settlement.postings_house import consignor_paid
from settlement.rows import Held
from settlement.steps import Step, after, write
from settlement.story import Told

# Where banks settle ACH.
ZONE: Final = "America/New_York"
# How far ahead a file may be dated: the bank keeps it no longer.
MAX_DAYS_AHEAD: Final = 7
_SATURDAY: Final = 5

_SENT_ITEM: Final = """
update payout_batch_item set state = 'SENT', trace = $3 where batch_id = $1 and place = $2
"""
_RELEASE: Final = """
update payout_batch set state = 'RELEASED', released_at_us = $2, released_by = $3, pays_on = $4,
    ach_sha256 = $5, wires_sha256 = $6
where batch_id = $1
"""
_ADD_FILE: Final = """
insert into payout_file (batch_id, method, content, sha256) values ($1, $2, $3, $4)
"""
_ACCOUNTS: Final = """
select b.payee_id, b.bank_account_id, n.number
from payee_bank_account b join payee_account_number n using (bank_account_id)
where b.bank_account_id = any($1) and b.state = 'ACTIVE'
"""
_LAST_TRACE: Final = """
select coalesce(max(right(trace, 7)::integer), 0) from payout_batch_item where trace like $1 || '%'
"""


async def paying_day(connection: AnyConnection, asked: date | None, now_us: int) -> date:
    calendar = Calendar(ZONE, await holidays_of(connection, "US"))
    earliest = calendar.day_of(calendar.business_days_after_us(now_us, 1))
    if asked is None:
        return earliest
    late = (asked - earliest).days > MAX_DAYS_AHEAD
    if asked < earliest or late or asked.weekday() >= _SATURDAY or asked in calendar.holidays:
        detail = f"A business day from {earliest} on, at most {MAX_DAYS_AHEAD} days later."
        raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="pays_on", detail=detail)
    return asked


async def release_batch(
    connection: AnyConnection, whole: WholeBatch, staff: Actor, pays_on: date, now_us: int
) -> None:
    batch, batch_id = whole.batch, whole.batch.batch_id
    everything = await hold_batch(connection, whole, now_us)
    await _check(connection, whole, everything, now_us)
    numbers = await _numbers(connection, whole)
    files, traces = await _files(connection, whole, numbers, pays_on, now_us)
    digests = {}
    for method, content in files.items():
        digests[method] = hashlib.sha256(content).hexdigest()
    await connection.execute(
        _RELEASE,
        batch_id,
        now_us,
        staff.person_id,
        pays_on,
        digests.get("ACH"),
        digests.get("WIRE"),
    )
    for method, content in files.items():
        await connection.execute(_ADD_FILE, batch_id, method, content, digests[method])
    for item in whole.items:
        await connection.execute(_SENT_ITEM, batch_id, item.place, traces.get(item.place, ""))
    entries = await _book(connection, whole, everything, now_us)
    await follow_awards(connection, everything, now_us)
    await record(
        connection,
        Act.BANK_FILE_RELEASED,
        staff,
        now_us,
        object_id=str(batch_id),
        total_minor=batch.total_minor,
        currency=batch.currency,
    )
    await post(connection, entries)


async def _check(
    connection: AnyConnection, whole: WholeBatch, everything: Everything, now_us: int
) -> None:
    """What has changed since it was made. Raises `PayoutRefused`: HELD_BACK, BANK_TOO_LOW."""
    batch = whole.batch
    policy = await sending_policy(connection, batch.currency, now_us)
    for payable in everything.payables.values():
        payee = everything.payees[payable.payee_id]
        held = everything.held(payable)
        why = kept_back(policy, everything.row(payable), held, payee, payable, now_us)
        if why is not None or payee.way is not Way.BANK:
            said = why or "its payee is paid in another way now"
            detail = f"{payable.payable_id}: {said}. Cancel the file and make another."
            raise PayoutRefused(PayoutRefusal.HELD_BACK, detail=detail)
        assert payable.state is PayableState.IN_FILE, "nobody else takes it"
    there_minor = await bank_minor(connection, batch.currency)
    if there_minor < batch.total_minor:
        missing = format_minor(batch.total_minor - there_minor, batch.currency)
        detail = f"{missing} {batch.currency} are missing in the bank. Pay out to it first."
        raise PayoutRefused(PayoutRefusal.BANK_TOO_LOW, detail=detail)


async def _numbers(connection: AnyConnection, whole: WholeBatch) -> Mapping[int, str]:
    """The account numbers, of accounts that are still their payees'."""
    ids = [item.bank_account_id for item in whole.items]
    rows = await connection.fetch(_ACCOUNTS, ids)
    numbers: dict[int, str] = {row["bank_account_id"]: row["number"] for row in rows}
    for item in whole.items:
        if item.bank_account_id not in numbers:
            detail = f"{item.payee_name} has another account now. Cancel the file."
            raise PayoutRefused(PayoutRefusal.HELD_BACK, detail=detail)
    return numbers


async def _files(
    connection: AnyConnection,
    whole: WholeBatch,
    numbers: Mapping[int, str],
    pays_on: date,
    now_us: int,
) -> tuple[dict[str, bytes], dict[int, str]]:
    """The files by method, and the trace numbers by place."""
    batch_id, currency = whole.batch.batch_id, whole.batch.currency
    by_ach = [item for item in whole.items if item.method == "ACH"]
    wires = [item for item in whole.items if item.method == "WIRE"]
    files: dict[str, bytes] = {}
    traces: dict[int, str] = {}
    if by_ach:
        bank = await hold_house_bank(connection, currency)
        last: int = await connection.fetchval(_LAST_TRACE, bank.destination[:8])
        credits_ = {_reference(batch_id, each): each.place for each in by_ach}
        entries: list[Traced] = traced(
            bank, [_credit(batch_id, each, numbers) for each in by_ach], last + 1
        )
        traces = {credits_[each.credit.reference]: each.trace for each in entries}
        files["ACH"] = ach_file(bank, entries, now_us, pays_on)
    if wires:
        rows = [_wire(batch_id, each, numbers, currency) for each in wires]
        files["WIRE"] = wire_list(rows, currency)
    return files, traces


def _reference(batch_id: int, item: Item) -> str:
    return f"SC{batch_id}-{item.place}"


def _credit(batch_id: int, item: Item, numbers: Mapping[int, str]) -> Credit:
    return Credit(
        routing=item.routing,
        account=numbers[item.bank_account_id],
        is_savings=item.account_type == "SAVINGS",
        is_company=item.is_company,
        holder=item.holder,
        reference=_reference(batch_id, item),
        amount_minor=item.amount_minor,
    )


def _wire(batch_id: int, item: Item, numbers: Mapping[int, str], currency: str) -> Wire:
    return Wire(
        reference=_reference(batch_id, item),
        payee=item.payee_name,
        holder=item.holder,
        country=item.country,
        routing=item.routing,
        account=numbers[item.bank_account_id],
        currency=currency,
        amount_minor=item.amount_minor,
    )


async def _book(
    connection: AnyConnection, whole: WholeBatch, everything: Everything, now_us: int
) -> list[Entry]:
    """The payables are sent: written, and the entries to be posted last."""
    entries = []
    steps: list[tuple[Held, Step]] = []
    for line in whole.lines:
        payable = everything.payables[line.payable_id]
        row = everything.row(payable)
        about = payable.about(row, line.send, now_us)
        entries.append(paid_entry(payable, line.amount_minor, about))
        sent = moved(payable, sent_minor=payable.sent_minor + line.amount_minor, sent_at_us=now_us)
        everything.payables[line.payable_id] = sent
        await write_payable(connection, sent, now_us)
        facts = {
            "amount_minor": line.amount_minor,
            "currency": payable.currency,
            "payee_id": payable.payee_id,
            "batch_id": whole.batch.batch_id,
        }
        told = Told(
            kind="paid_by_bank", invoice_id=row.invoice_id, award_id=row.award_id, facts=facts
        )
        steps.append((everything.held(payable), Step(story=(told,))))
    for held, step in steps:
        await write(connection, held, step, now_us)
    return entries


def paid_entry(payable: Payable, amount_minor: int, about: About) -> Entry:
    """A part of a payable has left the bank."""
    if payable.kind is PayeeKind.LIQUIDATOR:
        return bank_file_paid(about, LiquidatorId(payable.payee_id), amount_minor)
    return consignor_paid(about, ConsignorId(BidderId(payable.payee_id)), amount_minor)


async def hold_batch(connection: AnyConnection, whole: WholeBatch, now_us: int) -> Everything:
    ids = [line.payable_id for line in whole.lines]
    return await hold_everything(connection, await read_payables(connection, ids), now_us)


async def follow_awards(connection: AnyConnection, everything: Everything, now_us: int) -> None:
    """What follows for the awards, once their payables are written; entries are posted later."""
    ids = sorted({payable.award_id for payable in everything.payables.values()})
    parts = await awards_payables(connection, ids)
    for held in everything.invoices.values():
        now = held
        for award_id in ids:
            if award_id in held.awards:
                now = await _write_award(connection, now, award_id, parts[award_id], now_us)


async def _write_award(
    connection: AnyConnection,
    held: Held,
    award_id: AwardId,
    parts: Sequence[Payable],
    now_us: int,
) -> Held:
    if not all_done(parts):
        return held
    closes_us = await close_us(connection, held, now_us)
    step = paid_out(held.awards[award_id], parts, closes_us)
    await write(connection, held, step, now_us)
    return after(held, step)
