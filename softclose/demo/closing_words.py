"""The last page of the demonstration: what was sold, what was proven, what to try next."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from softclose.demo.catalogue import Catalogue
from softclose.demo.results import LotResult, Results
from softclose.demo.words import PASSED, dollars, percent


@dataclass(frozen=True)
class Course:
    """How the sale went, as those who took part know."""

    acknowledged: int
    refused: int
    first_bid_s: float | None  # from the start of the process
    took_s: float
    interrupted: bool


def show_results(console: Console, catalogue: Catalogue, results: Results, course: Course) -> None:
    """The table of the lots, and the figures under it."""
    console.print()
    console.print(_table(catalogue, results))
    console.print()
    for text in _figures(catalogue, results, course):
        console.print(Text(text))


def _table(catalogue: Catalogue, results: Results) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Lot", justify="right")
    table.add_column("Goods", no_wrap=True, overflow="ellipsis")
    table.add_column("Result", no_wrap=True)
    table.add_column("Price", justify="right", no_wrap=True)
    table.add_column("of MSRP", justify="right", no_wrap=True)
    table.add_column("Bids", justify="right", no_wrap=True)
    table.add_column("Ext", justify="right", no_wrap=True)
    for lot_id, lot in results.lots.items():
        price = lot.price_minor
        table.add_row(
            lot_id,
            lot.title,
            _result(lot),
            "-" if price is None else dollars(price),
            "-" if price is None else percent(price, catalogue.goods[lot_id].msrp_minor),
            str(lot.bids),
            str(lot.extensions or "-"),
        )
    return table


def _result(lot: LotResult) -> Text:
    if lot.winner is not None:
        return Text(f"SOLD to {lot.winner}", "green")
    if lot.passed is not None:
        return Text(PASSED[lot.passed], "red")
    return Text("still open", "yellow")


def _figures(catalogue: Catalogue, results: Results, course: Course) -> list[str]:
    goods = catalogue.goods
    sold = [(lot.price_minor or 0, goods[id_]) for id_, lot in results.lots.items() if lot.winner]
    total, msrp = sum(price for price, _ in sold), sum(part.msrp_minor for _, part in sold)
    recovered = f" for {dollars(total)}, {percent(total, msrp)} of their MSRP" if sold else ""
    open_ = len(results.lots) - len(results.sold) - len(results.passed)
    still = f", {open_} still open: you ended the sale" if course.interrupted else ""
    chain = "every hash is right" if results.chain_ok else "IT IS BROKEN"
    lines = [
        f"{len(results.lots)} lots: {len(results.sold)} sold{recovered}, "
        f"{len(results.passed)} not sold{still}.",
        f"{results.extensions} times a bid in the last minute moved an end.",
        f"{course.acknowledged} bids were accepted, {results.bids} are in the log"
        f" ({results.private} of them private); {course.refused} were refused.",
        f"Hash chain of the {results.events} public events, computed again from the log: {chain}.",
    ]
    if course.first_bid_s is not None:
        lines.append(
            f"The first bid was durable {course.first_bid_s:.1f} s after the start; "
            f"the sale took {course.took_s:.0f} s."
        )
    return lines


def show_next_steps(console: Console, catalogue: Catalogue, kept: Path | None) -> None:
    """What a newcomer may try next."""
    steps = [
        ("./run demo --seed 8", "another sale"),
        ("./run demo --fast --json -", "the same in seconds, for programs"),
    ]
    if kept is None:
        steps.append(("./run demo --data out/demo", "keep the sale to look into its log"))
    else:
        steps.append((f"./run --data {kept} log show {catalogue.sale_id}", "its events"))
        steps.append((f"./run --data {kept} log verify", "its proof"))
    steps += [("./run serve", "the engine itself"), ("./run --help", "everything else")]
    console.print()
    console.print(Text("Try next", "bold"))
    width = max(len(command) for command, _ in steps)
    for command, meaning in steps:
        console.print(Text(f"  {command:<{width}}   {meaning}"), soft_wrap=True)
