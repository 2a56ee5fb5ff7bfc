"""What published cells say of the models here: the numbers and pictures of docs/real-cells.md.

    LAB_DATA_DIR=... python -m benchmarks.real_cells --pictures docs/pictures

reads the files of ``measured-cells`` with the readers of `lab import`, fits them, prints a line a
finding, and writes one picture a set. Takes about two minutes.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import chi2

from analysis.amplitude_curves import envelope, fit_curves
from analysis.cycling_statistics import cycling_statistics, lag_one
from analysis.drift import drift_statistics
from analysis.end_of_life import end_of_life
from analysis.reset_sweeps import steps_of, sweep_statistics
from analysis.switching_counts import SwitchingCounts, gather_counts
from analysis.switching_fit import SwitchingFits, fit_switching
from analysis.telegraph import find_telegraphs
from benchmarks import real_cell_pictures as pictures
from crossbar.records import PulseTrain, ReadTrace
from lab.importing.catalog import import_format
from lab.importing.measurements import Measurements
from lab.report.style import report_style
from physics.switching import log_wer

Values = NDArray[np.float64]
RATE = 1e-9
NAMES = {0: "A", 1: "B"}
TELEGRAPHS = 24
"""Traces searched for telegraphs, evenly spread over the 101."""


def read(name: str, path: Path, **said: object) -> Measurements:
    """A file, as `lab import` reads it."""
    entry = import_format(name)
    return entry.read(path, entry.parameters(**said))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("LAB_DATA_DIR"))
    parser.add_argument("--pictures", type=Path, help="folder to write the pictures into")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data, or set LAB_DATA_DIR")
    torch.set_num_threads(1)
    mpl.use("Agg")
    with report_style():
        for name, figure in sets(Path(options.data) / "measured-cells"):
            if options.pictures is not None:
                figure.savefig(options.pictures / f"{name}.png", dpi=100)


def sets(folder: Path) -> Iterator[tuple[str, Figure]]:
    """A picture a set, made while its numbers are printed."""
    yield "real-mtj-sot", mtj(folder / "mtj-sot")
    yield "real-hfox-cycling", cycling(folder / "hfox-1t1r-sweeps")
    yield "real-hfox-reset-sweep", resets(folder / "hfox-1t1r-sweeps")
    yield "real-rram-skywater", skywater(folder / "rram-skywater")


def mtj(folder: Path) -> Figure:
    """Switching probabilities and single-pulse thresholds."""
    table = read("mtj-switching-table", folder / "measured_0p75ns.csv", attempts=50,
                 swap_directions=True)  # fmt: skip
    counts = gather_counts(table.records)  # type: ignore[arg-type]
    curves = []
    for place, (cell, target) in enumerate(zip(counts.cells, counts.targets, strict=True)):
        found = fit_curves(
            counts.amplitude[place], counts.attempts[place], counts.errors[place], RATE,
            np.random.default_rng(0),
        )  # fmt: skip
        curves.append(found)
        for fit in found:
            print(
                f"cell {NAMES[int(cell)]} to {target.value}: {fit.curve.name}: {RATE:g} at "
                f"{fit.amplitude:.3f} V ({fit.low:.3f} to {fit.high:.3f}), deviance "
                f"{fit.deviance:.1f} on {fit.dof}, p = {fit.p_value:.3g}"
            )
        print("   envelope {:.3f} to {:.3f} V".format(*envelope(found)))
    fine = np.linspace(0.78, 1.12, 300)
    models = {}
    for exponent, name in ((2.0, "STT model"), (1.0, "STT, exponent 1")):
        fits = fit_switching(counts, 0.95, exponent)
        tell_switching(counts, fits)
        if exponent == 2.0:
            models[name] = (fine, model_rates(fits, fine, 0.75e-9))
    brackets = list(thresholds(folder))
    return pictures.switching(counts, NAMES, curves, models, RATE, brackets)


def tell_switching(counts: SwitchingCounts, fits: SwitchingFits) -> None:
    """Print what the switching model makes of the counts; chi-squared on the deviance."""
    for place, cell in enumerate(counts.cells):
        delta, vc0, tau_d = fits.estimate[place]
        p_value = chi2.sf(fits.deviance[place], fits.dof[place])
        print(
            f"cell {NAMES[int(cell)]} to {counts.targets[place].value}: STT, exponent "
            f"{fits.barrier_exponent:g}: delta {delta:.0f}, vc0 {vc0:.3f} V, tau_d "
            f"{tau_d * 1e12:.2g} ps, converged {bool(fits.converged[place])}, deviance "
            f"{fits.deviance[place]:.1f} on {fits.dof[place]}, p = {p_value:.2g}"
        )


def model_rates(fits: SwitchingFits, volts: Values, width: float) -> Values:
    """(cells, amplitudes) error rates of the fitted switching model."""
    delta, vc0, tau_d = (torch.from_numpy(column)[:, None] for column in fits.estimate.T)
    current = torch.from_numpy(volts)[None] / vc0
    return log_wer(current, width / tau_d, delta, fits.barrier_exponent).exp().numpy()


def thresholds(folder: Path) -> Iterator[tuple[float, float, float]]:
    """(width, last amplitude without, first with switching) of the positive pulses of each file."""
    for path in sorted(folder.glob("device2_paperB/device2*.txt")):
        (train,) = read("mtj-pulse-sweep", path).records
        assert isinstance(train, PulseTrain)
        volts, high = -train.amplitude, 1 / train.conductance > 6e3
        to_high = volts > 0
        switched = np.unique(volts[to_high & high]).min()
        without = volts[to_high & ~high & (volts < switched)].max()
        print(f"pulse sweep of {train.width[0] * 1e9:g} ns: switches from {without:.2f} to "
              f"{switched:.2f} V")  # fmt: skip
        yield float(train.width[0]), float(without), float(switched)


def cycling(folder: Path) -> Figure:
    """Both states over 300 cycles of 256 cells."""
    (path,) = folder.glob("cycling-*.csv")
    resistance = 1 / np.stack([r.conductance for r in read("hfox-cycling", path).records])  # type: ignore[union-attr]
    high, low = resistance[:, ::2], resistance[:, 1::2]
    found = cycling_statistics(low, high, np.random.default_rng(0))
    for name, value in found.parameters.items():
        print(f"cycling: {name} {value.estimate:.4g} ({value.low:.4g} to {value.high:.4g})")
    for name, p_value in found.p_values.items():
        print(f"cycling: {name}: p = {p_value:.2g}, {100 * found.rejected[name]:.0f} % of cells")
    memory = {"low": lag_one(np.log(low)), "high": lag_one(np.log(high))}
    return pictures.cycling(low, high, memory, expected_failures(low, high))


def expected_failures(low: Values, high: Values) -> Values:
    """(cells,) fraction of cycles below 2 x LOW, if ln R of both states were normal in each."""
    place, spread = [], []
    for values in (low, high):
        logs = np.log(values)
        place.append(np.median(logs, axis=1))
        spread.append(np.subtract(*np.percentile(logs, [75, 25], axis=1)) / 1.349)
    return ndtr((np.log(2) - (place[1] - place[0])) / np.hypot(*spread))


def resets(folder: Path) -> Figure:
    """RESET sweeps of 50 cells, ten each."""
    (path,) = folder.glob("reset-sweep-*.csv")
    steps = steps_of([r for r in read("hfox-reset-sweep", path).records
                      if isinstance(r, PulseTrain)])  # fmt: skip
    found = sweep_statistics(steps, np.random.default_rng(0))
    for name, volts in found.parameters.items():
        print(f"RESET sweeps: {name} {volts.estimate:.4f} V ({volts.low:.4f} to {volts.high:.4f})")
    print(f"RESET sweeps: e-fold law {found.law[0]:.2f} to {found.law[1]:.2f} V, "
          f"p = {found.p_value:.2g}")  # fmt: skip
    for law in ((found.law[0], 0.95), (found.law[0], 1.1)):
        print(f"RESET sweeps: to {law[1]} V, p = "
              f"{sweep_statistics(steps, np.random.default_rng(0), law).p_value:.2g}")  # fmt: skip
    strong = steps.rise[:, steps.amplitude > 1.0]
    fallen = strong[np.isfinite(strong)] < 0
    print(f"RESET sweeps: above 1 V, {100 * fallen.mean():.0f} % of pulses lower R")
    return pictures.reset_sweeps(steps, found)


def skywater(folder: Path) -> Figure:
    """One cell over its life, and 101 cells left alone."""
    (train,) = read("rram-endurance", folder / "endurance.csv").records
    assert isinstance(train, PulseTrain)
    low, high = 1 / train.conductance[::2], 1 / train.conductance[1::2]
    cycles = 500.0 * np.arange(1, len(low) + 1)
    end = end_of_life(cycles, high < 2 * low)
    print(f"endurance: {end}")
    (path,) = folder.glob("1T4R_*.csv")
    traces = [r for r in read("rram-drift", path).records if isinstance(r, ReadTrace)]
    conductance = np.stack([trace.conductance for trace in traces])
    found = drift_statistics(conductance, np.random.default_rng(0))
    for name, value in found.parameters.items():
        print(f"drift: {name} {value.estimate:.4g} ({value.low:.4g} to {value.high:.4g})")
    print(f"drift: power law p = {found.p_value:.2g}, {100 * found.rejected:.0f} % of cells")
    chosen = np.linspace(0, len(traces) - 1, TELEGRAPHS).astype(int)
    telegraphs = find_telegraphs(conductance[chosen], 1.0, np.random.default_rng(0))
    print(f"drift: {sum(found.is_telegraph for found in telegraphs)} of {TELEGRAPHS} traces are "
          "telegraphs, at 1 % false alarms")  # fmt: skip
    return pictures.life(cycles, low, high, end, conductance)


if __name__ == "__main__":
    main()
