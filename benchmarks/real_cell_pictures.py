"""The pictures of docs/real-cells.md, one function each: measurements in, a figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from analysis.amplitude_curves import CurveFit
from analysis.end_of_life import EndOfLife
from analysis.intervals import clopper_pearson
from analysis.reset_sweeps import Steps, SweepStatistics
from analysis.switching_counts import SwitchingCounts
from crossbar.pulses import State
from lab.report.style import HIGH_COLOUR, LOW_COLOUR

Values = NDArray[np.float64]
CURVE_COLOURS = ("#c8553d", "#2a6f97", "#2a9d8f", "#7b5ea7")
GREY = "#8a93a0"


def switching(
    counts: SwitchingCounts,
    names: Mapping[int, str],
    curves: Sequence[Sequence[CurveFit]],
    models: Mapping[str, tuple[Values, Values]],
    rate: float,
    brackets: Sequence[tuple[float, float, float]],
) -> Figure:
    """Switching probabilities with their fits; how curves go on; thresholds over width.

    ``models`` are the switching model's rates (cells, amplitudes) over amplitudes, by name;
    ``brackets`` are (width, last amplitude without, first with switching).
    """
    figure = Figure(figsize=(12, 7.2))
    grid = figure.subplots(2, 3)
    for place, axes in enumerate((grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1])):
        _probabilities(axes, counts, place, names, curves[place], models, rate)
    grid[0, 0].legend(fontsize=7.5, loc="lower right")
    _tails(grid[0, 2], counts, 2, curves[2], rate)
    _thresholds(grid[1, 2], brackets)
    return figure


def _probabilities(
    axes: Axes,
    counts: SwitchingCounts,
    place: int,
    names: Mapping[int, str],
    curves: Sequence[CurveFit],
    models: Mapping[str, tuple[Values, Values]],
    rate: float,
) -> None:
    tried = counts.attempts[place] > 0
    volts, attempts = counts.amplitude[place][tried], counts.attempts[place][tried]
    errors = counts.errors[place][tried]
    low, high = clopper_pearson(errors, attempts)
    fine = np.linspace(0.78, 1.12, 300)
    axes.vlines(volts, 1 - high, 1 - low, color="#333333", lw=1.2, zorder=3)
    axes.plot(volts, 1 - errors / attempts, "o", color="#333333", ms=3.5, zorder=4)
    for fit, colour in zip(curves, CURVE_COLOURS, strict=True):
        held = fit.p_value > 0.05
        axes.plot(
            fine, 1 - np.exp(fit.log_wer(fine, rate)), color=colour, lw=1.6 if held else 0.9,
            ls="-" if held else ":", label=fit.curve.name,
        )  # fmt: skip
    for name, (amplitudes, rates) in models.items():
        axes.plot(amplitudes, 1 - rates[place], color="black", lw=1, ls="--", label=name)
    aim = "AP (high)" if counts.targets[place] is State.HIGH else "P (low)"
    axes.set(title=f"cell {names[int(counts.cells[place])]} to {aim}", xlim=(0.78, 1.12),
             ylim=(-0.03, 1.03), xlabel="|V| (V)", ylabel="switched (of 50 trials)")  # fmt: skip


def _tails(
    axes: Axes, counts: SwitchingCounts, place: int, curves: Sequence[CurveFit], rate: float
) -> None:
    """The same cell's error rate down to 1e-12."""
    tried = (counts.attempts[place] > 0) & (counts.errors[place] > 0)
    volts, attempts = counts.amplitude[place][tried], counts.attempts[place][tried]
    errors = counts.errors[place][tried]
    low, high = clopper_pearson(errors, attempts)
    fine = np.linspace(0.8, 1.45, 400)
    axes.vlines(volts, low, high, color="#333333", lw=1.2, zorder=3)
    axes.plot(volts, errors / attempts, "o", color="#333333", ms=3.5, zorder=4)
    for fit, colour in zip(curves, CURVE_COLOURS, strict=True):
        held = fit.p_value > 0.05
        axes.semilogy(fine, np.exp(fit.log_wer(fine, rate)), color=colour,
                      lw=1.6 if held else 0.9, ls="-" if held else ":")  # fmt: skip
        axes.plot([fit.low, fit.high], [rate, rate], color=colour, lw=4, alpha=0.5)
    axes.set(title="cell B to P, beyond what was counted", ylim=(1e-12, 1.5), xlim=(0.8, 1.45),
             xlabel="|V| (V)", ylabel="write error rate")  # fmt: skip
    axes.text(1.13, 1e-2, "bars: 95 % intervals at 1e-9\ndotted: contradicted (p < 5 %)",
              fontsize=7.5)  # fmt: skip


def _thresholds(axes: Axes, brackets: Sequence[tuple[float, float, float]]) -> None:
    """Single-pulse thresholds, and the macrospin law through the two longest pulses."""
    width, low, high = np.array(sorted(brackets)).T
    middle = (low + high) / 2
    axes.vlines(width * 1e9, low, high, color="#333333", lw=5)
    long = np.argsort(width)[-2:]
    slope, vc0 = np.polyfit(1 / width[long], middle[long], 1)
    fine = np.geomspace(0.6e-9, 6e-9, 100)
    axes.plot(fine * 1e9, vc0 + slope / fine, color=CURVE_COLOURS[0], lw=1.2,
              label="$V_{c0}(1 + t_0/t)$ through 2 and 5 ns")  # fmt: skip
    axes.set(title="device 2, to AP: first V that switches", xscale="log", ylim=(0.4, 1.2),
             xlabel="pulse width (ns)", ylabel="V (V)")  # fmt: skip
    axes.set_xticks([0.75, 1, 2, 5], ["0.75", "1", "2", "5"])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def cycling(low: Values, high: Values, memory: Mapping[str, Values], expected: Values) -> Figure:
    """Quantiles within cells, memory of the cycle before, and how unequally cells fail.

    ``low`` and ``high`` are (cells, cycles) ohm.
    """
    figure = Figure(figsize=(12, 3.9))
    left, middle, right = figure.subplots(1, 3)
    for values, colour, name in ((low, LOW_COLOUR, "LOW"), (high, HIGH_COLOUR, "HIGH")):
        logs = np.log(values)
        away = logs - np.median(logs, axis=1, keepdims=True)
        lower, upper = np.percentile(away, [25, 75], axis=1)
        z = np.sort((away / ((upper - lower) / 1.349)[:, None]).ravel())
        chosen = np.unique(np.linspace(0, len(z) - 1, 1500).astype(int).tolist() + list(range(40))
                           + list(range(len(z) - 40, len(z))))  # fmt: skip
        left.plot(norm.ppf((chosen + 0.5) / len(z)), z[chosen], ".", ms=3, color=colour, label=name)
    left.plot([-4.5, 4.5], [-4.5, 4.5], color=GREY, lw=1)
    left.set(title="ln R within cells", xlabel="quantile if normal",
             ylabel="measured (robust standard deviations)", ylim=(-8, 30))  # fmt: skip
    left.legend()
    bins = np.linspace(-0.4, 1, 57).tolist()
    for state, colour in (("low", LOW_COLOUR), ("high", HIGH_COLOUR)):
        middle.hist(memory[state], bins, color=colour, alpha=0.55, label=state.upper())
    edge = 1.96 / np.sqrt(low.shape[1])
    middle.axvspan(-edge, edge, color=GREY, alpha=0.25, lw=0, label="95 % if independent")
    middle.set(title="memory of the cycle before", xlabel="rank correlation", ylabel="cells")
    middle.legend(fontsize=8)
    failed = np.sort((high < 2 * low).mean(axis=1))[::-1]
    right.plot(100 * failed, color="#333333", lw=1.6, label="measured")
    right.plot(100 * np.sort(expected)[::-1], color=CURVE_COLOURS[0], lw=1.2, ls="--",
               label="if ln R were normal in each cell")  # fmt: skip
    right.set(title="failed RESETs", xlabel="cells, worst first", ylabel="cycles below 2 × LOW (%)")
    right.legend(fontsize=8)
    return figure


def reset_sweeps(steps: Steps, found: SweepStatistics) -> Figure:
    """The mean rise of ln R by a pulse over its amplitude, and where each sweep begins."""
    figure = Figure(figsize=(12, 3.9))
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    shown = (steps.amplitude >= 0.4) & (steps.amplitude <= 1.5) & (found.mean_rise > 0)
    volts, mean, error = (a[shown] for a in (steps.amplitude, found.mean_rise, found.error))
    floor = np.maximum(mean - 1.96 * error, 1e-4)
    left.vlines(volts, floor, mean + 1.96 * error, color="#333333", lw=1.2)
    left.semilogy(volts, mean, "o", color="#333333", ms=4)
    fine = np.linspace(0.45, 1.0, 50)
    scale, place = found.parameters["e_fold"], found.parameters["unit_rise"]
    law = np.exp((fine - place.estimate) / scale.estimate)
    told = (f"e-fold every {1e3 * scale.estimate:.0f} mV ({1e3 * scale.low:.0f} to "
            f"{1e3 * scale.high:.0f}), p = {found.p_value:.2g}")  # fmt: skip
    left.plot(fine, law, color=CURVE_COLOURS[0], lw=1.4, label=told)
    left.axvspan(*found.law, color=GREY, alpha=0.2, lw=0, label="fitted here")
    left.set(title="mean rise of ln R by one 200 ns RESET pulse", xlabel="source line (V)",
             ylabel="ln(R after / R before)", ylim=(1e-4, 2))  # fmt: skip
    left.legend(fontsize=8, loc="lower right")
    cells = np.unique(steps.cell)
    medians = {cell: np.nanmedian(found.onset[steps.cell == cell]) for cell in cells}
    for rank, cell in enumerate(sorted(cells, key=lambda cell: medians[cell])):
        own = found.onset[steps.cell == cell]
        right.plot(np.full(len(own), rank), own, ".", color=LOW_COLOUR, ms=4, alpha=0.7)
        right.plot(rank, medians[cell], "_", color="#333333", ms=8)
    right.set(title="where RESET begins: ten sweeps of each cell", xlabel="cells, by median",
              ylabel="onset (V)", ylim=(0.5, 1.5))  # fmt: skip
    return figure


def life(cycles: Values, low: Values, high: Values, end: EndOfLife, conductance: Values) -> Figure:
    """One cell to its end; many cells left alone."""
    figure = Figure(figsize=(12, 3.9))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    left.plot(cycles, high / 1e3, ".", ms=2, color=HIGH_COLOUR, label="after RESET")
    left.plot(cycles, low / 1e3, ".", ms=2, color=LOW_COLOUR, label="after SET")
    left.axvspan(end.cycles.low, end.cycles.high, color="black", lw=1)
    closes = f"window closes:\n{end.cycles.low:,.0f} to\n{end.cycles.high:,.0f} cycles"
    left.text(end.cycles.high * 1.06, 600, closes, fontsize=8)
    left.set(title="one cell, read every 500 cycles", xlabel="cycles", ylabel="R (kΩ)",
             xscale="log", yscale="log", xlim=(400, 1.1e6))  # fmt: skip
    left.legend(fontsize=8, loc=(0.02, 0.33), markerscale=4)
    count = np.arange(1, conductance.shape[1] + 1)
    change = -np.log(conductance / conductance[:, :1])
    for one in change[::8]:
        middle.plot(count, one, lw=0.5, alpha=0.8)
    middle.set(title="cells left alone: every eighth", xscale="log", xlabel="reading",
               ylabel="ln(R / first R)", ylim=(-1, 0.6))  # fmt: skip
    for outer, inner in ((5, 95), (25, 75)):
        right.fill_between(count, *np.percentile(change, [outer, inner], axis=0), color=LOW_COLOUR,
                           alpha=0.25, lw=0)  # fmt: skip
    right.plot(count, np.median(change, axis=0), color="#333333", lw=1.4)
    right.set(title="all 101: median, 50 %, 90 %", xscale="log", xlabel="reading",
              ylim=(-1, 0.6))  # fmt: skip
    return figure
