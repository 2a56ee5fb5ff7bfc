"""Measure a wafer, make its twin, measure the twin: the loop closes."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from analysis.switching_both_ways import fit_both_ways
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.configuration import built_in_text, read_configuration, write_configuration
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from lab.twins import bench_of_twin, keep, kept_truths, twin_of
from protocols.array_map import ArrayMapParameters
from protocols.write_error_rate import WriteErrorRateParameters

DIES = [DieAddress(0, 0), DieAddress(1, 0)]
NOISE = 0.005
"""Of one reading, relative: that of the built-in cells."""


def measured(chosen, database):
    """Map two dies and count the errors of ten cells of each; returns the wafer's number."""
    with session(chosen, database) as opened:
        start_run(opened.store, opened.bench, "array-map", ArrayMapParameters(), DIES)
        parameters = WriteErrorRateParameters(sample=10, max_attempts=20_000)
        run = start_run(opened.store, opened.bench, "write-error-rate", parameters, DIES).run
        store_fits(opened.store, run)
        return opened.store.run(run).wafer_id


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """A database with a measured wafer and its measured twin, and the twin's truths."""
    database = str(tmp_path_factory.mktemp("twin") / "lab.sqlite")
    chosen = chosen_bench(None, True, 3)
    original = measured(chosen, database)
    with Store.open(database) as store:
        (wafer,) = store.wafers()
        twin = twin_of(store, wafer, seed=8)
        keep(store, twin, "twin")
        truths = kept_truths(store, "twin")
    bench = bench_of_twin(chosen.configuration, twin, "twin", seed=77)
    copied = measured(chosen.__class__(configuration=bench, source="twin.toml"), database)
    return database, original, copied, truths, twin


def test_the_maps_agree_within_noise(loop):
    """Both conductances of every cell: three readings' noise apart, and no more."""
    database, original, copied, _, _ = loop
    with Store.open(database) as store:
        for die in DIES:
            first, second = (store.defect_map(wafer, die) for wafer in (original, copied))
            healthy = (first.classes == 0) & (second.classes == 0)
            for state in ("low", "high"):
                one, two = getattr(first, state)[healthy], getattr(second, state)[healthy]
                apart = np.log(two / one)
                # A cell that failed to switch at its only write is seen in its other state.
                assert np.mean(np.abs(apart) > 6 * NOISE) < 1e-3
                assert np.std(apart[np.abs(apart) < 6 * NOISE]) == pytest.approx(NOISE, rel=0.1)


def test_defects_are_those_of_the_measured_wafer(loop):
    """The twin's classes are the map's; what is measured of it differs in cells at a limit only."""
    database, original, copied, truths, _ = loop
    with Store.open(database) as store:
        for die in DIES:
            first, second = (store.defect_map(wafer, die) for wafer in (original, copied))
            assert np.array_equal(truths[die].classes, first.classes.ravel())
            gone = np.isin(first.classes, (1, 2))
            assert np.array_equal(gone, np.isin(second.classes, (1, 2)))
            assert np.mean(first.classes != second.classes) < 1e-3


def test_fits_of_the_twin_cover_what_was_fitted(loop):
    """95 % intervals of the twin's cells hold the parameters that its cells were given."""
    database, _, copied, truths, _ = loop
    held = []
    with Store.open(database) as store:
        for die in DIES:
            cells = truths[die].cells
            for fit in store.fits(copied, die):
                critical = cells.vc0_low if fit.target is State.LOW else cells.vc0_high
                real = {"delta": cells.delta, "vc0": critical, "tau_d": cells.tau_d}
                held += [
                    found.low <= real[name][fit.cell] <= found.high
                    for name, found in fit.parameters.items()
                    if name in real
                ]

    assert len(held) >= 100
    assert binomtest(sum(held), len(held), 0.95, alternative="less").pvalue > 0.01


def test_unmeasured_cells_are_of_the_fitted_population(loop):
    """Not of the built-in one: their medians are those that were fitted."""
    _, _, _, truths, twin = loop
    everything = np.concatenate([truths[die].cells.vc0_low for die in DIES])

    assert twin.fitted_cells == 19  # one cell is short
    assert np.median(everything) == pytest.approx(twin.population["vc0_low"], rel=2e-3)
    assert np.std(np.log(everything)) == pytest.approx(twin.population["vc0_spread"], rel=0.05)


def test_a_wafer_without_maps_has_no_twin(tmp_path):
    """The message says what to measure."""
    with Store.open(tmp_path / "lab.sqlite") as store:
        geometry = chosen_bench(None, True).configuration.wafer.geometry
        store.wafer("empty", geometry, "mtj")
        store.wafer("other", geometry, "hfox")
        empty, other = sorted(store.wafers(), key=lambda wafer: wafer.id)
        with pytest.raises(DataError, match="lab run array-map"):
            twin_of(store, empty, 1)
        with pytest.raises(ConfigurationError, match="MTJs only"):
            twin_of(store, other, 1)


def test_the_command_makes_a_bench_that_runs(lab):
    """`lab twin WAFER`, then plan and run with the bench file that it wrote."""
    for command in (
        ["run", "array-map", "--simulated", "--dies", "1"],
        ["twin", "simulated-1"],
        ["plan", "array-map", "--bench", "twin.toml"],
        ["run", "array-map", "--bench", "twin.toml"],
    ):
        finished = lab(*command)
        assert finished.returncode == 0, finished.stderr
    assert "1 dies" in finished.stdout
    again = lab("twin", "simulated-1")
    assert again.returncode != 0
    assert "another name" in again.stderr
    unknown = lab("twin", "nobody", "--json")
    assert "simulated-1" in unknown.stderr
    assert json.loads(lab("twin", "simulated-1", "--name", "b", "--json").stdout)["dies"] == 1


def test_points_of_both_directions_come_from_every_run(loop):
    """The fit of the twin is that of all counts of the wafer."""
    database, original, *_ = loop
    from lab.twins import written_points

    with Store.open(database) as store:
        wafer = next(row for row in store.wafers() if row.id == original)
        points = written_points(store, wafer, DIES)
    found = fit_both_ways(points)

    assert len(found.cells) == 19  # one cell is short
    assert found.cells.max() >= wafer.geometry.cells  # the second die's cells are numbered on


def test_a_bench_of_other_cells_gets_no_twin(loop, lab, tmp_path):
    """Nothing is stored or written: no bench file that could not be opened, no name taken."""
    database, *_ = loop
    done = lab("twin", "simulated-3", "--bench", "hfox", "--name", "t", "--database", database)

    assert done.returncode == 2
    assert "no table [limits.mtj]" in done.stderr
    assert not (tmp_path / "twin.toml").exists()
    with Store.open(database) as store, pytest.raises(DataError):
        kept_truths(store, "t")


@pytest.mark.parametrize("place", ["bench.toml", "absent/twin.toml"])
def test_a_real_bench_is_not_written_over(place, loop, lab, tmp_path):
    """And where nothing can be written no name is taken either."""
    database, *_ = loop
    real = built_in_text().partition("[simulation]")[0]
    (tmp_path / "bench.toml").write_text(real)
    done = lab("twin", "simulated-3", "--out", place, "--name", "t", "--database", database)

    assert done.returncode == 2
    assert place in done.stderr
    assert (tmp_path / "bench.toml").read_text() == real
    with Store.open(database) as store, pytest.raises(DataError):
        kept_truths(store, "t")


def test_what_was_written_here_is_written_over(tmp_path):
    """Such as simulated.toml, whose bench looks like a real one to its clients."""
    configuration = chosen_bench(None, True, 3).configuration.model_copy(
        update={"simulation": None}
    )
    for name in ("one", "two"):
        wafer = configuration.wafer.model_copy(update={"name": name})
        write_configuration(configuration.model_copy(update={"wafer": wafer}), tmp_path / "s.toml")

    assert read_configuration(tmp_path / "s.toml")[0].wafer.name == "two"
