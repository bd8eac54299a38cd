"""What must hold at any time of a life, looked at after each process; by rules of its own.

The books never say what the provider's do not; nothing is sent while a bank decides, before the
buyer had its days, or to an account that was changed a moment ago; what is given up can be paid no
more; no lot counts as paid without its money; and a payout takes what the house has earned.
"""

from typing import Any, Final

from foundation.database import acquire
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.rows import Held, read_invoice
from tests.books import balances_of
from tests.crash_points.world import World

HOUR_S: Final = 3_600
# The buyer's days to claim are two of business; what is told to nobody is found in an hour.
CLAIMS_S: Final = 48 * HOUR_S
FROZEN_S: Final = 48 * HOUR_S
HEARD_S: Final = 2 * HOUR_S
_ENDED: Final = ("succeeded", "canceled")
_EARNED: Final = (
    "commission_income", "premium_income", "forfeits", "storage_income", "cancellation_fees",
)  # fmt: skip
_SPENT: Final = ("stripe_fees", "dispute_fees", "bad_debt")
# A payout is booked when it is asked for, and taken back where Stripe refuses it.
_BOOKED: Final = """
select purpose, t.stripe_ids, sum(case when d.name = 'stripe_balance' then amount_minor
    when c.name = 'stripe_balance' then -amount_minor else 0 end)::bigint as change
from ledger_transaction t join ledger_transfer using (transaction_id)
join ledger_account d on d.account_id = debit_account_id
join ledger_account c on c.account_id = credit_account_id
where 'stripe_balance' in (d.name, c.name) and purpose <> 'payout' and reverses is null
group by t.transaction_id, purpose, t.stripe_ids
"""


class Watch:
    """``found``: what was wrong, each once. Who plays the life says when what happened to it."""

    def __init__(self, world: World, invoice_id: InvoiceId, customer: StripeId) -> None:
        self._world, self._invoice_id, self._customer = world, invoice_id, str(customer)
        self.handed_over_s: int | None = None
        self.changed_s: list[int] = []
        self.found: dict[str, None] = {}
        # What went before is not this life's: what was earned then may be lost by now.
        self._payouts = self._payouts_minor()

    async def look(self) -> None:
        """How it stands now."""
        async with acquire(self._world.people.pool) as connection:
            held = await read_invoice(connection, self._invoice_id)
            balances = await balances_of(connection)
        rows = await self._world.rows(_BOOKED)
        wrong = [*self._booked(rows), *self._given_up(held), *self._funded(held)]
        wrong += [*self._sent(held), *self._paid_out(balances)]
        self.found |= dict.fromkeys(wrong)

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        return list(self._world.engine.store.oldest_first(kind))

    def _of_customer(self, kind: str) -> list[dict[str, Any]]:
        return [row for row in self._rows(kind) if row.get("customer") == self._customer]

    def _booked(self, rows: list[dict[str, Any]]) -> list[str]:
        """What the books say of Stripe's balance is what Stripe's own books say of it."""
        nets = {row["id"]: row["net"] for row in self._rows("balance_transaction")}
        booked: dict[str, int] = {}
        wrong = []
        for row in rows:
            names = [name for name in row["stripe_ids"] if name in nets]
            if len(names) != 1:
                wrong.append(f"{row['purpose']} of {row['change']} is of no row of Stripe's")
                continue
            booked[names[0]] = booked.get(names[0], 0) + row["change"]
        off = {name: minor for name, minor in booked.items() if minor != nets[name]}
        return wrong + [f"{nets[name]} came, {minor} is booked" for name, minor in off.items()]

    def _given_up(self, held: Held) -> list[str]:
        if held.invoiced.payment is not PaymentState.DEFAULTED:
            return []
        intents = self._of_customer("payment_intent")
        open_ = [row for row in intents if row["status"] not in _ENDED]
        return [f"the lots are void, and a payment is still {row['status']}" for row in open_]

    def _funded(self, held: Held) -> list[str]:
        """What was paid for, by what was ever captured."""
        lines = {line.award_id: line.total_minor for line in held.invoiced.invoice.lines}
        paid = sum(
            lines[award_id]
            for award_id, row in held.awards.items()
            if row.state is not AwardState.VOID and row.funded_at_us is not None
        )
        got = sum(row["amount_captured"] for row in self._of_customer("charge") if row["captured"])
        return [f"lots of {paid} count as paid, {got} was captured"] if paid > got else []

    def _sent(self, held: Held) -> list[str]:
        names = {str(award_id) for award_id in held.awards}
        wrong = []
        for row in self._rows("transfer"):
            if (row.get("metadata") or {}).get("award") in names:
                wrong += self._too_early(row["created"])
        return wrong

    def _too_early(self, at_s: int) -> list[str]:
        wrong = []
        charges = {row["id"] for row in self._of_customer("charge")}
        for row in self._rows("dispute"):
            if row["charge"] not in charges or at_s < row["created"] + HEARD_S:
                continue
            nets = [each["amount"] for each in row["balance_transactions"]]
            if not any(net < 0 for net in nets):
                continue  # the bank only asks
            back = [each for each in row["balance_transactions"] if each["amount"] > 0]
            if not back or at_s < back[0]["created"]:
                wrong.append("a lot's money was sent while the buyer's bank had it back")
        if self.handed_over_s is not None and at_s < self.handed_over_s + CLAIMS_S:
            wrong.append("a lot's money was sent before the buyer's days to claim were over")
        if any(changed <= at_s < changed + FROZEN_S for changed in self.changed_s):
            wrong.append("a lot's money was sent to an account that was changed just now")
        return wrong

    def _payouts_minor(self) -> int:
        """What the house was paid out, and nobody sent back."""
        rows = [row for row in self._rows("payout") if row["status"] not in ("failed", "canceled")]
        return sum(row["amount"] for row in rows if row.get("metadata", {}).get("payout"))

    def _paid_out(self, balances: dict[str, int]) -> list[str]:
        """Looked at when a payout is new: what comes later makes it no worse."""
        sum_minor, before_minor = self._payouts_minor(), self._payouts
        self._payouts = sum_minor
        if sum_minor <= before_minor:
            return []
        earned = sum(balances.get(name, 0) for name in _EARNED)
        earned -= sum(balances.get(name, 0) for name in _SPENT)
        if sum_minor <= earned + self._world.for_files_minor:
            return []
        return [f"{sum_minor} was paid out to the house, which has earned {earned}"]
