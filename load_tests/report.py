"""What a load test found, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure to be drawn; ``ours`` or what it is compared with."""

    label: str
    figure: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one unit."""

    title: str
    unit: str
    bars: Sequence[Bar]
    logarithmic: bool = False


@dataclass(slots=True)
class Report:
    """Figures by name, the unit last in it; ratios; and how far single rounds were apart."""

    title: str
    machine: dict[str, Any]
    figures: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    # The least that a ratio must reach.
    targets: dict[str, float] = field(default_factory=dict)
    # The lowest and the highest of the rounds whose median the figure is.
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    charts: Sequence[Chart] = ()

    def write_json(self, path: Path) -> None:
        """Write what a program reads: machine, figures and ratios, nothing else."""
        found = {"machine": self.machine, "figures": self.figures, "ratios": self.ratios}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")

    def show(self, console: Console) -> None:
        """Print the tables."""
        machine = Table(title=self.title, show_header=False, title_justify="left")
        for name, value in self.machine.items():
            machine.add_row(name, str(value))
        figures = Table("figure", _right("median"), _right("lowest"), _right("highest"))
        for name, number in self.figures.items():
            figures.add_row(name, _plain(number), *map(_plain, self.ranges.get(name, ())))
        ratios = Table("ratio", _right("found"), _right("at least"))
        for name, ratio in self.ratios.items():
            least = self.targets.get(name)
            reached = least is None or ratio >= least
            found = f"{ratio:.2f}" if reached else f"[red]{ratio:.2f}[/red]"
            ratios.add_row(name, found, "" if least is None else f"{least:g}")
        console.print(machine, figures, ratios)


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _plain(number: float) -> str:
    if number >= 1_000:
        return f"{number:,.0f}"
    return f"{number:.3g}"
