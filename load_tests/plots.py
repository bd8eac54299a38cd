"""A report's charts as one picture."""

from pathlib import Path
from typing import Any

from load_tests.report import Chart, Report

# One colour for what is ours, one for what it is compared with; apart for the colour-blind too.
OURS, OTHERS = "#0b5fa5", "#c9c4bb"
WIDTH_IN, ROW_IN = 9.0, 0.42


def draw(report: Report, path: Path) -> None:
    """Draw the charts to a file, whose name says whether it is a PNG or an SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "softclose"  # the same picture for the same figures
    from matplotlib.figure import Figure

    heights = [len(chart.bars) * ROW_IN + 1.0 for chart in report.charts]
    figure = Figure(figsize=(WIDTH_IN, sum(heights)), layout="constrained")
    axes = figure.subplots(len(report.charts), 1, squeeze=False, height_ratios=heights)
    for chart, (axis,) in zip(report.charts, axes, strict=True):
        _bars(axis, chart, report)
    machine = report.machine
    figure.suptitle(f"{report.title}\n{machine['cpu']}, {machine['cores_used']} cores", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=144)


def _bars(axis: Any, chart: Chart, report: Report) -> None:
    bars = chart.bars[::-1]  # the first on top
    for row, bar in enumerate(bars):
        value = report.figures[bar.figure]
        low, high = report.ranges.get(bar.figure, (value, value))
        axis.barh(
            row,
            value,
            xerr=[[max(0.0, value - low)], [max(0.0, high - value)]],
            color=OURS if bar.ours else OTHERS,
            error_kw={"elinewidth": 1, "capsize": 2},
        )
        text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        axis.annotate(f" {text}", (high, row), va="center", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axis.set_title(f"{chart.title} ({chart.unit})", fontsize=9, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.12)
    if chart.logarithmic:
        axis.set_xscale("log")
