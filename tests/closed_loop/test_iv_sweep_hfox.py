"""SET and RESET voltages of HfOx cells through the instruments, beside what the cells are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse, State
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from physics.hfox import HfOxPopulation
from protocols.iv_sweep import IvSweepParameters
from protocols.write_error_rate import WriteErrorRateParameters

DIE = DieAddress(0, 0)
SWEEP = IvSweepParameters(
    sample=60, max_voltage=0.2, write_amplitude=2.0, write_width=1e-6, switching_stop=2.0, steps=2
)
ERRORS = WriteErrorRateParameters(
    sample=6, amplitudes=(0.8, 2.0), widths=(1e-6,), restore_amplitude=2.0, restore_width=1e-6,
    read_amplitude=0.2, first_chunk=100, max_attempts=200,
)  # fmt: skip


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """(fits of the sweep, of the write errors, formed die), without spread from cycle to cycle."""
    chosen = chosen_bench(Path("hfox"), False, 2)
    simulation = chosen.configuration.simulation.model_copy(
        update={"hfox": HfOxPopulation(threshold_cycle_to_cycle=0.0)}
    )
    configuration = chosen.configuration.model_copy(update={"simulation": simulation})
    database = str(tmp_path_factory.mktemp("iv") / "iv.sqlite")
    with session(replace(chosen, configuration=configuration), database) as opened:
        die = opened.bench.simulation.station.wafer.die(DIE)
        die.form_all()
        formed = die.snapshot()
        runs = [
            start_run(opened.store, opened.bench, name, parameters, [DIE]).run
            for name, parameters in (("iv-sweep", SWEEP), ("write-error-rate", ERRORS))
        ]
        sweep, errors = (store_fits(opened.store, run)[DIE] for run in runs)
        die.restore(formed)
        return sweep, errors, die


def steps_of(die, cells):
    """The same pulses again, without instruments and noise: Siemens, (pulses + 1, cells) each, on
    the way to LOW and to HIGH.
    """
    once = {target: Pulse.writing(target, 2.0, 1e-6) for target in State}
    die.pulse(cells, once[State.LOW])
    die.pulse(cells, once[State.HIGH])
    found = []
    for target in State:
        die.pulse(cells, once[target])
        die.pulse(cells, once[target.other])
        rows = [die.conductance(cells, 0.2)]
        for pulse in SWEEP.ramp(target).pulses:
            die.pulse(cells, pulse)
            rows.append(die.conductance(cells, 0.2))
        found.append(np.stack(rows))
    return found


def test_voltages_are_those_of_the_pulses_that_switched_the_cells(fitted):
    """Each within its step of 50 mV: SET at the cell's own voltage, RESET where the resistance, as
    it really was, had doubled.
    """
    (_, *cells), _, die = fitted
    told = [fit for fit in cells if fit.converged]
    at = np.array([fit.cell for fit in told])
    to_low, to_high = steps_of(die, at)
    magnitudes = np.array([0.0, *(abs(p.amplitude) for p in SWEEP.ramp(State.LOW).pulses)])
    doubled = magnitudes[np.argmax(to_high < 0.5 * to_high[0], axis=0)]
    jumped = magnitudes[np.argmax(to_low > np.sqrt(to_low[0] * to_low.max(axis=0)), axis=0)]
    own = die.truth.cells.set_voltage[at]
    sets, resets = (
        np.array([(f.parameters[n].low, f.parameters[n].high) for f in told])
        for n in ("set_voltage", "reset_voltage")
    )

    assert len(told) > 40
    assert np.mean(sets[:, 1] == jumped) > 0.95
    assert np.mean(resets[:, 1] == doubled) > 0.8  # the others by noise, near the limit of a step
    assert np.mean(np.abs(resets[:, 1] - doubled) < 0.051) > 0.95
    clear = to_low[-1] > 5 * to_low[0]
    assert np.all((sets[clear, 0] <= own[clear]) & (own[clear] <= sets[clear, 1]))


def test_medians_cover_those_of_the_population(fitted):
    """Of the SET voltage, of LOW and of what HIGH these cells have."""
    (medians, *cells), _, die = fitted
    at = np.array([fit.cell for fit in cells])
    sets, low, high = (
        medians.parameters[name] for name in ("set_voltage", "low_resistance", "high_resistance")
    )

    assert sets.low <= die.truth.population.set_voltage <= sets.high
    assert low.low <= 1.05 / die.truth.population.median_low
    assert low.high >= 0.95 / die.truth.population.median_low
    assert high.low <= np.median(1 / die.conductance_in(at, State.HIGH, 0.2)) <= high.high


def test_write_errors_of_hfox_cells_are_rates_by_direction(fitted):
    """Pulses at the threshold fail more often than strong ones, in every cell together."""
    _, errors, _ = fitted
    together = [fit for fit in errors if fit.cell is None]

    assert [fit.target.value for fit in together] == ["low", "high"]
    for fit in together:
        weak, strong = fit.parameters["800 mV 1 µs"], fit.parameters["2 V 1 µs"]
        assert strong.low <= strong.estimate <= strong.high < weak.low
    assert {fit.kind for fit in errors if fit.cell is not None} == {"write errors"}
