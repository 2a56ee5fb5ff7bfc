"""How often do check attempts flag sound cells, and how often cells with an anomaly?

Cells are drawn from the switching model and counted at the pulses of a good design; check attempts
are made at the amplitude found for 1e-6 at 20 ns and 20 % above (at most 0.9 V), as
`protocols.adaptive_write_error_rate` does, on dies of eight cells. A sound die is flagged falsely
if any of its cells is.

`--counted N` asks something else, of N cells: whether the amplitude's interval holds where check
attempts are counted as ordinary ones, as `lab fit --extrapolate` does.

    python -m benchmarks.amplitude_check [--dies 400 | --counted 2000] [--seed 1]
"""

import argparse
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.amplitude_check import check_amplitudes
from analysis.amplitude_density import AmplitudeForWer, Observed
from analysis.amplitude_interval import AmplitudeFits, fit_amplitudes
from crossbar.pulses import Pulse
from physics.mtj_anomalies import MtjAnomalies
from physics.switching_table import log_hazard
from protocols.adaptive_write_error_rate import AdaptiveWriteErrorRateParameters

Values = NDArray[np.float64]
CELLS = 8
"""Of a die: (cell, direction) pairs that are checked together."""
PARAMETERS = AdaptiveWriteErrorRateParameters()
DESIGN = (np.array([0.285, 0.45, 0.56]), np.array([50e-9, 20e-9, 10e-9]))
"""Volts and seconds: the best design for a typical cell (`docs/experiments.md`)."""
SHARES = np.array([0.24, 0.41, 0.35])
MEDIANS, SPREADS = (60.0, 0.375, 1.9e-9), (0.06, 0.044, 0.05)


def draw_cells(cells: int, generator: np.random.Generator) -> Values:
    """(cells, 3) delta, vc0, tau_d with the spreads of a die."""
    return np.array(MEDIANS) * np.exp(np.array(SPREADS) * generator.normal(size=(cells, 3)))


def count(
    truth: Values,
    amplitude: Values,
    width: Values,
    attempts: Values,
    spoilt: tuple[Values, Values],
    generator: np.random.Generator,
) -> Observed:
    """Counts of n cells at (n, m) pulses; ``spoilt`` are hopping voltages and ballooning heights,
    (n,) each.
    """
    amplitude, width, attempts = np.broadcast_arrays(amplitude, width, attempts)
    delta, vc0, tau_d = (column[:, None] for column in truth.T)
    rate = np.exp(-np.exp(log_hazard(amplitude / vc0, width / tau_d, delta)))
    extra = np.array(
        [
            [
                MtjAnomalies().spoils(Pulse(amplitude=v, width=w), hopping, height).item()
                for v, w in zip(volts, widths, strict=True)
            ]
            for volts, widths, hopping, height in zip(
                amplitude.tolist(), width.tolist(), *(each[:, None] for each in spoilt), strict=True
            )
        ]
    )
    errors = generator.binomial(attempts.astype(int), 1 - (1 - rate) * (1 - extra))
    return Observed(
        amplitude=amplitude, width=width, attempts=attempts, errors=errors.astype(float)
    )


def flagged(
    dies: int,
    generator: np.random.Generator,
    *,
    hopping: float = np.inf,
    height: float = 0.0,
    rate: float = 0.01,
    wer: float = 1e-6,
) -> NDArray[np.bool_]:
    """(dies, CELLS) whether each cell is flagged; the first of each die has the anomaly."""
    cells = dies * CELLS
    truth, quantity = draw_cells(cells, generator), AmplitudeForWer(wer=wer, width=PARAMETERS.width)
    first = np.arange(cells) % CELLS == 0
    spoilt = np.where(first, hopping, np.inf), np.where(first, height, 0.0)
    seen, fits, checks = measured(truth, quantity, spoilt, generator)
    found = []
    for die in range(dies):
        here = np.arange(die * CELLS, (die + 1) * CELLS)
        of_die = (seen.rows(here), fits.rows(here), quantity, checks.rows(here))
        check = check_amplitudes(*of_die, rate)
        found.append(check.p_value < rate)
    return np.array(found)


def measured(
    truth: Values,
    quantity: AmplitudeForWer,
    spoilt: tuple[Values, Values],
    generator: np.random.Generator,
) -> tuple[Observed, AmplitudeFits, Observed]:
    """What is counted at the design's pulses, its fits, and the check attempts."""
    volts, widths = (np.tile(each, (len(truth), 1)) for each in DESIGN)
    design = np.round(31_000 * SHARES) + np.zeros((len(truth), 1))
    seen = count(truth, volts, widths, design, spoilt, generator)
    fits = fit_amplitudes(seen, quantity)
    steps = np.array([1.0, 1.0 + PARAMETERS.check_step])
    asked = np.minimum(fits.estimate[:, None] * steps, PARAMETERS.largest_amplitude)
    attempts = np.where(fits.converged[:, None], PARAMETERS.check_attempts, 0).astype(float)
    checks = count(truth, asked, np.full_like(asked, PARAMETERS.width), attempts, spoilt, generator)
    return seen, fits, checks


def tell_counted(cells: int, generator: np.random.Generator) -> None:
    """How often the amplitude's interval holds without the check attempts, and with them."""
    truth = draw_cells(cells, generator)
    sound = np.full(cells, np.inf), np.zeros(cells)
    for wer in (1e-6, 1e-2):
        quantity = AmplitudeForWer(wer=wer, width=PARAMETERS.width)
        seen, _, checks = measured(truth, quantity, sound, generator)
        both = Observed(
            **{
                field.name: np.hstack([getattr(seen, field.name), getattr(checks, field.name)])
                for field in fields(Observed)
            }
        )
        for asked in dict.fromkeys((wer, 1e-9)):
            wanted = AmplitudeForWer(wer=asked, width=PARAMETERS.width)
            real = true_amplitudes(truth, wanted)
            for name, counts in (("without", seen), ("with", both)):
                fits = fit_amplitudes(counts, wanted)
                held = ((fits.low <= real) & (real <= fits.high))[fits.converged]
                tell(f"amplitude for {asked:g}, {name} checks at that for {wer:g}: held", held)


def true_amplitudes(truth: Values, quantity: AmplitudeForWer) -> Values:
    """(n,) volts at which cells (n, 3) fail at this rate, by bisection."""
    delta, vc0, tau_d = truth.T
    low, high = np.full(len(truth), 0.1), np.full(len(truth), 3.0)
    for _ in range(50):
        middle = (low + high) / 2
        rate = -np.exp(log_hazard(middle / vc0, quantity.width / tau_d, delta))
        weak = rate > np.log(quantity.wer)
        low, high = np.where(weak, middle, low), np.where(weak, high, middle)
    return (low + high) / 2


def tell(name: str, found: NDArray[np.bool_]) -> None:
    """A line: how many of these, with the interval of their share."""
    share = binomtest(int(found.sum()), found.size).proportion_ci()
    print(
        f"{name:58} {found.sum():5} of {found.size:5} = {100 * found.mean():6.2f} % "
        f"({100 * share.low:.2f} to {100 * share.high:.2f})"
    )


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=400)
    parser.add_argument("--counted", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    if options.counted:
        tell_counted(options.counted, generator)
        return
    for wer, rate in ((1e-6, 0.01), (1e-2, 0.01), (1e-2, 0.2)):
        found = flagged(options.dies, generator, rate=rate, wer=wer)
        tell(f"sound dies flagged, WER {wer:g}, stated {100 * rate:g} %", found.any(axis=1))
    few = max(options.dies // 8, 1)
    for hopping in (0.8, 0.85, 0.9, 0.95, 1.0):
        found = flagged(few, generator, hopping=hopping)
        tell(f"half of long pulses hop back at {hopping} V: cells flagged", found[:, 0])
    for height in (1e-4, 1e-3, 1e-2):
        found = flagged(few, generator, height=height)
        tell(f"ballooning by {height:g} at most: cells flagged", found[:, 0])


if __name__ == "__main__":
    main()
