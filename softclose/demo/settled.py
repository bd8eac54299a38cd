"""What followed the hammer, in figures: from the tables and Stripe's own books."""

from dataclasses import dataclass
from typing import Final

from foundation.database import AnyConnection, Pool, acquire
from settlement.reconciliation.standing import ledger_sum_minor, standing
from softclose.demo.catalogue import CURRENCY

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


async def take_cards(connection: AnyConnection) -> None:
    """The demonstration's own policy, in the caller's transaction."""
    await connection.execute(_CARD_CAP, CARD_CAP_MINOR, CURRENCY)


async def added_up(pool: Pool) -> Settled:
    """All of it, so far."""
    async with acquire(pool) as connection:
        (row,) = await connection.fetch(_SUMS, CURRENCY)
        stands = await standing(connection, CURRENCY)
        off_minor = await ledger_sum_minor(connection, CURRENCY)
    return Settled(
        **row,
        exceptions=stands.exceptions,
        ledger_sum_minor=off_minor,
        stripe_difference_minor=stands.difference_minor,
    )
