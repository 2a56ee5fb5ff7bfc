"""Pictures of the approximate write: points lost over energy saved."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from analysis.mean_interval import mean_interval
from crossbar.units import Ratio
from lab.report.style import report_style
from lab.reproduce.approximate_write.curves import KINDS, MeasuredCurve
from lab.reproduce.approximate_write.settings import CLAIMED

COLOURS = ("#2a6f97", "#c8553d", "#2a9d8f", "#e9a03b", "#7b5ea7", "#7fb069", "#444444")
MARKERS = {"amplitude": "o", "width": "s"}
MOST_POINTS = 6.0
"""Of loss that is shown."""


def knobs_figure(curves: Mapping[tuple[str, Ratio], MeasuredCurve]) -> Figure:
    """Left over the saving, right over the bit error rate, where all should fall together."""
    with report_style():
        figure = Figure(figsize=(11, 4.4))
        by_saving, by_rate = figure.subplots(1, 2)
        spreads = sorted({spread for _, spread in curves})
        for (knob, spread), curve in curves.items():
            look = {"color": COLOURS[spreads.index(spread)], "marker": MARKERS[knob],
                    "linestyle": "-" if knob == "amplitude" else "--",
                    "label": f"{knob}, spread {100 * spread:g} %"}  # fmt: skip
            _line(by_saving, 100 * curve.savings["changed"].mean(axis=1), curve, look)
            _line(by_rate, curve.rates, curve, look)
        by_saving.set(xlabel="programming energy saved, changed bits [%]", title="both knobs")
        by_saving.axvline(100 * CLAIMED, color="#999999", linewidth=1)
        by_saving.annotate(
            "paper", (100 * CLAIMED, 0.93), xycoords=("data", "axes fraction"), ha="right"
        )
        by_rate.set(xlabel="bit error rate of the pulse", title="the same, over errors")
        by_rate.set_xscale("log")
        by_rate.xaxis.set_minor_formatter(NullFormatter())
        by_rate.legend(fontsize=8)
        for axes in (by_saving, by_rate):
            _finish(axes)
        return figure


def chosen_figure(curves: Sequence[MeasuredCurve]) -> Figure:
    """Every way of writing, for changed bits and for all bits."""
    with report_style():
        figure = Figure(figsize=(11, 4.8))
        for axes, (kind, title) in zip(figure.subplots(1, 2), KINDS.items(), strict=True):
            for curve, colour in zip(curves, COLOURS, strict=False):
                look = {"color": colour, "marker": "o", "label": curve.curve.name}
                _line(axes, 100 * curve.savings[kind].mean(axis=1), curve, look)
            axes.axvline(100 * CLAIMED, color="#999999", linewidth=1)
            axes.set(xlabel="programming energy saved [%]", title=title)
            _finish(axes)
        figure.axes[0].legend(fontsize=7, loc="upper left")
        return figure


def _line(axes: Axes, places: np.ndarray, curve: MeasuredCurve, look: Mapping[str, object]) -> None:
    """Mean losses in points, with Student's 95 % intervals over the seeds."""
    means = [mean_interval(row) for row in 100 * curve.losses]
    middle = np.array([each.mean for each in means])
    reach = np.array([each.high - each.mean for each in means])
    bars = np.where(np.isfinite(reach), reach, 0.0)
    axes.errorbar(places, middle, yerr=bars, linewidth=1.2, markersize=4, capsize=2, **look)  # type: ignore[arg-type]


def _finish(axes: Axes) -> None:
    axes.set(ylabel="points of accuracy lost", ylim=(-0.4, MOST_POINTS))
    for level in (0.1, 1.0):
        axes.axhline(level, color="#cccccc", linewidth=0.8, zorder=0)
