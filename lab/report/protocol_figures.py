"""One picture of what each characterization protocol measured: records of a die in, figure out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from crossbar.pulses import State
from crossbar.records import (
    DotProductBlock,
    ProgrammedBlock,
    PulseTrain,
    ReadTrace,
    RetentionReading,
    VoltageSweep,
    WerPoint,
)
from crossbar.units import format_quantity
from lab.report.style import HIGH_COLOUR, LOW_COLOUR, SEQUENTIAL

FloatArray = NDArray[np.float64]
MAX_LINES = 24
"""Cells drawn one by one."""
STATE_COLOURS = {State.LOW: LOW_COLOUR, State.HIGH: HIGH_COLOUR}
NO_CURRENT = 1e-9
"""Siemens; cells that read less are drawn there, for a logarithm needs a place for them."""


def panels(count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side."""
    figure = Figure(figsize=(5.2 * count, 3.8))
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def switching_probability(points: Sequence[WerPoint]) -> Figure:
    """Switched fraction over amplitude and width, a panel a direction, all cells together."""
    targets = sorted({point.target.value for point in points})
    figure, grid = panels(len(targets))
    for axes, target in zip(grid, targets, strict=True):
        shown = [p for p in points if p.target.value == target and p.attempts]
        image = axes.scatter(
            [abs(p.amplitude) for p in shown],
            [p.width for p in shown],
            c=[1 - p.errors / p.attempts for p in shown],
            cmap=SEQUENTIAL,
            vmin=0,
            vmax=1,
            s=26,
        )
        axes.set(
            yscale="log",
            title=f"to {target.upper()}",
            xlabel="amplitude at the cell (V)",
            ylabel="pulse width (s)",
        )
        figure.colorbar(image, ax=axes, label="switching probability")
    return figure


def disturbed_fraction(points: Sequence[WerPoint]) -> Figure:
    """How many reads switched a cell, over the read's duration; a colour an amplitude.

    A read that aims at the other state fails to switch it as an error: what is shown is 1 - WER.
    """
    figure, (axes,) = panels()
    amplitudes = sorted({abs(point.amplitude) for point in points})
    for place, amplitude in enumerate(amplitudes):
        shown = [p for p in points if abs(p.amplitude) == amplitude and p.attempts]
        fraction = [1 - p.errors / p.attempts for p in shown]
        upper = [1 - p.interval_low for p in shown]
        width = np.array([p.width for p in shown]) * 1.25**place  # set apart, to be seen
        axes.plot(width, fraction, "o", color=f"C{place}", ms=4, label=f"{amplitude:g} V")
        axes.plot(width, upper, "_", color=f"C{place}", ms=7)
    axes.set(xscale="log", yscale="log", xlabel="duration of the read (s)", ylabel="cells switched")
    axes.set_title("Read disturb; dashes: upper ends of the intervals")
    axes.legend(title="read amplitude", fontsize=8)
    return figure


def sweeps(records: Sequence[VoltageSweep]) -> Figure:
    """Current over voltage, a line a sweep."""
    figure, (axes,) = panels()
    for sweep in records[:MAX_LINES]:
        axes.plot(sweep.voltage, 1e6 * sweep.current, lw=1, color=f"C{sweep.cell % 10}")
    axes.axhline(0, color="#999999", lw=0.6)
    axes.set(xlabel="voltage at the cell (V)", ylabel="current (µA)")
    axes.set_title(f"{min(len(records), MAX_LINES)} sweeps")
    return figure


def endurance(trains: Sequence[PulseTrain]) -> Figure:
    """Both states at every checkpoint: each cell as a dot, the median as a line."""
    figure, (axes,) = panels()
    parts = sorted({train.part for train in trains})
    cycles = np.cumsum([next(t.pulses[0] for t in trains if t.part == part) for part in parts])
    for column, state in enumerate((State.LOW, State.HIGH)):
        found = [
            resistance([t.conductance[column] for t in trains if t.part == part]) for part in parts
        ]
        colour = STATE_COLOURS[state]
        for count, values in zip(cycles, found, strict=True):
            axes.plot(np.full(len(values), count), values, ".", color=colour, ms=3, alpha=0.4)
        medians = [np.median(values) for values in found]
        axes.plot(cycles, medians, "-o", color=colour, ms=4, label=state.name)
    axes.set(xscale="log", yscale="log", xlabel="cycles", ylabel="resistance (Ω)")
    axes.set_title("Endurance: cells and their median")
    axes.legend()
    return figure


def breakdown(trains: Sequence[PulseTrain]) -> Figure:
    """Fraction of the cells that broke at or below each amplitude."""
    figure, (axes,) = panels()
    broken = sorted(
        float(np.abs(train.amplitude[-1])) for train in trains if train.outcome == "broken"
    )
    axes.step(broken, np.arange(1, len(broken) + 1) / len(trains), where="post", color=HIGH_COLOUR)
    axes.set(xlabel="amplitude of the pulse that broke it (V)", ylabel="cells broken", ylim=(0, 1))
    axes.set_title(f"Breakdown: {len(broken)} of {len(trains)} cells")
    return figure


def forming(blocks: Sequence[ProgrammedBlock], parameters: Mapping[str, Any]) -> Figure:
    """Fraction of the cells formed at or below each amplitude, and what they conduct after."""
    figure, (left, right) = panels(2)
    pulses = np.concatenate([block.pulses for block in blocks])
    formed = np.concatenate([block.verified for block in blocks])
    ramped = formed & (pulses > 0)
    volts = parameters["start"] + parameters["step"] * np.arange(int(pulses.max(initial=1)))
    share = [np.mean(ramped & (pulses <= number + 1)) for number in range(len(volts))]
    left.step(volts, share, where="post", color=LOW_COLOUR)
    left.set(xlabel="amplitude (V)", ylabel="cells formed", ylim=(0, 1))
    left.set_title(f"{np.count_nonzero(formed):,} of {len(formed):,} cells conduct")
    after = resistance(np.concatenate([block.conductance for block in blocks])[ramped])
    if len(after):
        right.hist(after, np.geomspace(after.min(), after.max(), 60).tolist(), color=LOW_COLOUR)
    right.set(xscale="log", xlabel="resistance after FORMING (Ω)", ylabel="cells")
    return figure


def trains_of_pulses(trains: Sequence[PulseTrain]) -> Figure:
    """Resistance over the number of pulses, a line a train, a colour an amplitude."""
    figure, (axes,) = panels()
    pulsed = [train for train in trains if largest(train.amplitude) > 0]
    levels = sorted({largest(train.amplitude) for train in pulsed})
    for train in spread(pulsed, MAX_LINES * len(levels)):
        place = levels.index(largest(train.amplitude))
        shade = place / max(len(levels) - 1, 1)
        axes.plot(
            np.cumsum(train.pulses),
            resistance(train.conductance) / 1e3,
            lw=0.8,
            alpha=0.8,
            color=colormaps[SEQUENTIAL](0.9 * shade),
        )
    for place, level in enumerate(levels):
        shade = place / max(len(levels) - 1, 1)
        axes.plot([], [], color=colormaps[SEQUENTIAL](0.9 * shade), label=f"{level:g} V")
    axes.set(yscale="log", xlabel="pulses since the SET", ylabel="resistance (kΩ)")
    for axis_part in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        axis_part(ScalarFormatter())  # a decade or less: plain numbers
    axes.set_title("Trains of weak RESET pulses")
    axes.legend(title="amplitude", fontsize=8)
    return figure


def noise(traces: Sequence[ReadTrace]) -> Figure:
    """A few traces relative to their means, and the mean spectrum of each state."""
    from scipy.signal import periodogram

    figure, (left, right) = panels(2)
    for place, trace in enumerate(spread(traces, 6)):
        found = trace.conductance / np.mean(trace.conductance) - 1
        left.plot(
            trace.time, 100 * found + 5 * place, lw=0.6, color=STATE_COLOURS[trace.state]
        )  # set apart, so that each can be seen
    left.set(xlabel="time (s)", ylabel="deviation (%), traces set 5 apart")
    for state, colour in STATE_COLOURS.items():
        shown = [t for t in traces if t.state is state and np.all(np.isfinite(t.time))]
        length = min((len(t.time) for t in shown), default=0)
        if length < 8:
            continue
        interval = float(np.median(np.diff(shown[0].time)))
        stacked = np.stack([t.conductance[:length] / np.mean(t.conductance) for t in shown])
        frequency, density = periodogram(stacked, 1 / interval, detrend="linear")
        middle = np.median(density, axis=0) / np.log(2)  # of an exponential: mean from median
        right.loglog(frequency[1:], middle[1:], color=colour, lw=0.8, label=state.name)
    right.set(xlabel="frequency (Hz)", ylabel="relative density (1/Hz)")
    right.set_title("Spectrum, typical cell")
    right.legend()
    return figure


def retention(readings: Sequence[RetentionReading]) -> Figure:
    """Conductance of both states over the time since writing: median, and half of the cells."""
    figure, (axes,) = panels()
    steps = sorted(readings, key=lambda reading: reading.time)
    time = np.array([reading.time for reading in steps])
    later = time[time > 0]
    time = np.maximum(time, later.min() / 2 if len(later) else 1.0)  # a place for time 0
    for state, colour in STATE_COLOURS.items():
        quantiles = np.array(
            [
                1e6
                * np.percentile(
                    reading.conductance[reading.written_low == (state is State.LOW)], [25, 50, 75]
                )
                for reading in steps
            ]
        )
        axes.plot(time, quantiles[:, 1], "-o", color=colour, ms=3, label=state.name)
        axes.fill_between(time, quantiles[:, 0], quantiles[:, 2], color=colour, alpha=0.2, lw=0)
    axes.set(xscale="log", yscale="log", xlabel="time since writing (s)", ylabel="conductance (µS)")
    axes.set_title("Retention: median and middle half of the cells")
    axes.legend()
    return figure


def dot_products(blocks: Sequence[DotProductBlock]) -> Figure:
    """Measured currents over those that the cells, read one by one, should make."""
    figure, (axes,) = panels()
    for block in blocks:
        expected = 1e6 * (block.row_voltages @ block.conductance).ravel()
        axes.plot(expected, 1e6 * block.current.ravel(), ".", ms=2, label=f"{block.subarray}")
    ends = np.array(axes.get_xlim())
    axes.plot(ends, ends, color="#444444", lw=0.8)
    axes.set(xlabel="expected current (µA)", ylabel="measured current (µA)")
    axes.set_title("Analog dot products")
    axes.legend(title="sub-array", markerscale=4, fontsize=8)
    return figure


def levels(blocks: Sequence[ProgrammedBlock]) -> Figure:
    """What the cells of each level conduct after programming."""
    figure, (axes,) = panels()
    level = np.concatenate([block.level for block in blocks])
    conductance = 1e6 * np.concatenate([block.conductance for block in blocks])
    ends = np.percentile(conductance, [2, 97])  # defects lie far outside
    bins = np.linspace(float(ends[0]), float(ends[1]), 90)
    for number in np.unique(level):
        here = conductance[level == number]
        axes.hist(here, bins.tolist(), histtype="stepfilled", alpha=0.6, label=f"{number}")
    axes.set(xlabel="conductance (µS)", ylabel="cells", title="Programmed levels")
    axes.legend(title="level", fontsize=8)
    return figure


def amplitudes_wanted(points: Sequence[WerPoint]) -> Figure:
    """Where an adaptive run made its attempts: error rate over amplitude, the more the larger.

    Points without an error are drawn at 0.3 errors.
    """
    figure, (axes,) = panels()
    widths = sorted({point.width for point in points})
    for place, width in enumerate(widths):
        shown = [p for p in points if p.width == width and p.attempts]
        rate = [max(p.errors, 0.3) / p.attempts for p in shown]
        size = 3 * np.log10([p.attempts + 1 for p in shown]) ** 1.5
        volts = [abs(p.amplitude) for p in shown]
        label = format_quantity(width, "s")
        axes.scatter(volts, rate, s=size, color=f"C{place % 10}", label=label, alpha=0.6)
    axes.set(yscale="log", xlabel="amplitude at the cell (V)", ylabel="write error rate")
    axes.set_title("Where the attempts went")
    axes.legend(fontsize=8)
    return figure


def resistance(conductance: Iterable[float] | FloatArray) -> FloatArray:
    """Ohms, with a place on a logarithmic axis for cells that read nothing."""
    return np.asarray(1 / np.maximum(np.asarray(list(conductance), dtype=float), NO_CURRENT))


def largest(amplitude: FloatArray) -> float:
    """The largest magnitude of a train, in volts; 0 for readings alone."""
    magnitudes = np.abs(amplitude[np.isfinite(amplitude)])
    return float(np.round(magnitudes.max(initial=0.0), 6))


def spread(records: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many of the records, evenly spread."""
    return records[:: max(1, -(-len(records) // max(most, 1)))]
