"""Noise and drift of real cells, with this project's own analysis: a summary and a picture.

101 HfOx cells read 2,001 times each (rram-skywater), and four states of a chip read for two hours
(measured-dies); what the files are stands in the SOURCES.md of the data.

    LAB_DATA_DIR=... python -m benchmarks.real_read_noise [--picture FILE.png] [--seed 1]
"""

import argparse
import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.read_noise import ReadNoiseFit, fit_read_noise
from analysis.read_noise_spectrum import spectrum
from analysis.retention_fit import drift_of_cells, fit_drift
from analysis.telegraph import FALSE_ALARMS

FloatArray = NDArray[np.float64]
FIRST_READING = 3
"""Place of the first reading in a line: an address and two voltages come before."""
WORKS_BELOW = 100e3
"""Ohm: a few of the cells are open or were driven far beyond the others."""


def main() -> None:
    """Print the summary; draw the picture if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(os.environ["LAB_DATA_DIR"])
    traces = drift_traces(folder)
    fits = {}
    for name, part in (("all readings", traces), ("the second half", traces[:, 1000:])):
        fits[name] = fit_read_noise(part, 1.0, generator=np.random.default_rng(options.seed))
        print(f"{len(part)} cells, {name}: {summary(fits[name])}", flush=True)
    print(f"Drift over the readings: {drift(traces)}")
    for state in range(4):
        print(f"State {state}: {state_drift(folder, state)}")
    if options.picture is not None:
        draw(traces, fits["all readings"]).savefig(options.picture, dpi=90)


def drift_traces(folder: Path) -> FloatArray:
    """(cells, 2001) Siemens."""
    path = folder / "measured-cells" / "rram-skywater" / "1T4R_ResetToRange_drift.csv"
    resistance = np.loadtxt(path, delimiter="\t")[:, FIRST_READING:]
    return 1 / resistance[np.median(resistance, axis=1) < WORKS_BELOW]


def summary(fits: list[ReadNoiseFit]) -> str:
    """Telegraphs, and what is left beside them."""
    found = [fit.telegraph for fit in fits if fit.telegraph.is_telegraph]
    estimates = np.array([fit.spectrum.estimate for fit in fits])
    interval = binomtest(len(found), len(fits)).proportion_ci()
    ones = np.mean([fit.spectrum.low[2] <= 1 <= fit.spectrum.high[2] for fit in fits])
    slopes = np.percentile(estimates[:, 2], [10, 50, 90])
    captured = np.percentile([fit.estimate[0] for fit in found], [10, 50, 90])
    dwells = np.median([fit.estimate[1:] for fit in found], axis=0)
    return (
        f"{len(found)} called telegraphs ({100 * interval.low:.0f} to {100 * interval.high:.0f} % "
        f"of such cells), {FALSE_ALARMS * len(fits):.1f} expected by chance; their steps "
        f"{100 * captured[1]:.1f} % ({100 * captured[0]:.1f} to {100 * captured[2]:.1f}) of the "
        f"conductance, median dwell times {dwells[0]:.0f} and {dwells[1]:.0f} readings; beside "
        f"them white {100 * np.median(estimates[:, 0]):.2f} %, "
        f"density {np.median(estimates[:, 1]):.1e} at one per reading, "
        f"slope {slopes[1]:.2f} ({slopes[0]:.2f} to {slopes[2]:.2f}; "
        f"{100 * ones:.0f} % of the intervals hold 1)"
    )


def drift(traces: FloatArray) -> str:
    """Mean and spread of the exponent over cells, over the number of the reading."""
    steps = np.unique(np.geomspace(1, traces.shape[1] - 1, 40).astype(int))
    fit = fit_drift(steps.astype(float), traces[:, steps])
    found = drift_of_cells(fit, len(steps))
    return (
        f"mean exponent {found.mean.estimate:.4f} ({found.mean.low:.4f} to {found.mean.high:.4f}), "
        f"spread {found.spread.estimate:.4f} ({found.spread.low:.4f} to {found.spread.high:.4f}), "
        f"{100 * fit.correlated:.0f} % of the scatter is 1/f"
    )


def state_drift(folder: Path, state: int) -> str:
    """Exponent of a state's mean conductance over two hours."""
    table = np.loadtxt(folder / "measured-dies" / f"retention-state-{state}.txt")
    seconds = 60 * (table[:, 0] - table[0, 0])
    fit = fit_drift(seconds, table[None, :, 1], onset=60.0)
    return (
        f"{table[:, 1].mean():.1f} uS, sd {table[:, 1].std():.2f} uS, exponent "
        f"{fit.exponent[0]:.1e} ({fit.low[0]:.1e} to {fit.high[0]:.1e})"
    )


def draw(traces: FloatArray, fits: list[ReadNoiseFit]) -> Figure:
    """Traces of three cells, the median spectrum beside the model's, slopes and steps."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    (upper, spectra), (slopes, steps) = figure.subplots(2, 2)
    found = np.array([fit.telegraph.is_telegraph for fit in fits])
    size = np.array([fit.telegraph.estimate[0] for fit in fits])
    for place, cell in enumerate(np.argsort(np.where(found, size, -1))[[-3, -8, 2]]):
        relative = traces[cell] / traces[cell].mean()
        upper.plot(relative + 0.8 * place, lw=0.5)
    upper.set(xlabel="reading", ylabel="G / mean, shifted", title="three of the cells")
    for chosen, label in ((found, "telegraphs"), (~found, "the others")):
        curves = [spectrum(trace, 1.0) for trace in traces[chosen]]
        frequency = curves[0].frequency
        spectra.loglog(frequency, np.median([c.density for c in curves], axis=0), label=label)
    spectra.loglog(frequency, 1e-4 / frequency, "k--", lw=0.8, label="1/f")
    spectra.set(xlabel="frequency (1 / reading)", ylabel="relative density", title="median spectra")
    spectra.legend()
    slopes.hist([fit.spectrum.estimate[2] for fit in fits], bins=np.linspace(0.5, 2.5, 21))
    slopes.set(xlabel="slope of what is left beside telegraphs", ylabel="cells")
    steps.hist(100 * size[found], bins=20)
    steps.set(xlabel="telegraph step (% of the conductance)", ylabel="cells")
    return figure


if __name__ == "__main__":
    main()
