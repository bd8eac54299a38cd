"""Statements to sellers and consignors, and the advice of a payout, as PDF."""

from collections.abc import Sequence
from typing import Final

from settlement.papers.contents import (
    ConsignorStatement,
    LiquidatorStatement,
    Moved,
    Outcome,
    PayoutAdvice,
    SoldLot,
)
from settlement.papers.letterhead import Fact
from settlement.papers.pages import Cell, Column, Sheets
from settlement.papers.styles import SMALL
from settlement.papers.words import amount, clock, day, figure, some

OUTCOMES: Final = {
    Outcome.SOLD: "Sold, not released yet",
    Outcome.RELEASED: "Sold",
    Outcome.PASSED: "Passed",
    Outcome.WITHDRAWN: "Withdrawn",
    Outcome.DEFAULTED: "Buyer did not pay",
    Outcome.CANCELLED: "Cancelled",
}

_MOVED: Final = (
    Column("Date", 1.1),
    Column("What", 2.6),
    Column("Reference", 2.8),
    Column("Amount", 1.2, right=True),
)


def _lot_columns(others: str) -> Sequence[Column]:
    return (
        Column("Lot", 0.7),
        Column("Description", 2.6),
        Column("Hammer price", 1.15, right=True),
        Column("Credits", 1.0, right=True),
        Column("Commission", 1.1, right=True),
        Column(others, 1.1, right=True),
        Column("Net", 1.15, right=True),
    )


def liquidator_statement_pdf(content: LiquidatorStatement) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Statement of sale",
        number=content.number,
        made_at_us=content.as_of_us,
        running=content.sale,
    )
    currency = content.currency
    sheets.parties([("Statement for", content.liquidator)])
    released = [lot for lot in content.lots if lot.outcome is Outcome.RELEASED]
    sheets.facts(
        [
            Fact("Sale", content.sale),
            Fact("As of", clock(content.as_of_us, content.zone)),
            Fact("Lots", _outcomes(content.lots)),
            Fact("Net of what is released", amount(_net(released), currency)),
        ],
        columns=4,
    )
    _lots(sheets, f"Released, in {currency}", released, currency, "Consignor")
    waiting = [lot for lot in content.lots if lot.outcome is Outcome.SOLD]
    title = f"Sold and not released yet, expected, in {currency}"
    _lots(sheets, title, waiting, currency, "Consignor")
    _others(sheets, content.lots)
    _moved(sheets, "Paid, kept and charged", content.moved, currency)
    moved_minor = _sum(content.moved)
    rows = [("Net of what is released", figure(_net(released), currency), False)]
    if content.moved:
        rows.append(("Paid, kept and charged", figure(moved_minor, currency), False))
    owed = amount(_net(released) + moved_minor, currency)
    sheets.sums([*rows, ("Still owed to you", owed, True)])
    return sheets.end()


def consignor_statement_pdf(content: ConsignorStatement) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Consignor's statement",
        number=content.number,
        made_at_us=content.as_of_us,
        running=content.month,
    )
    currency = content.currency
    every = [lot for load in content.loads for lot in load.lots]
    released = [lot for lot in every if lot.outcome is not Outcome.SOLD]
    sheets.parties([("Statement for", content.consignor)])
    sheets.facts(
        [
            Fact("Month", content.month),
            Fact("Sold by", content.liquidator),
            Fact("Lots", _outcomes(every)),
            Fact("Net of what is released", amount(_net(released), currency)),
        ]
    )
    for load in content.loads:
        papers = (("PO", load.purchase_order), ("RMA", load.rma))
        said = ", ".join(f"{title} {text}" for title, text in papers if text)
        name = f"Load {load.load}" if load.load else "Without a load number"
        _lots(sheets, f"{name} ({said})" if said else name, load.lots, currency, "Fees", each=True)
    _moved(sheets, "Paid to you, and charged, for these goods", content.moved, currency)
    paid = _sum(content.moved)
    rows = [("Net of what is released", figure(_net(released), currency), False)]
    if paid:
        rows.append(("Paid and charged", figure(paid, currency), False))
    owed = amount(_net(released) + paid, currency)
    sheets.sums([*rows, ("Still owed to you for these goods", owed, True)])
    waiting = [lot for lot in every if lot.outcome is Outcome.SOLD]
    if waiting:
        sheets.text(
            f"Sold and not released yet: {amount(_net(waiting), currency)} expected. It is "
            "released when the buyer has accepted the goods.",
            SMALL,
        )
    return sheets.end()


def payout_advice_pdf(content: PayoutAdvice) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Payout advice",
        number=content.number,
        made_at_us=content.paid_at_us,
        running=content.payee.name,
    )
    currency = content.currency
    sheets.parties([("Paid to", content.payee)])
    sheets.facts(
        [
            Fact("Paid", clock(content.paid_at_us, content.zone)),
            Fact("By", content.way),
            Fact("Amount", amount(content.amount_minor, currency)),
        ],
        columns=3,
    )
    if content.references:
        sheets.listed([Fact("References", ", ".join(content.references))], beside=70)
    _lots(sheets, f"For these lots, in {currency}", content.lots, currency, "Others")
    _moved(sheets, "Kept, charged and carried over", content.moved, currency)
    rows = [("Net of these lots", figure(_net(content.lots), currency), False)]
    rows += [(one.words, figure(one.amount_minor, currency), False) for one in content.moved]
    sheets.sums([*rows, ("Paid out", amount(content.amount_minor, currency), True)])
    return sheets.end()


def _lots(
    sheets: Sheets,
    title: str,
    lots: Sequence[SoldLot],
    currency: str,
    others: str,
    *,
    each: bool = False,
) -> None:
    if not lots:
        return
    sheets.section(title, 70)
    sheets.table(_lot_columns(others))
    for lot in lots:
        outcome = OUTCOMES[lot.outcome] if each else ""
        note = " \u00b7 ".join(filter(None, (outcome, lot.note)))
        sheets.row(
            [
                lot.lot,
                Cell(lot.title, note),
                some(lot.hammer_minor, currency),
                some(-lot.credited_minor, currency),
                some(-lot.commission_minor, currency),
                some(-lot.others_minor, currency),
                figure(lot.net_minor, currency),
            ]
        )
    sheets.total(
        [
            "",
            f"{len(lots):,} lot{'' if len(lots) == 1 else 's'}",
            figure(sum(lot.hammer_minor for lot in lots), currency),
            figure(-sum(lot.credited_minor for lot in lots), currency),
            figure(-sum(lot.commission_minor for lot in lots), currency),
            figure(-sum(lot.others_minor for lot in lots), currency),
            figure(_net(lots), currency),
        ]
    )
    sheets.end_table(4)


def _others(sheets: Sheets, lots: Sequence[SoldLot]) -> None:
    shown = [lot for lot in lots if lot.outcome not in (Outcome.SOLD, Outcome.RELEASED)]
    if not shown:
        return
    sheets.section("Not sold, not paid, taken back", 50)
    sheets.table((Column("Lot", 0.7), Column("Description", 4.2), Column("What became of it", 3)))
    for lot in shown:
        said = OUTCOMES[lot.outcome]
        sheets.row([lot.lot, lot.title, Cell(said, lot.note)])
    sheets.end_table(4)


def _moved(sheets: Sheets, title: str, moved: Sequence[Moved], currency: str) -> None:
    if not moved:
        return
    sheets.section(title, 60)
    sheets.table(_MOVED)
    for one in moved:
        shown = figure(one.amount_minor, currency)
        sheets.row([day(one.at_us, "UTC"), one.words, one.reference, shown])
    sheets.total(["", "", "", figure(_sum(moved), currency)])
    sheets.end_table(4)


def _net(lots: Sequence[SoldLot]) -> int:
    return sum(lot.net_minor for lot in lots)


def _sum(moved: Sequence[Moved]) -> int:
    return sum(one.amount_minor for one in moved)


def _outcomes(lots: Sequence[SoldLot]) -> str:
    """``3 sold, 1 passed``."""
    sold = sum(lot.outcome in (Outcome.SOLD, Outcome.RELEASED) for lot in lots)
    counted = [(sold, "sold")]
    counted += [
        (sum(lot.outcome is outcome for lot in lots), words)
        for outcome, words in (
            (Outcome.PASSED, "passed"),
            (Outcome.DEFAULTED, "defaulted"),
            (Outcome.CANCELLED, "cancelled"),
            (Outcome.WITHDRAWN, "withdrawn"),
        )
    ]
    return ", ".join(f"{count:,} {words}" for count, words in counted if count) or "None"
