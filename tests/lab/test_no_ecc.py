"""`lab reproduce no-ecc`: its own machinery, and the whole of it on small digits."""

import math

import pytest

from analysis.mean_interval import mean_interval
from crossbar.geometry import DieAddress
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.reproduce.no_ecc import findings
from lab.reproduce.no_ecc.energy import WIDTHS, condition, mean_population, saving, saving_over
from lab.reproduce.no_ecc.paper import PAPER
from lab.reproduce.no_ecc.plan import DIGITS, QUICK, WRITTEN
from lab.reproduce.no_ecc.results import FRESH, PLAIN, STATIC, NetworkResult
from lab.reproduce.no_ecc.telling import borne, borne_ends
from lab.reproduce.reproducing import Reproduction, reproduce
from physics.mtj import MtjPopulation
from physics.write_pulses import bit_error_rate


def made_up(*losses: tuple[float, float, float]) -> NetworkResult:
    """A network of 90 % without errors, which loses so much at 0.1, 1 and 10 %, a row a seed."""
    plain = [
        {
            "perfect": 0.9,
            "static": [[0.9 - loss - 0.01, 0.9 - loss + 0.01] for loss in of_seed],
            "fresh": [0.9 - loss for loss in of_seed],
        }
        for of_seed in losses
    ]
    written = [{"held": 0.9 - of_seed[0]} for of_seed in losses]
    return NetworkResult(
        plan=DIGITS,
        seeds=range(1, len(losses) + 1),
        outcomes={PLAIN: plain, (FRESH, DIGITS.aware): plain, (WRITTEN, 1e-3): written},
    )


def test_losses_are_against_the_same_seed_and_dies_are_averaged():
    """Two dies, a point above and below: their standard deviation is a point times root two."""
    found = made_up((0.001, 0.01, 0.2), (0.003, 0.02, 0.3))

    assert found.loss(PLAIN, STATIC, 1e-3).mean == pytest.approx(0.002)
    assert found.loss(PLAIN, FRESH, 1e-1).mean == pytest.approx(0.25)
    assert found.loss_of_writing(1e-3).mean == pytest.approx(0.002)
    assert found.die_spread(1e-2) == pytest.approx(0.01 * math.sqrt(2))


def test_the_rate_that_is_borne_is_a_geometric_mean_over_seeds():
    """Half a point is crossed at 10^-2.5 by one seed, at 10^-2 by the other."""
    rate = made_up((0.0, 0.01, 0.2), (0.0, 0.005, 0.2)).borne(PLAIN, STATIC)

    assert rate.seeds == pytest.approx([10**-2.5, 10**-2])
    assert rate.mean == pytest.approx(10**-2.25)
    assert rate.low < min(rate.seeds)
    assert rate.high > max(rate.seeds)
    assert borne(rate) == "0.56 %"


def test_a_rate_beyond_those_graded_is_no_number():
    """What is known is said, and decides a claim where it can."""
    found = made_up((0.0, 0.0, 0.0), (0.0, 0.0, 0.2))
    rate = found.borne(PLAIN, STATIC)

    assert borne(rate) == "beyond the rates graded: 1 above of 2 seeds"
    assert borne_ends(rate) == "none"
    assert findings.of_borne_rate(found).holds is True
    assert findings.of_aware_training(found).holds is None
    low = made_up((0.1, 0.1, 0.1), (0.0, 0.0, 0.2))
    assert findings.of_borne_rate(low).holds is None


def test_a_loss_decides_only_with_its_whole_interval():
    """Within half a point, beyond it, or around it."""
    verdicts = [
        [finding.holds for finding in findings.of_accuracy(made_up(*losses))]
        for losses in (
            [(0.001, 0, 0), (0.001, 0, 0), (0.0012, 0, 0)],
            [(0.05, 0, 0), (0.05, 0, 0), (0.052, 0, 0)],
            [(0.001, 0, 0), (0.001, 0, 0), (0.01, 0, 0)],
            [(0.001, 0, 0)],
        )
    ]
    assert verdicts == [[True] * 3, [False] * 3, [None] * 3, [None] * 3]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_condition_has_the_rate_that_was_asked_for(width):
    """And more errors take less energy, down from the reference."""
    population = MtjPopulation()
    factors = []
    for rate in (1e-6, 1e-3, 1e-1):
        pulse = condition(population, width, rate).pulse
        assert bit_error_rate(population, pulse) == pytest.approx(rate, rel=1e-3)
        factors.append(saving(population, width, rate))
    assert 1 < factors[0] < factors[1] < factors[2]


def test_dies_are_averaged_parameter_by_parameter():
    """The mean of equal dies is each of them, and their factors have no spread."""
    one = MtjPopulation(vc0_spread=0.04)
    other = MtjPopulation(vc0_spread=0.06)
    dies = {DieAddress(0, 0): one, DieAddress(1, 0): other}

    assert mean_population(dies).vc0_spread == pytest.approx(0.05)
    assert mean_population(dies).laws == one.laws
    found = saving_over(dies, WIDTHS[0], 1e-2)
    assert found == mean_interval([saving(each, WIDTHS[0], 1e-2) for each in (one, other)])


def test_the_whole_experiment_on_small_digits(tmp_path):
    """Findings, tables and pictures; what the bench measures is near what its cells are."""
    database = str(tmp_path / "lab.sqlite")
    with Store.open(database) as store:
        reproduction = Reproduction(
            paper="no-ecc",
            store=store,
            database=database,
            bench=chosen_bench(None, True),
            quick=True,
            seeds=(1, 2),
        )
        result = reproduce(PAPER, reproduction).result

    energy = result.findings[-2:]
    truths = [saving(MtjPopulation(), width, 1e-3) for width in WIDTHS]
    assert [float(each.found) for each in energy] == pytest.approx(truths, rel=0.1)
    accuracies, borne_rates, conditions, _ = result.sections
    rows = {row[0]: row for row in accuracies.tables[0].rows}
    percent = {ber: float(str(row[1]).split()[0]) for ber, row in rows.items()}
    assert percent["0"] > 80
    assert percent["0.1"] < percent["0.001"] - 5
    assert len(borne_rates.tables[0].rows) == 4 * len(QUICK.networks)
    assert {len(row) for table in conditions.tables for row in table.rows} == {9, 3}
    assert len(accuracies.figures) == len(conditions.figures) == 1
    assert all(one.sensitivity for one in result.ours)
