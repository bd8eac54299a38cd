"""An imported manifest for a person at a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from auction.catalog.goods import Condition
from auction.catalog.importing.faults import Problem
from auction.catalog.importing.results import Manifest
from auction.money import format_minor

# Problems that a screen shows; --json has them all.
SHOWN = 40
SHOWN_CATEGORIES = 12


def show_manifest(manifest: Manifest, console: Console) -> None:
    """Columns, sums, mixes, and what is wrong."""
    console.print(_columns(manifest))
    if manifest.head.unused:
        console.print(f"not used: {escape(', '.join(manifest.head.unused))}", style="dim")
    if manifest.head.sums.lines:
        console.print(_mixes(manifest))
    for note in manifest.head.notes:
        console.print(f"· {escape(note)}", style="dim")
    _problems(console, "warning", "yellow", manifest.warnings, manifest.head.warning_count)
    _problems(console, "error", "red", manifest.errors, manifest.head.error_count)
    console.print(_verdict(manifest), style="bold")


def _columns(manifest: Manifest) -> Table:
    table = Table("field", "column", "sure", title=_title(manifest), title_justify="left")
    for column in manifest.head.columns:
        sure = "corrected" if column.corrected else f"{column.confidence:.0%}"
        table.add_row(column.field, escape(column.header), sure)
    return table


def _title(manifest: Manifest) -> str:
    head = manifest.head
    sheets = f", sheet {', '.join(head.sheets)}" if head.sheets else ""
    return escape(f"{head.kind.upper()}{sheets}, header on line {head.header_line}")


def _mixes(manifest: Manifest) -> Table:
    table = Table("", "lines", "units", "MSRP", title_justify="left")
    for number, (category, come_to) in enumerate(manifest.categories.items()):
        if number < SHOWN_CATEGORIES:
            said = format_minor(come_to.retail_minor, manifest.head.currency)
            name = escape(category or "no category")
            table.add_row(name, f"{come_to.lines:,}", f"{come_to.units:,}", said)
    table.add_section()
    for condition, lines in manifest.conditions.items():
        table.add_row(Condition(condition).on_pages, f"{lines:,}", "", "")
    return table


def _problems(
    console: Console, what: str, style: str, problems: Sequence[Problem], count: int
) -> None:
    for problem in problems[:SHOWN]:
        place = f"{problem.sheet}:{problem.line}" if problem.sheet else f"line {problem.line}"
        column = f", {problem.column}" if problem.column else ""
        console.print(f"{what}: {escape(f'{place}{column}: {problem.message}')}", style=style)
    if count > SHOWN:
        console.print(f"and {count - min(SHOWN, len(problems)):,} more {what}s", style=style)


def _verdict(manifest: Manifest) -> str:
    head = manifest.head
    if not manifest.importable:
        return (
            f"not importable: {head.error_count:,} errors on {head.faulty_lines:,} lines, "
            f"{head.sums.lines:,} lines without, {head.warning_count:,} warnings"
        )
    retail = format_minor(head.sums.retail_minor, head.currency)
    lowest = head.sums.lowest_condition
    assert lowest is not None, "what is importable has lines"
    return (
        f"{len(manifest.lines):,} lines, {head.sums.units:,} units, {retail} {head.currency}, "
        f"{head.sums.gtins_valid:,} GTINs, lowest condition {lowest.on_pages}, "
        f"{head.warning_count:,} warnings"
    )
