"""What was paid for a seller's goods in a year, by month: the figures of form 1099-K.

Gross is what buyers paid as hammer price for a seller's lots through the platform; commission,
credits, refunds and chargebacks are not taken off, premium and tax are not the seller's. What was
paid by card stands apart from what was paid by bank.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.names import organisation_names
from settlement.statements import Period

MONTHS: Final = 12


class YearlyGross(Struct, frozen=True, kw_only=True):
    """A payee's year. ``months_minor``: January to December; ``payments``: paid lots."""

    payee_id: str
    name: str
    year: int
    card_minor: int
    bank_minor: int
    payments: int
    months_minor: tuple[int, ...]

    @property
    def gross_minor(self) -> int:
        return self.card_minor + self.bank_minor


def year_period(year: int) -> Period:
    """A year of the books, which are kept in UTC."""

    def starts_us(of: int) -> int:
        return int(datetime(of, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

    return Period(starts_us(year), starts_us(year + 1))


async def read_gross(connection: AnyConnection, currency: str, year: int) -> Sequence[YearlyGross]:
    """Every payee of a year, the largest first."""
    period = year_period(year)
    rows = await connection.fetch(_GROSS, currency, period.from_us, period.to_us)
    names = await organisation_names(connection, (row["payee_id"] for row in rows))
    months: dict[str, list[int]] = {}
    sums: dict[str, list[int]] = {}
    for row in rows:
        payee = row["payee_id"]
        card, bank = int(row["card_minor"]), int(row["bank_minor"])
        months.setdefault(payee, [0] * MONTHS)[row["month"].month - 1] += card + bank
        of = sums.setdefault(payee, [0, 0, 0])
        sums[payee] = [of[0] + card, of[1] + bank, of[2] + row["payments"]]
    found = [
        YearlyGross(
            payee_id=payee,
            name=names.get(payee, payee),
            year=year,
            card_minor=card,
            bank_minor=bank,
            payments=payments,
            months_minor=tuple(months[payee]),
        )
        for payee, (card, bank, payments) in sums.items()
    ]
    return sorted(found, key=lambda its: (-its.gross_minor, its.payee_id))


_GROSS: Final = """
select a.liquidator_id as payee_id, t.month,
    coalesce(sum(f.amount_minor) filter (where t.purpose = 'capture'), 0) as card_minor,
    coalesce(sum(f.amount_minor) filter (where t.purpose <> 'capture'), 0) as bank_minor,
    count(distinct f.award_id)::int as payments
from ledger_transaction t
join ledger_transfer f using (transaction_id)
join ledger_account held on held.account_id = f.credit_account_id
join award a on a.award_id = f.award_id
where t.currency = $1 and t.effective_at_us >= $2 and t.effective_at_us < $3
and t.purpose in ('capture', 'bank_funding', 'credit_applied') and held.kind = 'held'
group by 1, 2
order by 1, 2
"""
