"""Do the fit's intervals hold the truth as often as they say, and how long does the fit take?

Counts are drawn from the switching model itself for cells with the spreads of measured arrays, at
the pulses that a write-error measurement uses by default, with its stopping rule. Prints, for each
parameter, how many of the 95 % intervals hold the truth, how wide they are, and the fit's time:

    python benchmarks/fit_coverage.py --cells 500 --seed 1
"""

import argparse
import time

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.intervals import clopper_pearson
from analysis.stopping import StoppingRule
from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import PARAMETERS, SwitchingFits, fit_switching
from crossbar.pulses import State
from physics.switching import log_wer
from protocols.write_error_rate import WriteErrorRateParameters

DEFAULT = WriteErrorRateParameters()
AMPLITUDES, WIDTHS = DEFAULT.amplitudes, DEFAULT.widths
PULSES = np.array([(volts, width) for volts in AMPLITUDES for width in WIDTHS])
RULE = StoppingRule(
    relative_width=DEFAULT.relative_width,
    max_attempts=DEFAULT.max_attempts,
    first_chunk=DEFAULT.first_chunk,
    confidence=DEFAULT.confidence,
)

MEDIANS = (60.0, 0.40, 1.9e-9)
SPREADS = (0.06, 0.044, 0.05)
"""Standard deviation of the logarithm, cell to cell; 4.4 % for vc0 is IBM's (IEDM 2010)."""


def draw_cells(cells: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(cells, 3) true delta, vc0 and tau_d."""
    return np.array(MEDIANS) * np.exp(np.array(SPREADS) * generator.normal(size=(cells, 3)))


def rates_of(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """(cells, pulses) true write error rates at the protocol's pulses, widths running fastest."""
    volts, seconds = (torch.from_numpy(column) for column in PULSES.T)
    delta, vc0, tau_d = (torch.from_numpy(column[:, None]) for column in truth.T)
    return log_wer(volts / vc0, seconds / tau_d, delta).exp().numpy()


def count_at(rates: NDArray[np.float64], generator: np.random.Generator) -> SwitchingCounts:
    """Count the errors of cells with these rates (cells, pulses), until the stopping rule ends."""
    rate = rates.ravel()
    errors, attempts = np.zeros((2, rate.size), dtype=np.int64)
    while (chunk := RULE.next_chunk(errors, attempts, 0)).any():
        errors += generator.binomial(chunk, rate)
        attempts += chunk
    amplitude, width = (np.tile(column, (len(rates), 1)) for column in PULSES.T)
    return SwitchingCounts(
        cells=np.arange(len(rates)),
        targets=(State.HIGH,) * len(rates),
        amplitude=amplitude,
        width=width,
        attempts=attempts.reshape(rates.shape),
        errors=errors.reshape(rates.shape),
    )


def count_errors(truth: NDArray[np.float64], generator: np.random.Generator) -> SwitchingCounts:
    """Count each cell's errors at every pulse until the stopping rule ends it."""
    return count_at(rates_of(truth), generator)


def report(truth: NDArray[np.float64], fits: SwitchingFits) -> None:
    """Print coverage, width and bias of each parameter."""
    held = (fits.low <= truth) & (truth <= fits.high)
    width = np.log(fits.high) - np.log(np.maximum(fits.low, np.finfo(float).tiny))
    error = np.log(fits.estimate / truth)
    print(f"converged {np.count_nonzero(fits.converged)} of {len(truth)}; ", end="")
    print(f"deviance / dof {np.median(fits.deviance / fits.dof):.2f} (median)")
    print("parameter  coverage (its own 95 % interval)   half-width  bias     sd of error")
    for column, name in enumerate(PARAMETERS):
        low, high = clopper_pearson(held[:, column].sum(), len(held))
        print(
            f"{name:9}  {held[:, column].mean():.3f} ({low:.3f} to {high:.3f})"
            f"{np.median(width[:, column]) / 2:18.2%}{error[:, column].mean():10.2%}"
            f"{error[:, column].std():10.2%}"
        )


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = np.random.default_rng(options.seed)
    truth = draw_cells(options.cells, generator)
    counts = count_errors(truth, generator)
    print(f"{counts.attempts.sum() / options.cells:,.0f} attempts a cell", end=", ")
    print(f"{(counts.errors == 0).mean():.0%} of the points without an error")
    start = time.perf_counter()
    fits = fit_switching(counts)
    elapsed = time.perf_counter() - start
    print(f"{options.cells} cells x {counts.errors.shape[1]} points fitted in {elapsed:.1f} s")
    report(truth, fits)


if __name__ == "__main__":
    main()
