"""Do the 95 % intervals of `iv-sweep` on HfOx cover the truth, through the instruments?

Formed cells of one simulated die are given the rising pulses of `iv-sweep` through drivers and
bytes. Medians over groups of 40 cells, fitted from the stored records, are compared with those of
5,000 cells of the die that get the same pulses without instruments. A voltage is known to a step of
50 mV only, and its interval has the whole step: it holds more often than stated.

    python -m benchmarks.coverage_switching_voltage [--cells 4000] [--seed 1]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage_mtj import groups
from benchmarks.coverage_table import HEAD, Tallies
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from crossbar.records import PulseTrain
from lab.chosen_bench import chosen_bench
from lab.hfox_fits import WINDOW, switching_voltage_fits
from lab.runs import start_run
from lab.session import session
from physics.hfox_die import HfOxDie
from protocols.iv_sweep import IvSweepParameters

FloatArray = NDArray[np.float64]
DIE = DieAddress(0, 0)
MANY = 5_000
"""Cells whose medians count as the truth: known ten times as well as those of a group."""
READ, WRITE, WIDTH = 0.2, 2.0, 1e-6


def parameters(cells: int) -> IvSweepParameters:
    """Those of docs/hfox.md, with the fewest voltages below the read limit."""
    return IvSweepParameters(
        sample=cells,
        max_voltage=READ,
        write_amplitude=WRITE,
        write_width=WIDTH,
        switching_stop=2.0,
        steps=2,
    )


def coverage(cells: int, seed: int, folder: Path) -> Tallies:
    """SET and RESET voltage, and the resistances of both states."""
    tallies = Tallies("iv-sweep, HfOx")
    chosen = chosen_bench(Path("hfox"), False, seed)
    with session(chosen, str(folder / "coverage.sqlite")) as opened:
        die = opened.bench.simulation.station.wafer.die(DIE)
        die.form_all()
        formed = die.snapshot()
        run = start_run(opened.store, opened.bench, "iv-sweep", parameters(cells), [DIE]).run
        trains, row = opened.store.records(run, DIE, PulseTrain), opened.store.run(run)
        die.restore(formed)
        truth = true_medians(die, np.random.default_rng(seed))
    for group in groups(trains, seed):
        found = switching_voltage_fits(group, row)[0].parameters
        for name, real in truth.items():
            tallies.see(name.replace("_", " "), found[name], real)
    return tallies


def true_medians(die: HfOxDie, generator: np.random.Generator) -> dict[str, float]:
    """Of the cells of a formed die that have a window; readings have the cells' noise, as in a run.
    Between two pulses the share of the cells that have switched is interpolated.
    """
    cells = generator.choice(np.flatnonzero(np.isnan(die.truth.fixed)), MANY, replace=False)
    to_low, to_high = (ramp_of(die, cells, target) for target in State)
    window = to_high[0] > WINDOW * to_low[0]
    to_low, to_high = to_low[:, window], to_high[:, window]
    jumped = to_low > np.sqrt(to_low[0] * to_low.max(axis=0))
    doubled = to_high < 0.5 * to_high[0]
    volts = np.array([0.0, *(abs(p.amplitude) for p in parameters(1).ramp(State.LOW).pulses)])
    return {
        "set_voltage": half_way(volts, jumped),
        "reset_voltage": half_way(volts, doubled),
        "low_resistance": float(1 / np.median(to_high[0])),
        "high_resistance": float(1 / np.median(to_low[0])),
    }


def ramp_of(die: HfOxDie, cells: NDArray[np.intp], target: State) -> FloatArray:
    """(pulses + 1, cells) readings, in siemens, on the way to a state."""
    for state in (target, target.other):
        die.pulse(cells, Pulse.writing(state, WRITE, WIDTH))
    rows = [die.conduct(cells, READ) / READ]
    for pulse in parameters(1).ramp(target).pulses:
        die.pulse(cells, pulse)
        rows.append(die.conduct(cells, READ) / READ)
    return np.stack(rows)


def half_way(volts: FloatArray, passed: NDArray[np.bool_]) -> float:
    """Where half of the cells have passed at that pulse or an earlier one."""
    share = np.maximum.accumulate(passed, axis=0).mean(axis=1)
    return float(np.interp(0.5, share, volts))


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tallies = coverage(options.cells, options.seed, Path(folder))
    print(HEAD, *tallies.lines(), sep="\n")


if __name__ == "__main__":
    main()
