"""Budgets: what a reseller allows itself in one sale. The engine keeps them; nobody else sees them.

A budget looks at what the bidder leads or has won, paid or not, each lot all-in at the maximum
that leads it, or at the hammer price. A lot counts for the person who made the bid that stands
for the bidder on it: whoever raises a team's maximum takes the whole lot over.

A ``Tally`` holds what each budget has come to, so that a bid looks at its budgets and not at the
bidder's other lots.
"""

from typing import Annotated

from msgspec import Meta, Struct

from auction.ids import ALotId, APersonId, LotId, PersonId
from auction.money import Minor, format_minor
from auction.terms import STORABLE

# A team's ceilings and what it sets besides. Each budget that is no ceiling is looked at by every
# bid of the bidder, at 0.5 us.
MAX_BUDGETS = 64
# Lots named by one bidder's budgets, in all: they are one event of the log, a few kilobytes.
MAX_BUDGET_LOTS = 500

BudgetName = Annotated[str, Meta(min_length=1, max_length=60, pattern=STORABLE)]
BudgetLots = Annotated[tuple[ALotId, ...], Meta(min_length=1, max_length=MAX_BUDGET_LOTS)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class _Budget(
    Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True, gc=False
):
    """``name`` is the bidder's own and tells its budgets apart."""

    name: BudgetName


class LotCountBudget(_Budget, tag="LOT_COUNT", frozen=True, kw_only=True, gc=False):
    """At most ``at_most`` lots led or won, of these; ``lots`` null: of the whole sale."""

    at_most: Count
    lots: BudgetLots | None = None


class AllInBudget(_Budget, tag="ALL_IN", frozen=True, kw_only=True, gc=False):
    """At most this much all-in for what is led and won of these lots; null: of the whole sale."""

    at_most_minor: Minor
    lots: BudgetLots | None = None


class PersonCeiling(_Budget, tag="PERSON_CEILING", frozen=True, kw_only=True, gc=False):
    """At most this much all-in for what one person of the team leads and has won."""

    person_id: APersonId
    at_most_minor: Minor


Budget = LotCountBudget | AllInBudget | PersonCeiling
Budgets = Annotated[tuple[Budget, ...], Meta(max_length=MAX_BUDGETS)]


def budgets_fault(budgets: tuple[Budget, ...]) -> str | None:
    """What makes these budgets unusable together; ``None`` when nothing does."""
    names = [budget.name for budget in budgets]
    if len(set(names)) < len(names):
        return "budgets: each needs a name of its own"
    people = [budget.person_id for budget in budgets if isinstance(budget, PersonCeiling)]
    if len(set(people)) < len(people):
        return "budgets: a person has one ceiling"
    if sum(len(lots_of(budget) or ()) for budget in budgets) > MAX_BUDGET_LOTS:
        return f"budgets: they name more than {MAX_BUDGET_LOTS} lots"
    return None


def lots_of(budget: Budget) -> tuple[LotId, ...] | None:
    """The lots that a budget is about; ``None``: all of the sale."""
    return None if isinstance(budget, PersonCeiling) else budget.lots


class Stake(Struct, frozen=True, gc=False):
    """A lot that is led or won: what it comes to all-in, and for whom of the team."""

    minor: int
    person_id: PersonId | None


class Line(Struct):
    """A budget with what it has come to: lots, or minor units."""

    at_most: int
    counts_lots: bool = False
    lots: frozenset[LotId] | None = None
    used: int = 0

    def share(self, lot_id: LotId, stake: Stake | None) -> int:
        """How much of the budget a stake takes, if it is for its person."""
        if stake is None or (self.lots is not None and lot_id not in self.lots):
            return 0
        return 1 if self.counts_lots else stake.minor


class Passed(Struct, frozen=True, gc=False):
    """A budget that would be passed, and what it would come to."""

    budget: Budget
    at_most: int
    would_be: int

    def message(self, currency: str) -> str:
        """For the bidder, whose own the budget is."""
        name = self.budget.name
        if isinstance(self.budget, LotCountBudget):
            lots = "1 lot" if self.at_most == 1 else f"{self.at_most} lots"
            return f'your budget "{name}" is {lots}, led or won; this would make {self.would_be}'
        kind = "ceiling" if isinstance(self.budget, PersonCeiling) else "budget"
        at_most, would_be = (format_minor(m, currency) for m in (self.at_most, self.would_be))
        return f'your {kind} "{name}" is {at_most} all-in; this would bring it to {would_be}'


class Tally(Struct):
    """The budgets of a bidder with their lines, and the lots that it leads or has won.

    A lot touches every line but those of other people's ceilings.
    """

    budgets: tuple[Budget, ...]
    lines: list[Line]
    ceilings: dict[PersonId, int]  # which of the lines is whose
    anybodys: list[int]  # which are not ceilings
    stakes: dict[LotId, Stake]

    def hold(self, lot_id: LotId, stake: Stake | None) -> None:
        """The lot is led or won at this, or (``None``) no longer."""
        before = self.stakes.pop(lot_id, None)
        if before is not None:
            for number in self._touched(before):
                line = self.lines[number]
                line.used -= line.share(lot_id, before)
        if stake is not None:
            self.stakes[lot_id] = stake
            for number in self._touched(stake):
                line = self.lines[number]
                line.used += line.share(lot_id, stake)

    def passed_by(self, lot_id: LotId, stake: Stake) -> Passed | None:
        """The first budget that this lot, led or won at this, would bring above its measure.

        A ceiling comes last. Also one that was lowered since, and is above it already: what
        stands there stands, and nothing is added. A lot that a budget is not about does not
        touch it.
        """
        before = self.stakes.get(lot_id)
        touched_before = () if before is None else self._touched(before)
        for number in self._touched(stake):
            line = self.lines[number]
            share = line.share(lot_id, stake)
            would_be = line.used + share
            if number in touched_before:
                would_be -= line.share(lot_id, before)
            if share and would_be > line.at_most:
                return Passed(self.budgets[number], line.at_most, would_be)
        return None

    def _touched(self, stake: Stake) -> list[int]:
        ceiling = None if stake.person_id is None else self.ceilings.get(stake.person_id)
        return self.anybodys if ceiling is None else [*self.anybodys, ceiling]


def tally_of(budgets: tuple[Budget, ...], stakes: dict[LotId, Stake]) -> Tally | None:
    """The budgets with what they have come to; ``None`` for none."""
    if not budgets:
        return None
    tally = Tally(budgets, [_line(budget) for budget in budgets], {}, [], {})
    for number, budget in enumerate(budgets):
        if isinstance(budget, PersonCeiling):
            tally.ceilings[budget.person_id] = number
        else:
            tally.anybodys.append(number)
    for lot_id, stake in stakes.items():
        tally.hold(lot_id, stake)
    return tally


def _line(budget: Budget) -> Line:
    lots = lots_of(budget)
    return Line(
        at_most=budget.at_most if isinstance(budget, LotCountBudget) else budget.at_most_minor,
        counts_lots=isinstance(budget, LotCountBudget),
        lots=None if lots is None else frozenset(lots),
    )
