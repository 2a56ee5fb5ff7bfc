"""What an adaptive run finds: stored with its points, shown, and the same after a break."""

import json
from dataclasses import replace

import pytest

from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from db.rows import Estimate
from lab.amplitude_fits import LOWEST_RATE, lowest_rates
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.resuming import resume_run
from lab.runs import start_run
from lab.session import session
from lab.telling import flags_of
from protocols.adaptive_write_error_rate import AdaptiveWriteErrorRateParameters

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

    assert len(points) > 40
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


def test_lab_run_shows_them(lab):
    """As a table for people, as numbers for programs."""
    outcome = lab(
        "run", "adaptive-write-error-rate", "--simulated", "--dies", "0,0", "--json",
        "--set", "sample=1", "--set", "relative_width=0.05", "--set", 'targets=["low"]',
    )  # fmt: skip

    assert outcome.returncode == 0, outcome.stderr
    assert "amplitude at 1e-06" in outcome.stderr
    amplitude, switching = json.loads(outcome.stdout)["fits"]
    assert (amplitude["kind"], switching["kind"]) == ("amplitude", "switching")
    estimate, low, high = amplitude["parameters"]["amplitude at 1e-06"]
    assert 0.4 < low < estimate < high < 1.0
    assert amplitude["assumptions"]["extrapolated"] == "1e-06, 1e-09, 1e-12"
