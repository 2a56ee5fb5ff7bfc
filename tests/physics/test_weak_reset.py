import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import expon, ks_2samp, kstest, norm

from crossbar.errors import ConfigurationError
from physics.draws import content, keys, uniforms
from physics.weak_reset import (
    PARAMETER_DRAWS,
    PulseNoise,
    WeakResetPopulation,
    advance,
    after_set,
    log_resistance,
    mean_log_ratio,
    reference_pulses,
)

REFERENCE = Path(__file__).parent.parent / "reference" / "weak_reset.csv"
REFERENCE_CELLS = 400_000
SILENT = PulseNoise(telegraph=False, pink=False)
TELEGRAPH = PulseNoise(pink=False)
PINK = PulseNoise(telegraph=False)
SIGMAS = 5
whole = st.integers(0, 3000)


def drawn(*shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def some_cells(count=2000, seed=1, **population):
    return WeakResetPopulation(**population).cells(drawn(count, PARAMETER_DRAWS, seed=seed))


def given_pulses(cells, pulses, noise, seed=2, state=None):
    """The state after so many pulses, given at once."""
    state = after_set(cells.r0, noise) if state is None else state
    number = torch.as_tensor(pulses, dtype=torch.float64).expand(cells.r0.shape)
    return advance(cells, state, number, drawn(len(cells.r0), noise.draws, seed=seed), noise)


def test_quantiles_of_the_mean_model_are_the_reference():
    """Each reference resistance parts the cells as it should, within both samples' errors."""
    count = 200_000
    cells = some_cells(count)
    lines = [line for line in REFERENCE.read_text().splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        state = given_pulses(cells, float(row["pulses"]), SILENT)
        resistance = log_resistance(cells, state, SILENT).exp() / 1e3
        value, fraction = float(row["kilohm"]), float(row["fraction_below"])
        rounding = 0.5 * 10 ** -len(row["kilohm"].partition(".")[2])
        error = SIGMAS * math.sqrt(fraction * (1 - fraction) * (1 / count + 1 / REFERENCE_CELLS))
        below = float((resistance < value - rounding).double().mean())
        not_above = float((resistance <= value + rounding).double().mean())
        assert below - error <= fraction <= not_above + error, row


@pytest.mark.parametrize(
    ("pulses", "expected"), [(100, 0.074), (500, 0.287), (1000, 0.408), (2000, 0.479)]
)
def test_mean_rise_is_the_reference(pulses, expected):
    """Mean of w over the cells, to the third digit and Monte-Carlo error."""
    count = 200_000
    rise = mean_log_ratio(some_cells(count), torch.tensor(float(pulses), dtype=torch.float64))
    error = float(rise.std()) * math.sqrt(1 / count + 1 / REFERENCE_CELLS)
    assert abs(float(rise.mean()) - expected) < 0.0005 + SIGMAS * error


def test_parameters_follow_the_truncated_distributions():
    """Kolmogorov-Smirnov against scipy's own distributions, cut off."""
    cells = some_cells(20_000)
    population = WeakResetPopulation()
    for sample, law, low, high in (
        (cells.m1, expon(population.m1.location, population.m1.scale), -np.inf, 7.6e-3),
        (cells.t_star.log(), norm(math.log(542.5385224), 0.80338177), math.log(41), math.log(2000)),
        (cells.c1, norm(0.005293141, 0.053208042), -0.15, 0.15),
        (cells.m2, expon(0, 2.8890516951651312e-05), -np.inf, 1.3e-4),
        (cells.r0, norm(6988, 381.7), 6252, 7897),
    ):
        below, above = law.cdf(low), law.cdf(high)
        tested = kstest(
            sample.numpy(),
            lambda x, law=law, below=below, above=above: (law.cdf(x) - below) / (above - below),
        )
        assert tested.pvalue > 1e-6
        assert low <= sample.min()
        assert sample.max() <= high


@given(whole, whole)
@settings(max_examples=30, deadline=None)
def test_without_noise_resistance_never_falls(first, second):
    """More pulses, more resistance; and the straight lines meet at the knee."""
    cells = some_cells(50)
    fewer, more = (
        log_resistance(cells, given_pulses(cells, n, SILENT), SILENT)
        for n in (min(first, second), max(first, second))
    )
    assert bool((more >= fewer).all())
    at_knee = mean_log_ratio(cells, cells.t_star)
    assert torch.allclose(mean_log_ratio(cells, cells.t_star * (1 + 1e-9)), at_knee, atol=1e-9)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_without_noise_only_the_number_of_pulses_counts(train):
    """n pulses at once and one after the other are the same."""
    cells = some_cells(20)
    state = after_set(cells.r0, SILENT)
    for pulses in train:
        state = given_pulses(cells, pulses, SILENT, state=state)
    at_once = given_pulses(cells, sum(train), SILENT)
    assert torch.equal(state.pulses, at_once.pulses)


def test_a_cell_that_gets_no_pulse_keeps_everything():
    """Its telegraph's amplitude, too: defect (c) of the released code."""
    cells, noise = some_cells(), PulseNoise()
    before = given_pulses(cells, 3000, noise)
    after = given_pulses(cells, 0, noise, seed=9, state=before)
    assert bool(before.high.any())
    for name in ("pulses", "high", "level", "samples"):
        assert torch.equal(getattr(after, name), getattr(before, name)), name


def test_telegraph_is_stationary_where_the_chain_says():
    """After many pulses 28.6 % are high, with the reference's amplitudes."""
    count = 200_000
    cells = some_cells(count)
    state = given_pulses(cells, 100_000, TELEGRAPH)
    share = 8e-4 / (8e-4 + 2e-3)
    high = float(state.high.double().mean())
    assert share == pytest.approx(0.286, abs=0.0005)
    assert abs(high - share) < SIGMAS * math.sqrt(share * (1 - share) / count)
    level = state.level[state.high]
    error = float(level.std()) / math.sqrt(len(level))
    assert abs(float(level.mean()) - 0.0625) < SIGMAS * error
    for fraction, expected in ((0.5, 0.035), (0.9, 0.166)):
        spread = SIGMAS * math.sqrt(fraction * (1 - fraction) / len(level))
        assert float((level < expected - 0.0005).double().mean()) - spread < fraction
        assert fraction < float((level < expected + 0.0005).double().mean()) + spread
    assert bool((state.level[~state.high] == 0).all())


@pytest.mark.parametrize(("start_high", "dwell"), [(False, 1250.0), (True, 500.0)])
def test_telegraph_stays_as_long_as_the_chain_says(start_high, dwell):
    """Pulse by pulse: mean pulses until it leaves, with the exponential's own error."""
    count, limit = 1000, 200
    cells = some_cells(count)
    state = after_set(cells.r0, TELEGRAPH)
    state = replace(state, high=torch.full_like(state.high, start_high))
    stayed, exposed, left = torch.ones(count, dtype=torch.bool), 0, 0
    for pulse in range(limit):
        exposed += int(stayed.sum())
        state = given_pulses(cells, 1, TELEGRAPH, seed=100 + pulse, state=state)
        gone = stayed & (state.high != start_high)
        left += int(gone.sum())
        stayed &= ~gone
    assert exposed / left == pytest.approx(dwell, rel=SIGMAS / math.sqrt(left))


def test_many_pulses_at_once_make_the_same_telegraph_as_one_by_one():
    """T^n, against n times T."""
    count = 20_000
    cells = some_cells(count)
    state = after_set(cells.r0, TELEGRAPH)
    for pulse in range(60):
        state = given_pulses(cells, 1, TELEGRAPH, seed=pulse, state=state)
    at_once = given_pulses(cells, 60, TELEGRAPH, seed=999)
    share = 0.5 * float(state.high.double().mean() + at_once.high.double().mean())
    difference = float(state.high.double().mean() - at_once.high.double().mean())
    assert abs(difference) < SIGMAS * math.sqrt(2 * share * (1 - share) / count)
    assert share > 0.03


@pytest.mark.parametrize("pulses", [4, 60])
def test_many_pulses_at_once_make_the_same_resistances_as_one_by_one(pulses):
    """What noise adds to ln R: its distribution, and that of its change by one pulse more."""
    cells, noise = some_cells(20_000), PulseNoise()
    one_by_one = after_set(cells.r0, noise)
    for pulse in range(pulses):
        one_by_one = given_pulses(cells, 1, noise, seed=pulse, state=one_by_one)
    found = []
    for seed, state in ((1000, one_by_one), (2000, given_pulses(cells, pulses, noise, seed=999))):
        last = given_pulses(cells, 1, noise, seed=seed, state=state)
        before, after = (log_resistance(cells, each, noise) for each in (state, last))
        mean = state.r0.log() + mean_log_ratio(cells, state.pulses)
        found.append((before - mean, after - before))

    for slow, fast in zip(*found, strict=True):
        assert ks_2samp(slow.numpy(), fast.numpy()).pvalue > 1e-4


@pytest.mark.parametrize(("centred", "mean"), [(False, 0.0541), (True, 0.0)])
def test_pink_noise_has_the_published_size(centred, mean):
    """Sd 0.0100; as published it adds 0.054, centred it does not."""
    count = 100_000
    noise = PulseNoise(telegraph=False, centred=centred)
    cells = some_cells(count)
    state = given_pulses(cells, 500, noise)
    added = log_resistance(cells, state, noise) - log_resistance(
        cells, given_pulses(cells, 500, SILENT), SILENT
    )
    sd = float(added.std())
    assert sd == pytest.approx(0.0100, abs=0.00005 + SIGMAS * 0.01 / math.sqrt(2 * count))
    assert abs(float(added.mean()) - mean) < 0.00005 + SIGMAS * sd / math.sqrt(count)


def test_pink_samples_move_by_as_many_places_as_pulses():
    """Each cell by its own number; what falls off the end is forgotten."""
    cells = some_cells(3)
    before = given_pulses(cells, 15, PINK)
    state = given_pulses(cells, torch.tensor([0, 4, 30]), PINK, seed=5, state=before)
    assert torch.equal(state.samples[0], before.samples[0])
    assert torch.equal(state.samples[1, 4:], before.samples[1, :-4])
    assert not bool(torch.isin(state.samples[1, :4], before.samples).any())
    assert not bool(torch.isin(state.samples[2], before.samples).any())


def test_pink_noise_is_correlated_as_its_filter_says():
    """Covariance of ln R between pulse n and n + lag: sum of b_k b_(k + lag), / 12, alpha^2."""
    count = 50_000
    cells = some_cells(count, cell_to_cell=False)
    b = np.cumprod([1.0] + [(2 * k - 1) / (2 * k) for k in range(1, 15)])
    before = given_pulses(cells, 20, PINK)
    for lag in (1, 5, 20):
        after = given_pulses(cells, lag, PINK, seed=3, state=before)
        x, y = (log_resistance(cells, state, PINK).numpy() for state in (before, after))
        expected = 0.025**2 / 12 * float(b[lag:] @ b[: len(b) - lag] if lag < len(b) else 0.0)
        error = x.std() * y.std() * math.sqrt(2 / count)
        assert abs(np.cov(x, y)[0, 1] - expected) < SIGMAS * error


@pytest.mark.parametrize("alone", ["cell_to_cell", "cycle_to_cycle", "telegraph", "pink", None])
def test_each_imperfection_can_be_alone(alone):
    """With all others off, ln R spreads through this one only; with none, not at all."""
    population = WeakResetPopulation(
        cell_to_cell=alone == "cell_to_cell", cycle_to_cycle=alone == "cycle_to_cycle"
    )
    noise = PulseNoise(telegraph=alone == "telegraph", pink=alone == "pink")
    cells = population.cells(drawn(500, PARAMETER_DRAWS))
    state = after_set(population.r0_after_set(cells, drawn(500, seed=3)), noise)
    state = given_pulses(cells, 3000, noise, state=state)
    spread = float(log_resistance(cells, state, noise).std())
    assert (spread > 1e-3) == (alone is not None)


def test_a_set_draws_a_new_start_and_keeps_the_cell():
    """No pulses, another R0 for the same parameters; without cycle to cycle the cell's own one."""
    cells = some_cells()
    population = WeakResetPopulation()
    fixed = WeakResetPopulation(cycle_to_cycle=False)
    state = after_set(population.r0_after_set(cells, drawn(2000, seed=7)), PulseNoise())
    assert bool((state.pulses == 0).all() and (state.level == 0).all() and not state.high.any())
    assert abs(float(torch.corrcoef(torch.stack([state.r0, cells.r0]))[0, 1])) < SIGMAS / 2000**0.5
    assert torch.equal(fixed.r0_after_set(cells, drawn(2000, seed=7)), cells.r0)
    log_r = log_resistance(cells, state, PulseNoise())
    assert torch.allclose(log_r, state.r0.log() + cells.c1)


def test_hash_draws_make_cells():
    """A simulated die's draws: the same cell whichever others are made with it."""
    cells = np.arange(100)

    def made(these):
        columns = [uniforms(keys(np.uint64(5), content("weak RESET", i), these)) for i in range(6)]
        return WeakResetPopulation().cells(torch.from_numpy(np.stack(columns, axis=-1)))

    assert torch.equal(made(cells).m1[[7, 3]], made(np.array([7, 3])).m1)


def test_any_shape_and_precision_will_do():
    """A layer's cells in float32 stay float32 and in the layer's shape."""
    noise = PulseNoise()
    cells = WeakResetPopulation().cells(drawn(4, 5, PARAMETER_DRAWS).float())
    uniform = drawn(4, 5, noise.draws).float()
    state = advance(cells, after_set(cells.r0, noise), torch.ones(4, 5), uniform, noise)
    log_r = log_resistance(cells, state, noise)
    assert log_r.shape == (4, 5)
    assert log_r.dtype == torch.float32


def test_a_wrong_number_of_draws_is_refused():
    """The message says how many it takes."""
    cells = some_cells(3)
    with pytest.raises(ConfigurationError, match=r"\*cells, 18"):
        advance(cells, after_set(cells.r0, PulseNoise()), torch.ones(3), drawn(3, 5), PulseNoise())
    with pytest.raises(ConfigurationError, match=r"\*cells, 6"):
        WeakResetPopulation().cells(drawn(3, 5))


@given(st.floats(0.3, 1.0), st.floats(1e-8, 1e-5), st.floats(0.01, 0.2))
def test_strength_grows_with_amplitude_and_width(volts, width, more):
    """e-fold with 62 mV, in proportion to the width; a SET pulse does not count."""
    strength = reference_pulses(-volts, width)
    assert reference_pulses(-volts - more, width) / strength == pytest.approx(
        math.exp(more / 0.062), rel=1e-9
    )
    assert reference_pulses(-volts, 2 * width) == pytest.approx(2 * strength)
    assert reference_pulses(volts, width) == 0


def test_strength_counts_for_the_mean_and_not_for_the_noise():
    """Pulses of half strength raise ln R half as far, and shake as often."""
    cells, noise = some_cells(), PulseNoise()
    start = after_set(cells.r0, noise)
    args = (torch.full_like(cells.r0, 40.0), drawn(2000, noise.draws), noise)
    whole, half = advance(cells, start, *args), advance(cells, start, *args, strength=0.5)
    assert bool((half.pulses == 20).all())
    assert torch.equal(half.samples, whole.samples)
    assert torch.equal(half.high, whole.high)


def test_strength_is_that_of_the_measured_array(data_dir):
    """Mean rise of ln R of a real array's LOW cells by single pulses, from 0.6 to 0.8 V."""
    folder = data_dir / "measured-cells" / "hfox-1t1r-sweeps"
    sweep = np.loadtxt(folder / "reset-sweep-sl-200ns-step-0.05-9-21-20.csv")
    volts, before, after = sweep[:, 2], sweep[:, 4], sweep[:, 5]
    for level in (0.60, 0.65, 0.70, 0.75, 0.80):
        rise = np.log(after / before)[(abs(volts - level) < 0.01) & (before < 7e3)]
        expected = 6.9e-4 * reference_pulses(-level, 200e-9)
        error = rise.std() / math.sqrt(len(rise))
        assert abs(rise.mean() - expected) < 3 * error + 0.1 * expected
