"""Rows of sums, compared with the lines above them."""

from collections.abc import Sequence

from auction.catalog.goods import ManifestLine
from auction.catalog.importing.amounts import BadAmount
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.faults import Problems
from auction.catalog.importing.money import Money
from auction.catalog.importing.pricing import quantity_in
from auction.catalog.importing.rows import Sorted, Total, is_mean_label
from auction.catalog.importing.vocabulary import Field
from auction.money import format_minor

Lines = Sequence[tuple[int, ManifestLine | None]]


def compare_totals(
    found: Sorted, lines: Lines, columns: Columns, money: Money, problems: Problems
) -> None:
    """Note each sum that agrees, and warn of each that does not.

    A sum may be of all lines above it or of those since the sum before. Where a line had an error
    the sums say nothing.
    """
    before = 0
    for total in found.totals:
        above = [line for _, line in lines[: total.after]]
        since = [line for _, line in lines[before : total.after]]
        before = total.after
        if is_mean_label(total.label) or not above or None in above:
            continue
        sums = [[line for line in part if line is not None] for part in (since, above) if part]
        _compare_units(total, sums, columns, money, problems)
        _compare_money(total, sums, columns, money, problems)


def _compare_units(
    total: Total,
    sums: Sequence[Sequence[ManifestLine]],
    columns: Columns,
    money: Money,
    problems: Problems,
) -> None:
    column = columns.get(Field.QUANTITY)
    if column is None:
        return
    try:
        said = quantity_in(total.row.at(column.index), money.pieces)
    except BadAmount:
        return
    come_to = [sum(line.quantity for line in part) for part in sums]
    if said in come_to or said in [len(part) for part in sums]:
        problems.note(f"line {total.row.line}: the sum of {said:,} pieces agrees with the lines")
        return
    message = f"the sum says {said:,} pieces, and the lines come to {come_to[-1]:,}"
    problems.warning(total.row.line, column.header, "total_differs", message)


def _compare_money(
    total: Total,
    sums: Sequence[Sequence[ManifestLine]],
    columns: Columns,
    money: Money,
    problems: Problems,
) -> None:
    field = Field.EXTENDED_MSRP if Field.EXTENDED_MSRP in columns else Field.UNIT_MSRP
    try:
        amount = money.read(total.row, columns, field)
        said = None if amount is None else money.minor(amount)[0]
    except BadAmount:
        return
    if said is None:
        return
    come_to = [sum(line.extended_msrp_minor for line in part) for part in sums]
    units = [sum(line.unit_msrp_minor for line in part) for part in sums]
    close = max(1, len(sums[-1]) // 2)  # each line of the file may have been rounded
    agreeing = come_to + (units if field is Field.UNIT_MSRP else [])
    shown = format_minor(said, money.currency)
    if any(abs(said - value) <= close for value in agreeing):
        problems.note(f"line {total.row.line}: the sum of {shown} agrees with the lines")
        return
    message = (
        f"the sum says {shown}, and the lines come to {format_minor(come_to[-1], money.currency)}"
    )
    problems.warning(total.row.line, columns[field].header, "total_differs", message)
