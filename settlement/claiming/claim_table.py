"""Claims as rows. Whoever changes one holds its award's invoice first (`rows.hold_award`)."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection
from settlement.chart import sales_tax
from settlement.claiming.figures import Before
from settlement.claiming.words import ClaimState, DeskRefusal, FiledLine, Refused
from settlement.claims import ClaimedLine, Reason, Threshold
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId, TaxPlace
from settlement.policy import Policy, ThresholdPays


class Credit(Struct, frozen=True, kw_only=True):
    """An award's money as it is kept with a claim."""

    hammer_minor: int
    premium_minor: int
    tax_minor: int
    freight_minor: int
    tax_place: TaxPlace

    @property
    def total_minor(self) -> int:
        return self.hammer_minor + self.premium_minor + self.tax_minor + self.freight_minor

    def money(self, award_id: AwardId) -> AwardMoney:
        """As the ledger books it."""
        return AwardMoney(
            award_id=award_id,
            hammer_minor=self.hammer_minor,
            premium_minor=self.premium_minor,
            tax_minor=self.tax_minor,
            freight_minor=self.freight_minor,
            tax_place=sales_tax(self.tax_place),
        )


def credit_row(money: AwardMoney, place: TaxPlace) -> Credit:
    """The other way."""
    return Credit(
        hammer_minor=money.hammer_minor,
        premium_minor=money.premium_minor,
        tax_minor=money.tax_minor,
        freight_minor=money.freight_minor,
        tax_place=place,
    )


class Claim(Struct, frozen=True, kw_only=True):
    """A claim. ``granted``, ``formula`` and ``credit``: once somebody has decided to credit it."""

    claim_id: str
    award_id: AwardId
    number: int
    invoice_id: InvoiceId
    buyer_id: BidderId
    liquidator_id: LiquidatorId
    currency: str
    state: ClaimState
    late: bool
    after_release: bool
    words: str
    filed_at_us: int
    filed_by: str
    lines: tuple[FiledLine, ...]
    granted: tuple[ClaimedLine, ...] | None
    formula: Credit | None
    credit: Credit | None
    commission_minor: int
    why: str
    decided_at_us: int | None
    decided_by: str | None
    agreed_by: str | None
    refund_id: str | None
    credited_at_us: int | None
    changed_at_us: int
    version: int


class Said(Struct, frozen=True):
    """A message of a claim."""

    number: int
    at_us: int
    actor: str
    from_staff: bool
    words: str


def claim_id_of(award_id: AwardId, number: int) -> str:
    """No lot's id has a tilde in it, and no generation of an award begins with a letter."""
    return f"{award_id}~claim{number}"


_LINES: Final = """
coalesce((select jsonb_agg(jsonb_build_object('line', line, 'reason', reason, 'quantity', quantity,
    'loss_bps', loss_bps, 'words', l.words) order by place)
    from claim_line l where l.claim_id = claim.claim_id), '[]'::jsonb) as lines
"""
_SELECT: Final = f"select claim.*, {_LINES} from claim"  # noqa: S608 - the words above
_READ: Final = f"{_SELECT} where claim_id = $1"
_HOLD: Final = "select from claim where claim_id = $1 for update"
_OF_AWARD: Final = f"{_SELECT} where award_id = $1 order by number"
_OF_BUYER: Final = f"""
{_SELECT} where buyer_id = $1 and (filed_at_us, claim_id) < ($2::bigint, $3::text)
order by filed_at_us desc, claim_id desc limit $4
"""
_UNDER_WAY: Final = f"""
{_SELECT} where state in ('FILED', 'PROPOSED', 'CREDITING')
and (filed_at_us, claim_id) > ($1::bigint, $2::text)
order by filed_at_us, claim_id limit $3
"""

_ADD: Final = """
insert into claim (claim_id, award_id, number, invoice_id, buyer_id, liquidator_id, currency,
    state, late, after_release, words, filed_at_us, filed_by, changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, 'FILED', $8, $9, $10, $11, $12, $11)
"""
_ADD_LINES: Final = """
insert into claim_line (claim_id, place, line, reason, quantity, loss_bps, words)
select $1, * from unnest($2::integer[], $3::integer[], $4::text[], $5::integer[], $6::integer[],
    $7::text[])
"""
_DECIDE: Final = """
update claim set state = $2, granted = $3, formula = $4, credit = $5, why = $6, decided_at_us = $7,
    decided_by = $8, changed_at_us = $7, version = version + 1
where claim_id = $1
"""
_AGREE: Final = """
update claim set state = $2, agreed_by = $3, changed_at_us = $4, version = version + 1
where claim_id = $1
"""
_BACK: Final = """
update claim set state = 'FILED', granted = null, formula = null, credit = null, why = '',
    decided_at_us = null, decided_by = null, changed_at_us = $2, version = version + 1
where claim_id = $1
"""
_STATE: Final = """
update claim set state = $2, changed_at_us = $3, version = version + 1 where claim_id = $1
"""
_PAYING: Final = "update claim set commission_minor = $2 where claim_id = $1"
_CREDITED: Final = """
update claim set state = 'GRANTED', refund_id = $2, credited_at_us = $3, changed_at_us = $3,
    version = version + 1
where claim_id = $1
"""
_TOUCH: Final = "update claim set changed_at_us = $2, version = version + 1 where claim_id = $1"

_SAY: Final = """
insert into claim_message (claim_id, number, at_us, actor, from_staff, words)
select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 from claim_message where claim_id = $1
returning number
"""
_SAID: Final = """
select number, at_us, actor, from_staff, words from claim_message where claim_id = $1
order by number
"""

_OWN_THRESHOLD: Final = """
select share_bps, pays from lot_claim_threshold where sale_id = $1 and lot_id = $2
"""
_SECOND_PERSON: Final = """
select second_person_minor from claims_policy where currency = $1 and valid_from_us <= $2
order by valid_from_us desc limit 1
"""
_OTHER_CREDITS: Final = """
select hammer_minor, premium_minor, tax_minor, freight_minor from award_credit
where award_id = $1 and reason <> 'CLAIM' order by number
"""


async def read_claim(connection: AnyConnection, claim_id: str) -> Claim:
    """A claim as it stands now. Raises `Refused` NOT_FOUND."""
    row = await connection.fetchrow(_READ, claim_id)
    if row is None:
        raise Refused(DeskRefusal.NOT_FOUND)
    return _claim(row)


async def hold_claim(connection: AnyConnection, claim_id: str) -> Claim:
    """The claim, held; its award is held by the caller already. Raises `Refused` NOT_FOUND."""
    await connection.execute(_HOLD, claim_id)
    return await read_claim(connection, claim_id)


async def claims_of_award(connection: AnyConnection, award_id: AwardId) -> list[Claim]:
    """All claims that were ever filed for an award, in that order."""
    return [_claim(row) for row in await connection.fetch(_OF_AWARD, award_id)]


async def claims_of_buyer(
    connection: AnyConnection, buyer_id: BidderId, limit: int, before: tuple[int, str] = (2**62, "")
) -> list[Claim]:
    """A buyer's, the latest first, before a claim's time and id."""
    return [_claim(row) for row in await connection.fetch(_OF_BUYER, buyer_id, *before, limit)]


async def claims_under_way(
    connection: AnyConnection, limit: int, after: tuple[int, str] = (0, "")
) -> list[Claim]:
    """What staff have to decide or to wait for, the earliest first, after a claim's time and id."""
    return [_claim(row) for row in await connection.fetch(_UNDER_WAY, *after, limit)]


async def add_claim(connection: AnyConnection, claim: Claim) -> None:
    """Write a new one with its lines. Raises `Refused` ALREADY_CLAIMED."""
    try:
        await connection.execute(
            *(_ADD, claim.claim_id, claim.award_id, claim.number, claim.invoice_id),
            *(claim.buyer_id, claim.liquidator_id, claim.currency, claim.late),
            *(claim.after_release, claim.words, claim.filed_at_us, claim.filed_by),
        )
    except asyncpg.UniqueViolationError:
        raise Refused(DeskRefusal.ALREADY_CLAIMED) from None
    await connection.execute(
        _ADD_LINES,
        claim.claim_id,
        list(range(1, len(claim.lines) + 1)),
        [line.line for line in claim.lines],
        [line.reason.value for line in claim.lines],
        [line.quantity for line in claim.lines],
        [line.loss_bps for line in claim.lines],
        [line.words for line in claim.lines],
    )


async def write_decision(
    connection: AnyConnection,
    claim_id: str,
    state: ClaimState,
    granted: Sequence[ClaimedLine] | None,
    formula: Credit | None,
    credit: Credit | None,
    why: str,
    by: str,
    now_us: int,
) -> None:
    """What one person has decided."""
    await connection.execute(
        *(_DECIDE, claim_id, state, _json(granted), _json(formula), _json(credit)),
        *(why, now_us, by),
    )


async def write_agreed(
    connection: AnyConnection, claim_id: str, state: ClaimState, by: str, now_us: int
) -> None:
    """The second person agrees."""
    await connection.execute(_AGREE, claim_id, state, by, now_us)


async def write_undecided(connection: AnyConnection, claim_id: str, now_us: int) -> None:
    """The second person does not agree: it is to be decided again."""
    await connection.execute(_BACK, claim_id, now_us)


async def write_state(
    connection: AnyConnection, claim_id: str, state: ClaimState, now_us: int
) -> None:
    """It is in another state, and nothing else of it changes."""
    await connection.execute(_STATE, claim_id, state, now_us)


async def write_commission(connection: AnyConnection, claim_id: str, back_minor: int) -> None:
    """What the house gives up with a credit that is being paid."""
    await connection.execute(_PAYING, claim_id, back_minor)


async def write_credited(
    connection: AnyConnection, claim_id: str, refund_id: str | None, now_us: int
) -> None:
    """The money is the buyer's again."""
    await connection.execute(_CREDITED, claim_id, refund_id, now_us)


async def touch_claim(connection: AnyConnection, claim_id: str, now_us: int) -> None:
    """Something beside it has changed that its readers should see."""
    await connection.execute(_TOUCH, claim_id, now_us)


async def say(
    connection: AnyConnection, claim_id: str, actor: str, words: str, now_us: int, *, staff: bool
) -> int:
    """One more message; its number."""
    number: int = await connection.fetchval(_SAY, claim_id, now_us, actor, staff, words)
    return number


async def messages_of(connection: AnyConnection, claim_id: str) -> list[Said]:
    """What was said, in order."""
    return [Said(*row) for row in await connection.fetch(_SAID, claim_id)]


async def threshold_of(
    connection: AnyConnection, sale_id: SaleId, lot_id: LotId, policy: Policy
) -> Threshold:
    """The lot's own, if it states one; else the policy's."""
    row = await connection.fetchrow(_OWN_THRESHOLD, sale_id, lot_id)
    if row is None:
        return Threshold(policy.claim_threshold_bps, policy.claim_threshold_pays)
    return Threshold(row["share_bps"], ThresholdPays(row["pays"]))


async def second_person_minor(connection: AnyConnection, currency: str, at_us: int) -> int:
    """From which credit on two people decide; a currency without a row: from nothing on."""
    bound: int | None = await connection.fetchval(_SECOND_PERSON, currency, at_us)
    return 0 if bound is None else bound


async def before_of(
    connection: AnyConnection, award_id: AwardId, place: TaxPlace, than: int
) -> Before:
    """What was granted of an award before the claim of this number, and what else was credited."""
    granted: list[ClaimedLine] = []
    credited: list[AwardMoney] = []
    for claim in await claims_of_award(connection, award_id):
        is_granted = claim.state in (ClaimState.GRANTED, ClaimState.CREDITING)
        if is_granted and claim.number < than and claim.formula is not None:
            granted += claim.granted or ()
            credited.append(claim.formula.money(award_id))
    credited += [
        AwardMoney(award_id=award_id, tax_place=sales_tax(place), **row)
        for row in await connection.fetch(_OTHER_CREDITS, award_id)
    ]
    return Before(granted=tuple(granted), credited=tuple(credited))


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _claim(row: asyncpg.Record) -> Claim:
    values = {name: row[name] for name in Claim.__struct_fields__}
    lines = msgspec.json.decode(row["lines"], type=tuple[FiledLine, ...])
    granted, formula, credit = row["granted"], row["formula"], row["credit"]
    return Claim(
        **(
            values
            | {
                "state": ClaimState(row["state"]),
                "lines": lines,
                "granted": granted and msgspec.json.decode(granted, type=tuple[ClaimedLine, ...]),
                "formula": formula and msgspec.json.decode(formula, type=Credit),
                "credit": credit and msgspec.json.decode(credit, type=Credit),
            }
        )
    )


def reasons_of(lines: Sequence[ClaimedLine]) -> list[Reason]:
    """What is claimed, in words of the rules, each once."""
    return list(dict.fromkeys(line.reason for line in lines))
