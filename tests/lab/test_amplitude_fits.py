"""What an adaptive run finds: stored with its points, shown, and the same after a break."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crossbar.estimate import Estimate
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from lab.amplitude_fits import LOWEST_RATE, lowest_rates
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.fits_in_words import flags_of
from lab.resuming import resume_run
from lab.runs import start_run
from lab.session import session
from physics.mtj_anomalies import MtjAnomalies
from protocols.adaptive_write_error_rate import CHECK, AdaptiveWriteErrorRateParameters

DIE = DieAddress(0, 0)
PARAMETERS = AdaptiveWriteErrorRateParameters(sample=3, relative_width=0.04)
POINT = WerPoint(
    cell=3,
    target=State.LOW,
    amplitude=0.4,
    width=2e-8,
    attempts=100,
    errors=20,
    rejected=0,
    interval_low=0.13,
    interval_high=0.29,
    confidence=0.95,
    execution="board",
    stopped_by="design",
)


def interrupted_after(records):
    """A listener that presses Ctrl-C."""

    def listen(event, die, stored):
        if stored == records:
            raise KeyboardInterrupt

    return listen


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """(fits of the die, points, truth) of a run that was broken off and resumed."""
    database = str(tmp_path_factory.mktemp("adaptive") / "adaptive.sqlite")
    chosen = chosen_bench(None, True, 3)
    with session(chosen, database) as opened, pytest.raises(KeyboardInterrupt):
        start_run(
            opened.store,
            opened.bench,
            "adaptive-write-error-rate",
            PARAMETERS,
            [DIE],
            interrupted_after(25),
        )
    with session(chosen, database) as opened:
        resume_run(opened.store, opened.bench, 1)
        fits = store_fits(opened.store, 1)[DIE]
        stored = opened.store.fits(1, DIE, run_id=1, kind="amplitude")
        assert {(fit.cell, fit.target): fit for fit in stored} == {
            (fit.cell, fit.target): fit for fit in fits if fit.kind == "amplitude"
        }
        truth = opened.bench.simulation.station.wafer.die(DIE).truth.cells
        return fits, opened.store.records(1, DIE, WerPoint), truth


def test_a_resumed_run_reaches_the_precision(measured):
    """The first 25 records are kept, and what follows builds on them."""
    fits, points, _ = measured
    wanted = [fit for fit in fits if fit.kind == "amplitude"]

    assert len([point for point in points if point.stopped_by != CHECK]) > 40
    assert len({point.key for point in points}) == len(points)
    assert len(wanted) == len({(p.cell, p.target) for p in points if p.attempts})
    for fit in wanted:
        found = fit.parameters["amplitude at 1e-06"]
        assert fit.converged
        assert found.high / found.low < 1.041


def test_every_rate_has_an_amplitude_with_its_interval(measured):
    """Rarer errors need larger amplitudes, and are known less well."""
    for fit in measured[0]:
        if fit.kind != "amplitude":
            continue
        values = [fit.parameters[f"amplitude at {wer}"] for wer in ("1e-06", "1e-09", "1e-12")]
        assert values[0].estimate < values[1].estimate < values[2].estimate
        assert all(found.low < found.estimate < found.high for found in values)
        assert fit.parameters[LOWEST_RATE].estimate > 1e-3
        assert fit.assumptions["extrapolated"] == "1e-06, 1e-09, 1e-12"
        assert fit.assumptions["width"] == 20e-9
        assert "extrapolated" in flags_of(fit)


def test_the_switching_parameters_stand_beside_it(measured):
    """Delta, V_c0 and tau_D of the same cells, with the same checks."""
    fits, _, truth = measured
    by_kind = {kind: [f for f in fits if f.kind == kind] for kind in ("amplitude", "switching")}

    assert len(by_kind["amplitude"]) == len(by_kind["switching"]) > 0
    for wanted, fit in zip(by_kind["amplitude"], by_kind["switching"], strict=True):
        assert (wanted.cell, wanted.target) == (fit.cell, fit.target)
        assert wanted.checks == fit.checks
        vc0 = truth.vc0_low if fit.target is State.LOW else truth.vc0_high
        assert fit.parameters["vc0"].estimate == pytest.approx(vc0[fit.cell], rel=0.2)


def test_the_lowest_rate_is_the_one_that_is_surely_lowest():
    """A rate from few attempts is not lower for having no errors; empty blocks do not count."""
    few = replace(POINT, attempts=5, errors=0, interval_low=0.0, interval_high=0.52)
    none = replace(POINT, attempts=0, errors=0, interval_low=0.0, interval_high=0.0)

    assert lowest_rates([few, POINT, none]) == {
        (3, State.LOW): Estimate(estimate=0.2, low=0.13, high=0.29)
    }


def test_check_attempts_are_told_apart_from_what_they_check(measured):
    """Rates at the amplitude and above, beside the predicted ones, in a fit of their own; sound
    cells agree.
    """
    fits, points, _ = measured
    checks = [fit for fit in fits if fit.kind == "check"]

    assert len(checks) == len([fit for fit in fits if fit.kind == "amplitude"])
    for fit in checks:
        own = [p for p in points if (p.cell, p.target) == (fit.cell, fit.target)]
        at, above = sorted(abs(p.amplitude) for p in own if p.stopped_by == CHECK)
        assert fit.parameters["volts at the amplitude"].estimate == at
        assert fit.parameters["volts above it"].estimate == above
        assert fit.parameters["predicted at the amplitude"].estimate == pytest.approx(1e-6, rel=0.2)
        assert fit.parameters["rate above it"].estimate == 0
        assert not fit.checks["prediction"].flagged


def test_cells_that_hop_back_above_their_amplitude_are_flagged(tmp_path):
    """Half of the cells, from 0.85 V on: nothing of it at the pulses that the search gives."""
    chosen = chosen_bench(None, True, 3)
    mtj = replace(
        chosen.configuration.simulation.mtj,
        anomalies=MtjAnomalies(back_hopping=0.5, back_hopping_voltage=0.85),
    )
    simulation = chosen.configuration.simulation.model_copy(
        update={"mtj": mtj, "defect_scale": 0.0}
    )
    chosen = replace(
        chosen, configuration=chosen.configuration.model_copy(update={"simulation": simulation})
    )
    parameters = AdaptiveWriteErrorRateParameters(
        sample=9, targets=(State.LOW,), relative_width=0.06, restore_amplitude=0.65
    )  # restored below the voltage where they hop
    with session(chosen, str(tmp_path / "hopping.sqlite")) as opened:
        run = start_run(
            opened.store, opened.bench, "adaptive-write-error-rate", parameters, [DIE]
        ).run
        fits = store_fits(opened.store, run)[DIE]
        cells = opened.bench.simulation.station.wafer.die(DIE).truth.cells
    found = {
        kind: {fit.cell for fit in fits if fit.kind == kind and any_flag(fit)}
        for kind in ("amplitude", "check")
    }
    measured = {fit.cell for fit in fits if fit.kind == "check"}
    hopping = {cell for cell in measured if np.isfinite(cells.back_hopping_voltage[cell])}

    assert 2 <= len(hopping) <= 7
    assert found["check"] == hopping
    assert not found["amplitude"] & hopping


def any_flag(fit):
    """Whether a check of a fit failed."""
    return any(check.flagged for check in fit.checks.values())


def test_lab_run_shows_them(lab):
    """As a table for people, as numbers for programs."""
    outcome = lab(
        "run", "adaptive-write-error-rate", "--simulated", "--dies", "0,0", "--json",
        "--set", "sample=1", "--set", "relative_width=0.05", "--set", 'targets=["low"]',
    )  # fmt: skip

    assert outcome.returncode == 0, outcome.stderr
    assert "amplitude at 1e-06" in outcome.stderr
    amplitude, switching, check = json.loads(outcome.stdout)["fits"]
    kinds = (amplitude["kind"], switching["kind"], check["kind"])
    assert kinds == ("amplitude", "switching", "check")
    estimate, low, high = amplitude["parameters"]["amplitude at 1e-06"]
    assert 0.4 < low < estimate < high < 1.0
    assert amplitude["assumptions"]["extrapolated"] == "1e-06, 1e-09, 1e-12"
