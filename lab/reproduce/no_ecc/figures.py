"""Pictures: accuracy over the bit error rate, and the energy that it saves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.mean_interval import MeanInterval
from crossbar.units import format_quantity
from lab.report.style import HIGH_COLOUR, LOW_COLOUR, report_style
from lab.reproduce.no_ecc.energy import RATES, WIDTHS, Dies, saving, saving_over
from lab.reproduce.no_ecc.results import ALLOWED, FRESH, PLAIN, STATIC, NetworkResult
from physics.mtj import MtjPopulation

WRITTEN_COLOUR = "#2a9d8f"


def accuracy_figure(networks: Sequence[NetworkResult]) -> Figure:
    """A panel a network: mean accuracy with its interval over seeds, a curve a placement."""
    with report_style():
        figure = Figure(figsize=(5.6 * len(networks), 4.2))
        for axes, found in zip(
            figure.subplots(1, len(networks), squeeze=False)[0], networks, strict=True
        ):
            _accuracies(axes, found)
        return figure


def _accuracies(axes: Axes, found: NetworkResult) -> None:
    rates = found.plan.rates
    for training, line, words in (
        (PLAIN, "-", ""),
        (found.aware, ":", f", trained with {100 * found.plan.aware:g} %"),
    ):
        for placement, colour in ((STATIC, LOW_COLOUR), (FRESH, HIGH_COLOUR)):
            means = [found.accuracy(training, placement, rate) for rate in rates]
            label = f"{placement}{words}"
            _curve(axes, rates, means, color=colour, fmt=f"o{line}", label=label)
    written = found.plan.written
    if written:
        means = [found.held(rate) for rate in written]
        _curve(axes, written, means, color=WRITTEN_COLOUR, fmt="s-", label="at the writes")
    axes.axhline(
        100 * (found.perfect().mean - ALLOWED), color="0.6", linewidth=0.8,
        label=f"without errors, less {100 * ALLOWED:g} points",
    )  # fmt: skip
    axes.set(xscale="log", xlabel="bit error rate", ylabel="accuracy (%)", title=found.plan.title)
    axes.legend(fontsize=8, loc="lower left")


def _curve(axes: Axes, rates: Sequence[float], means: Sequence[MeanInterval], **style: Any) -> None:
    """Means with their intervals; one seed has none."""
    at = 100 * np.array([each.mean for each in means])
    reach = 100 * np.array([each.mean - each.low for each in means])
    bars = np.where(np.isfinite(reach), reach, 0.0)
    axes.errorbar(rates, at, yerr=bars, capsize=2, linewidth=1.2, markersize=3, **style)


def saving_figure(dies: Dies, truth: MtjPopulation | None) -> Figure:
    """Energy factor over the bit error rate: mean and interval over dies, and what is true."""
    with report_style():
        figure = Figure(figsize=(5.6, 4.0))
        axes = figure.subplots()
        for width, colour in zip(WIDTHS, (LOW_COLOUR, HIGH_COLOUR), strict=True):
            words = format_quantity(width, "s")
            means = [saving_over(dies, width, rate) for rate in RATES]
            _factors(axes, means, colour, f"{words}, {len(dies)} measured dies")
            if truth is not None:
                true = [saving(truth, width, rate) for rate in RATES]
                axes.plot(RATES, true, "--", color=colour, linewidth=1, label=f"{words}, truth")
        axes.set(xscale="log", xlabel="bit error rate", ylabel="energy at 1e-8 over energy here")
        axes.legend(fontsize=8)
        return figure


def _factors(axes: Axes, means: Sequence[MeanInterval], colour: str, label: str) -> None:
    axes.plot(RATES, [each.mean for each in means], "o-", markersize=3, color=colour, label=label)
    if means[0].count > 1:
        low, high = ([getattr(each, end) for each in means] for end in ("low", "high"))
        axes.fill_between(RATES, low, high, color=colour, alpha=0.2, linewidth=0)
