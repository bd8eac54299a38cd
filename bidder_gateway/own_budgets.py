"""Budgets that a reseller sets for itself in a sale: asked for here, kept by the engine.

The engine is told by the `registrar`, together with the ceilings of the team's people. Nobody
but the reseller sees them, so the table forgets them as soon as the engine has them.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.clock import Clock
from accounts.identity import Identity
from accounts.ids import OrganisationId
from auction.budgets import (
    MAX_BUDGETS,
    AllInBudget,
    Budget,
    LotCountBudget,
    budgets_fault,
    lots_of,
)
from auction.ids import BidderId, SaleId
from bidder_gateway.folds import Folds, registration_in
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.registration_rows import make_due
from bidder_gateway.registrations import Registrations
from bidder_gateway.telling import own_budgets
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.reading import Input

# Room for the ceilings of people beside them.
MAX_OWN: int = MAX_BUDGETS // 2

OwnBudget = LotCountBudget | AllInBudget


class BudgetsAsked(Input):
    """All budgets of the reseller in the sale, in place of those before; none: empty."""

    budgets: Annotated[tuple[OwnBudget, ...], Meta(max_length=MAX_OWN)]


class BudgetUse(Struct, frozen=True, kw_only=True):
    """A budget that the engine keeps, and what it has come to: lots, or minor units all-in.

    Kinds: LOT_COUNT and ALL_IN are the reseller's own, PERSON_CEILING comes from the team.
    """

    budget: Budget
    used: int


class BudgetsPage(Struct, frozen=True, kw_only=True):
    """The budgets as they were asked for, and as the engine keeps them.

    ``settled``: the engine has been told; ``code`` and ``message`` are its answer.
    """

    sale_id: SaleId
    currency: str
    asked: Sequence[OwnBudget]
    settled: bool
    code: str | None
    message: str | None
    kept: Sequence[BudgetUse]


_READ = """
select budgets::text as budgets, budgets_code, budgets_message, revision = settled as settled,
    currency
from registration join sale_board using (sale_id)
where organisation_id = $1 and sale_id = $2
"""

_HOLD = """
select closed_at_us is not null as closed from registration join sale_board using (sale_id)
where organisation_id = $1 and sale_id = $2 for update of registration
"""

_SET = """
update registration set budgets = $3::jsonb, budgets_by = $4
where organisation_id = $1 and sale_id = $2
"""

_UNKNOWN_LOTS = """
select lot_id from unnest($2::text[]) as asked (lot_id)
where not exists (
    select from lot_rules where sale_id = $1 and lot_rules.lot_id = asked.lot_id
)
"""


class OwnBudgets:
    """Sets and shows budgets."""

    def __init__(
        self, pool: Pool, registrations: Registrations, folds: Folds, clock: Clock
    ) -> None:
        self._pool, self._registrations = pool, registrations
        self._folds, self._clock = folds, clock

    async def of_sale(self, organisation_id: OrganisationId, sale_id: SaleId) -> BudgetsPage | None:
        """The reseller's budgets in a sale; ``None``: it is not registered there."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_READ, organisation_id, sale_id)
        if row is None:
            return None
        inside = await registration_in(self._folds, sale_id, BidderId(organisation_id))
        tally = None if inside is None else inside.tally
        kept = [] if tally is None else list(zip(tally.budgets, tally.lines, strict=True))
        asked = own_budgets(budget for budget, _ in kept)
        if row["budgets"] is not None:
            asked = msgspec.json.decode(row["budgets"], type=tuple[OwnBudget, ...])
        return BudgetsPage(
            sale_id=sale_id,
            currency=row["currency"],
            asked=asked,
            settled=row["settled"],
            code=row["budgets_code"],
            message=row["budgets_message"],
            kept=[BudgetUse(budget=budget, used=line.used) for budget, line in kept],
        )

    async def set(
        self, identity: Identity, sale_id: SaleId, asked: BudgetsAsked, address: str
    ) -> BudgetsPage:
        """Ask for these budgets, in place of all before.

        Raises `Refused`: NOT_REGISTERED, SALE_CLOSED, BUDGETS_UNUSABLE.
        """
        budgets, key = asked.budgets, (identity.organisation_id, sale_id)
        fault = budgets_fault(budgets)
        if fault is not None:
            raise Refused(Refusal.BUDGETS_UNUSABLE, field="budgets", detail=fault)
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(_HOLD, *key)
            if row is None:
                raise Refused(Refusal.NOT_REGISTERED)
            if row["closed"]:
                raise Refused(Refusal.SALE_CLOSED)
            await _refuse_unknown_lots(connection, sale_id, budgets)
            text = msgspec.json.encode(budgets).decode()
            await connection.execute(_SET, *key, text, identity.person_id)
            await make_due(connection, *key)
            await record(
                connection,
                Act.BUDGETS_SET,
                Actor(identity.person_id, address),
                self._clock(),
                organisation_id=identity.organisation_id,
                object_id=sale_id,
                count=len(budgets),  # what they are is the reseller's own
            )
        await self._registrations.answered(*key)
        page = await self.of_sale(*key)
        assert page is not None, "a registration stays"
        return page


async def _refuse_unknown_lots(
    connection: AnyConnection, sale_id: SaleId, budgets: Sequence[OwnBudget]
) -> None:
    named = sorted({lot_id for budget in budgets for lot_id in lots_of(budget) or ()})
    unknown = await connection.fetchval(_UNKNOWN_LOTS, sale_id, named)
    if unknown is not None:
        detail = f"budgets: there is no lot {unknown} in this sale"
        raise Refused(Refusal.BUDGETS_UNUSABLE, field="budgets", detail=detail)
