"""The last page of the demonstration: what was sold, what was proven, what to try next."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from auction.ids import Paddle
from softclose.demo.catalogue import Catalogue
from softclose.demo.results import LotResult, Results
from softclose.demo.settled import Settled
from softclose.demo.words import PASSED, dollars, percent


@dataclass(frozen=True)
class Course:
    """How the sale went, as those who took part know."""

    acknowledged: int
    refused: int
    first_bid_s: float | None  # from the start of the process
    took_s: float
    interrupted: bool
    names: Mapping[Paddle, str]  # who was behind each number: the liquidator learns it


def show_results(console: Console, catalogue: Catalogue, results: Results, course: Course) -> None:
    """The table of the lots, and the figures under it."""
    console.print()
    console.print(_table(catalogue, results, course))
    console.print()
    for text in _figures(catalogue, results, course):
        console.print(Text(text))


def _table(catalogue: Catalogue, results: Results, course: Course) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("Lot", justify="right")
    table.add_column("Goods", no_wrap=True, overflow="ellipsis")
    table.add_column("Sold to", no_wrap=True)
    table.add_column("Price", justify="right", no_wrap=True)
    table.add_column("of MSRP", justify="right", no_wrap=True)
    table.add_column("Bids", justify="right", no_wrap=True)
    table.add_column("Ext", justify="right", no_wrap=True)
    for lot_id, lot in results.lots.items():
        price = lot.price_minor
        table.add_row(
            lot_id,
            lot.title,
            _result(lot, course.names),
            "-" if price is None else dollars(price),
            "-" if price is None else percent(price, catalogue.goods[lot_id].msrp_minor),
            str(lot.bids),
            str(lot.extensions or "-"),
        )
    return table


def _result(lot: LotResult, names: Mapping[Paddle, str]) -> Text:
    if lot.winner is not None:
        return Text(f"{lot.winner} {names[lot.winner]}", "green")
    if lot.passed is not None:
        return Text(f"nobody: {PASSED[lot.passed]}", "red")
    return Text("still open", "yellow")


def _figures(catalogue: Catalogue, results: Results, course: Course) -> list[str]:
    goods = catalogue.goods
    sold = [(lot.price_minor or 0, goods[id_]) for id_, lot in results.lots.items() if lot.winner]
    total, msrp = sum(price for price, _ in sold), sum(part.msrp_minor for _, part in sold)
    recovered = f" for {dollars(total)}, {percent(total, msrp)} of their MSRP" if sold else ""
    open_ = len(results.lots) - len(results.sold) - len(results.passed)
    still = f", {open_} still open when you ended it" if course.interrupted else ""
    sound = "sound" if results.chain_ok else "NOT SOUND"
    lines = [
        f"{len(results.lots)} lots: {len(results.sold)} sold{recovered}, "
        f"{len(results.passed)} not sold{still}.",
        f"{results.extensions} times a bid in the last minute moved an end.",
        f"{course.acknowledged} bids were accepted, {results.bids} are in the log"
        f" ({results.private} of them private); {course.refused} were refused.",
        f"{results.events} events checked, hashes, prices and ends computed anew: {sound}.",
    ]
    if course.first_bid_s is not None:
        lines.append(
            f"The first bid was durable {course.first_bid_s:.1f} s after the start; "
            f"the sale took {course.took_s:.0f} s."
        )
    return lines


def show_settled(console: Console, settled: Settled) -> None:
    """What followed the hammer, and whether the books balance."""
    balance = "The books balance" if settled.balanced else "THE BOOKS DO NOT BALANCE"
    lines = [
        f"{_many(settled.awards, 'award')} on {_many(settled.invoices, 'invoice')}: "
        f"{settled.by_card} paid by card, {settled.by_bank} by bank, "
        f"{dollars(settled.captured_minor)} in all.",
        f"{_unpaid(settled)}{_many(settled.claims, 'claim')} credited.",
        f"The seller was sent {dollars(settled.paid_out_minor)} once the goods were accepted.",
        f"{balance}: {_many(settled.entries, 'entry', 'entries')} sum to "
        f"{dollars(settled.ledger_sum_minor)}, {dollars(settled.stripe_difference_minor)} apart "
        f"from Stripe's; {_many(settled.exceptions + settled.held, 'exception')}.",
    ]
    console.print()
    for line in lines:
        console.print(Text(line))


def _unpaid(settled: Settled) -> str:
    if not settled.defaults:
        return ""
    lots = _many(settled.defaults, "lot")
    return f"{lots} not paid, {settled.runners_up} taken by a runner-up; "


def _many(count: int, one: str, more: str = "") -> str:
    """``1 lot``, ``2 lots``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def show_next_steps(console: Console, catalogue: Catalogue, kept: Path | None) -> None:
    """What a newcomer may try next."""
    steps = [
        ("./run demo --seed 8", "another sale"),
        ("./run demo --fast --json -", "the same in seconds, for programs"),
    ]
    if kept is None:
        steps.append(("./run demo --data out/demo", "keep the sale to look into its log"))
    else:
        steps.append((f"./run --data {kept} log show", "every event; maxima stay hidden"))
        steps.append((f"./run --data {kept} log verify", "check it from end to end"))
    steps += [("./run serve", "the engine itself"), ("./run --help", "everything else")]
    console.print()
    console.print(Text("Try next", "bold"))
    width = max(len(command) for command, _ in steps)
    for command, meaning in steps:
        console.print(Text(f"  {command:<{width}}   {meaning}"), soft_wrap=True)
