"""The ledger's sums by hand, line by line: a model of what is read by SQL."""

from collections.abc import Iterable, Mapping

from settlement.chart import Account, Kind, Side, signed_minor
from settlement.statements import Line, Period, Scope, Totals


def totals_of(lines: Iterable[Line], period: Period, scope: Scope) -> dict[Account, Totals]:
    """What each account of the scope had before the period and got in it; ``lines``: of the scope,
    all until the period's end."""
    totals: dict[Account, Totals] = {}
    for line in lines:
        assert line.at_us < period.to_us
        for account, side in ((line.debit, Side.DEBIT), (line.credit, Side.CREDIT)):
            if scope.accounts is None or account in scope.accounts:
                before = line.at_us < period.from_us
                known = totals.get(account, Totals())
                totals[account] = _with_line(known, side, line.amount_minor, before=before)
    return totals


def closing_minor(account: Account, its: Totals) -> int:
    """What an account has at the end of the period."""
    return signed_minor(
        account,
        its.opening_debits_minor + its.debits_minor,
        its.opening_credits_minor + its.credits_minor,
    )


def trial_balance(totals: Mapping[Account, Totals]) -> dict[Kind, tuple[int, int]]:
    """Each kind's balance at the end of the period, as a debit or a credit; the columns sum alike.

    An account below zero stands on the other side, so that nothing is netted away.
    """
    columns: dict[Kind, tuple[int, int]] = {}
    for account, its in totals.items():
        balance = closing_minor(account, its)
        on_debit = (account.row.side is Side.DEBIT) == (balance > 0)
        debit, credit = columns.get(account.kind, (0, 0))
        if on_debit:
            columns[account.kind] = (debit + abs(balance), credit)
        else:
            columns[account.kind] = (debit, credit + abs(balance))
    ordered = {kind: columns[kind] for kind in Kind if columns.get(kind, (0, 0)) != (0, 0)}
    debits, credits_ = (sum(column[side] for column in ordered.values()) for side in (0, 1))
    assert debits == credits_, "the whole book's debits are its credits"
    return ordered


def _with_line(its: Totals, side: Side, amount_minor: int, *, before: bool) -> Totals:
    debit, credit = (amount_minor, 0) if side is Side.DEBIT else (0, amount_minor)
    if before:
        return Totals(
            its.opening_debits_minor + debit,
            its.opening_credits_minor + credit,
            its.debits_minor,
            its.credits_minor,
        )
    return Totals(
        its.opening_debits_minor,
        its.opening_credits_minor,
        its.debits_minor + debit,
        its.credits_minor + credit,
    )
