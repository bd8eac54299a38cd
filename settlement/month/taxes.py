"""A month's tax by place: what was taxed and what was exempt, on which certificates, and what was
collected, credited and remitted.

Sales are of the month in which their money came; so is the tax that was collected with it. A line
at no rate is exempt if the buyer had an accepted certificate of the place that was valid when the
lot closed, and otherwise of a place where nothing is collected.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct

from foundation.database import AnyConnection
from settlement.names import organisation_names
from settlement.statements import Period


class TaxedPlace(Struct, frozen=True, kw_only=True):
    """A place's month. ``untaxed_minor``: sales at no rate without a certificate."""

    place: str
    taxable_minor: int = 0
    exempt_minor: int = 0
    untaxed_minor: int = 0
    collected_minor: int = 0
    credited_minor: int = 0
    remitted_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What of the month's tax is to be paid to the place."""
        return self.collected_minor - self.credited_minor


class ReliedOn(Struct, frozen=True, kw_only=True):
    """A certificate, and the sales that were exempt by it."""

    place: str
    buyer_id: str
    buyer_name: str
    certificate_id: str
    number: str
    expires_on: date
    sales: int
    exempt_minor: int


async def read_taxes(
    connection: AnyConnection, currency: str, period: Period
) -> tuple[Sequence[TaxedPlace], Sequence[ReliedOn]]:
    """The places of a month, and the certificates that were relied on."""
    sales = await connection.fetch(_SALES, currency, period.from_us, period.to_us)
    booked = await connection.fetch(_BOOKED, currency, period.from_us, period.to_us)
    names = await organisation_names(connection, (row["buyer_id"] for row in sales))
    places: dict[str, dict[str, int]] = {}
    for row in sales:
        of = places.setdefault(row["place"], {})
        kind = _kind_of(row)
        of[kind] = of.get(kind, 0) + int(row["base_minor"])
    for row in booked:
        of = places.setdefault(row["place"], {})
        for name in ("collected_minor", "credited_minor", "remitted_minor"):
            of[name] = int(row[name])
    relied = [
        ReliedOn(
            place=row["place"],
            buyer_id=row["buyer_id"],
            buyer_name=names.get(row["buyer_id"], row["buyer_id"]),
            certificate_id=row["certificate_id"],
            number=row["number"],
            expires_on=row["expires_on"],
            sales=row["sales"],
            exempt_minor=int(row["base_minor"]),
        )
        for row in sales
        if _kind_of(row) == "exempt_minor"
    ]
    return [TaxedPlace(place=place, **places[place]) for place in sorted(places)], relied


def _kind_of(row: Any) -> str:
    if row["taxed"]:
        return "taxable_minor"
    return "untaxed_minor" if row["certificate_id"] is None else "exempt_minor"


# What bears tax of each line whose money came in the month; the certificate only where none was
# taken.
_SALES: Final = """
with lines as (
    select i.buyer_id, i.zone,
        line -> 'tax' -> 'place' ->> 'country' as country,
        line -> 'tax' -> 'place' ->> 'region' as region,
        (line -> 'tax' ->> 'rate_ppm')::bigint > 0 as taxed,
        (line ->> 'closed_at_us')::bigint as closed_at_us,
        (line ->> 'hammer_minor')::bigint
        + case when (line -> 'tax' ->> 'premium_taxed')::boolean
            then (line ->> 'premium_minor')::bigint else 0 end
        + case when (line -> 'tax' ->> 'freight_taxed')::boolean
            then (line ->> 'freight_minor')::bigint else 0 end as base_minor
    from award a
    join invoice i using (invoice_id)
    cross join lateral jsonb_array_elements(i.body -> 'lines') as line
    where a.currency = $1 and a.funded_at_us >= $2 and a.funded_at_us < $3
    and line ->> 'award_id' = a.award_id
)
select lines.country || '-' || lines.region as place, lines.taxed,
    case when not lines.taxed then lines.buyer_id end as buyer_id,
    c.certificate_id, c.number, c.expires_on, count(*)::int as sales, sum(base_minor) as base_minor
from lines
left join lateral (
    select * from resale_certificate r
    where not lines.taxed and lines.country = 'US' and r.organisation_id = lines.buyer_id
    and r.region = lines.region and r.state = 'ACCEPTED'
    and r.expires_on >= (to_timestamp(lines.closed_at_us / 1000000) at time zone lines.zone)::date
    order by r.expires_on desc, r.certificate_id limit 1
) as c on true
group by 1, 2, 3, 4, 5, 6
order by 1, 3, 5
"""

_BOOKED: Final = """
select split_part(a.name, ':', 2) as place,
    coalesce(sum(f.amount_minor) filter (where f.credit_account_id = a.account_id), 0)
        as collected_minor,
    coalesce(sum(f.amount_minor) filter (
        where f.debit_account_id = a.account_id and t.purpose <> 'tax_remitted'
    ), 0) as credited_minor,
    coalesce(sum(f.amount_minor) filter (
        where f.debit_account_id = a.account_id and t.purpose = 'tax_remitted'
    ), 0) as remitted_minor
from ledger_transaction t
join ledger_transfer f using (transaction_id)
join ledger_account a on a.account_id in (f.debit_account_id, f.credit_account_id)
where t.currency = $1 and t.effective_at_us >= $2 and t.effective_at_us < $3
and a.kind = 'sales_tax'
group by 1
order by 1
"""
