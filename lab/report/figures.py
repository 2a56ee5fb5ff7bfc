"""The pictures of the report, one function each: arrays in, a matplotlib figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from crossbar.defect_map import CellClass, DefectMap
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from lab.report.style import (
    CLASS_COLOURS,
    CLASS_MAP,
    HIGH_COLOUR,
    LOW_COLOUR,
    SEQUENTIAL,
    STRATEGY_COLOURS,
    class_name,
    strategy_colour,
)

Curve = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Amplitudes in volts, WER, lower and upper edge of its band; each (n,)."""


def wafer_maps(panels: Mapping[str, Mapping[DieAddress, float]]) -> Figure:
    """One wafer map a panel; values are fractions, written into the dies as percent."""
    figure = Figure(figsize=(5.2 * len(panels), 4.4))
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0],
                                     panels.items(), strict=True):  # fmt: skip
        _wafer_map(figure, axes, title, values)
    return figure


def _wafer_map(figure: Figure, axes: Axes, title: str, values: Mapping[DieAddress, float]) -> None:
    columns = max(die.x for die in values) + 1
    rows = max(die.y for die in values) + 1
    grid = np.full((rows, columns), np.nan)
    for die, value in values.items():
        grid[die.y, die.x] = 100 * value
    image = axes.imshow(grid, origin="lower", cmap=SEQUENTIAL, aspect="equal")
    middle = (np.nanmin(grid) + np.nanmax(grid)) / 2
    for die in values:
        shade = "white" if grid[die.y, die.x] < middle else "black"
        text = f"{grid[die.y, die.x]:.1f}"
        axes.text(die.x, die.y, text, ha="center", va="center", color=shade, fontsize=8)
    axes.set(title=title, xlabel="die x", ylabel="die y")
    axes.set_xticks(range(columns))
    axes.set_yticks(range(rows))
    figure.colorbar(image, ax=axes, label="%", shrink=0.85)


def die_maps(die: DieAddress, defects: DefectMap) -> Figure:
    """Resistance after writing LOW, and the class of every cell, sub-array by sub-array."""
    subarrays = defects.classes.shape[0]
    figure = Figure(figsize=(11, 7.6))
    grid = figure.subplots(2, subarrays, sharex=True, sharey=True, squeeze=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        resistance = np.where(defects.low > 0, 1e-3 / defects.low, np.nan)
    healthy = resistance[defects.classes == CellClass.HEALTHY]
    low, high = np.percentile(healthy, [1, 99]) * (0.8, 1.2)
    for subarray in range(subarrays):
        image = grid[0, subarray].imshow(
            resistance[subarray], vmin=low, vmax=high, cmap=SEQUENTIAL, aspect="auto"
        )
        grid[1, subarray].imshow(
            defects.classes[subarray],
            cmap=CLASS_MAP,
            vmin=-0.5,
            vmax=len(CellClass) - 0.5,
            aspect="auto",
            interpolation="nearest",
        )
        grid[0, subarray].set_title(f"sub-array {subarray}")
        grid[1, subarray].set_xlabel("column")
        _outline_lines(grid[1, subarray], subarray, defects)
    for axes in grid[:, 0]:
        axes.set_ylabel("row")
    figure.colorbar(image, ax=list(grid[0]), label="resistance, LOW (kΩ)", extend="both")
    figure.legend(
        handles=[
            Patch(
                facecolor=CLASS_COLOURS[kind],
                edgecolor="#999999",
                label=f"{class_name(kind)} {100 * defects.fraction(kind):.2f} %",
            )
            for kind in CellClass
        ],
        loc="outside lower center",
        ncols=len(CellClass),
    )
    figure.suptitle(f"Die {die}", x=0.01, ha="left", fontweight="bold")
    return figure


def _outline_lines(axes: Axes, subarray: int, defects: DefectMap) -> None:
    """A thin frame around each defective line, so that the eye finds it."""
    rows, columns = defects.classes.shape[1:]
    for line in defects.lines:
        if line.subarray != subarray:
            continue
        corner = (line.index - 0.5, -0.5) if line.axis == "column" else (-0.5, line.index - 0.5)
        width, height = (1, rows) if line.axis == "column" else (columns, 1)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="#8a93a0", lw=0.8))


def resistance_distributions(maps: Sequence[DefectMap]) -> Figure:
    """Histograms of both states over all dies, on a logarithmic axis that keeps the defects in."""
    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    low = np.concatenate([found.low.ravel() for found in maps])
    high = np.concatenate([found.high.ravel() for found in maps])
    # Open cells read zero or a little below: they are gathered at the axis's right end.
    floor = 1e-7
    bins = np.geomspace(1e2, 1 / floor, 260)
    for values, colour, label in ((low, LOW_COLOUR, "LOW"), (high, HIGH_COLOUR, "HIGH")):
        axes.hist(
            1 / np.maximum(values, floor),
            bins.tolist(),
            histtype="stepfilled",
            color=colour,
            alpha=0.55,
            label=f"{label}: median {1e-3 / np.median(values):.2f} kΩ",
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="resistance (Ω); open cells at the right end",
        ylabel="cells",
        title=f"Resistance of {low.size:,} cells in both states",
    )
    axes.legend()
    return figure


def wer_curves(
    points: Sequence[WerPoint], curves: Mapping[tuple[int, State, float], Curve]
) -> Figure:
    """Write error rate against amplitude: intervals as bars, fits as lines with their bands.

    One panel a cell and direction; ``curves`` by (cell, target, width).
    """
    panels = sorted({(p.cell, p.target.value) for p in points})
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.1 * rows + 0.4))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    widths = sorted({p.width for p in points})
    shades = {width: f"C{place}" for place, width in enumerate(widths)}
    floor = 0.3 / max(p.attempts for p in points)
    for axes, (cell, target) in zip(grid.ravel(), panels, strict=False):
        for point in points:
            if (point.cell, point.target.value) == (cell, target):
                _wer_bar(axes, point, shades[point.width], floor)
        for (of_cell, state, width), curve in curves.items():
            if (of_cell, state.value) == (cell, target):
                amplitudes, rate, lower, upper = curve
                axes.plot(amplitudes, rate, color=shades[width], lw=1)
                axes.fill_between(amplitudes, lower, upper, color=shades[width], alpha=0.2, lw=0)
        axes.set(yscale="log", ylim=(floor, 1.5), title=f"cell {cell} to {target.upper()}")
    for axes in grid.ravel()[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel("pulse amplitude at the cell (V)")
    figure.supylabel("write error rate")
    figure.legend(
        handles=[Patch(color=shades[w], label=f"{w * 1e9:g} ns") for w in widths],
        loc="outside upper right",
        ncols=len(widths),
    )
    return figure


def _wer_bar(axes: Axes, point: WerPoint, colour: str, floor: float) -> None:
    """An interval with its estimate; an arrow's head where no error was seen."""
    amplitude = abs(point.amplitude)
    if point.attempts == 0:
        return
    low = max(point.interval_low, floor)
    axes.plot([amplitude] * 2, [low, point.interval_high], color=colour, lw=1.4)
    if point.errors:
        axes.plot(amplitude, point.errors / point.attempts, "o", color=colour, ms=3)
    else:
        axes.plot(amplitude, point.interval_high, "v", color=colour, ms=3.5)


def accuracy_by_strategy(
    accuracies: Mapping[str, Mapping[DieAddress, float]], baseline: float | None
) -> Figure:
    """A dot a die, the mean as a bar, one column a strategy; the software baseline as a line."""
    figure = Figure(figsize=(8, 4))
    axes = figure.subplots()
    for place, (strategy, values) in enumerate(accuracies.items()):
        found = np.array([values[die] for die in sorted(values)])
        # A fixed spread instead of random jitter: the same database gives the same picture.
        offsets = np.linspace(-0.22, 0.22, len(found)) if len(found) > 1 else np.zeros(1)
        colour = strategy_colour(strategy)
        axes.plot(place + offsets, found, "o", color=colour, ms=4, alpha=0.75)
        axes.plot([place - 0.3, place + 0.3], [found.mean()] * 2, color=colour, lw=2.5)
        axes.annotate(
            f"{100 * found.mean():.1f} %",
            (place + 0.33, found.mean()),
            va="center",
            color=colour,
            fontweight="bold",
            zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # not struck by the line
        )
    if baseline is not None:
        axes.axhline(baseline, color=STRATEGY_COLOURS["software"], ls="--", lw=1)
        axes.annotate(
            f"software {100 * baseline:.1f} %",
            (-0.45, baseline),
            xytext=(0, 3),
            textcoords="offset points",
            color=STRATEGY_COLOURS["software"],
        )
    axes.margins(y=0.12)  # room for the baseline's label below the title
    axes.set_xlim(-0.5, len(accuracies) - 0.2)
    axes.set_xticks(range(len(accuracies)), list(accuracies))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set(title="Accuracy in hardware, a dot a die", ylabel="test images recognized")
    axes.grid(axis="y", alpha=0.3)
    return figure
