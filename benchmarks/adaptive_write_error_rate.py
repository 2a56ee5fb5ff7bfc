"""What does the adaptive design save, do its intervals hold, and how close is it to the best?

Simulated cells of known truth are measured in both directions by `lab`'s own protocols, through
drivers and bytes: adaptively, and on the fixed grid of `write_error_rate` with its budget, its
first chunk and the square of its intervals' width scaled together. A cell's attempts on the grid
are read off where its interval for the wanted amplitude is as narrow as the adaptive one: on the
straight line, in logarithms, through the two nearest scalings. The best design is the locally
c-optimal one: it knows the truth, and spends the same number of attempts within the same limits
(Elfving, Ann. Math. Stat. 23, 255, 1952, as a linear program).

    python -m benchmarks.adaptive_write_error_rate [--cells 230] [--seed 1]
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import binomtest

from analysis.amplitude_density import AmplitudeForWer, Density, Observed, information_of
from analysis.amplitude_interval import fit_amplitudes
from analysis.switching_counts import SwitchingCounts, gather_counts
from crossbar.geometry import DieAddress
from crossbar.pulses import State
from crossbar.records import WerPoint
from lab.chosen_bench import chosen_bench
from lab.runs import start_run
from lab.session import Session, session
from protocols.adaptive_write_error_rate import CHECK, AdaptiveWriteErrorRateParameters
from protocols.write_error_rate import WriteErrorRateParameters

DIE = DieAddress(0, 0)
SCALES = (0.25, 0.5, 1.0)
"""Of the grid; 1 is its default."""
STEP = 0.005
"""Volts between the pulses that the best design may choose from."""
DRAWS = 4000
"""Of cells, with replacement, for the interval of a ratio of medians."""
Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a run counted on n pairs, and what they really are."""

    counts: SwitchingCounts
    truth: Values
    """(n, 3) delta, vc0, tau_d."""
    seconds: float
    """Of CPU that the run took, simulation and database included."""

    def rows(self, index: NDArray[np.intp]) -> "Measured":
        """Some of the pairs."""
        counts = self.counts
        return Measured(
            counts=SwitchingCounts(
                cells=counts.cells[index],
                targets=tuple(counts.targets[place] for place in index),
                amplitude=counts.amplitude[index],
                width=counts.width[index],
                attempts=counts.attempts[index],
                errors=counts.errors[index],
            ),
            truth=self.truth[index],
            seconds=self.seconds,
        )

    @property
    def attempts(self) -> Values:
        """(n,) valid attempts of each pair."""
        return self.counts.attempts.sum(axis=1).astype(float)


def measure(opened: Session, protocol: str, parameters: object) -> Measured:
    """Run a protocol on one die, and look up the truth of its cells."""
    started = time.process_time()
    run = start_run(opened.store, opened.bench, protocol, parameters, [DIE]).run
    seconds = time.process_time() - started
    points = opened.store.records(run, DIE, WerPoint)
    counts = gather_counts(point for point in points if point.stopped_by != CHECK)
    cells = opened.bench.simulation.station.wafer.die(DIE).truth.cells
    vc0 = [
        (cells.vc0_low if target is State.LOW else cells.vc0_high)[cell]
        for cell, target in zip(counts.cells, counts.targets, strict=True)
    ]
    truth = np.stack([cells.delta[counts.cells], vc0, cells.tau_d[counts.cells]], axis=1)
    return Measured(counts=counts, truth=truth, seconds=seconds)


def of_common_pairs(runs: list[Measured]) -> list[Measured]:
    """The same runs, but for pairs that some of them found without a window."""
    pairs = [list(zip(run.counts.cells.tolist(), run.counts.targets, strict=True)) for run in runs]
    common = set(pairs[0]).intersection(*pairs[1:])
    return [
        run.rows(np.array([place for place, pair in enumerate(own) if pair in common]))
        for run, own in zip(runs, pairs, strict=True)
    ]


def grid_parameters(cells: int, scale: float) -> WriteErrorRateParameters:
    """The fixed grid with so many times its attempts."""
    default = WriteErrorRateParameters()
    return WriteErrorRateParameters(
        sample=cells,
        max_attempts=round(default.max_attempts * scale),
        first_chunk=round(default.first_chunk * scale),
        relative_width=default.relative_width / scale**0.5,
    )


def attempts_for_width(grids: list[Measured], quantity: AmplitudeForWer, wanted: Values) -> Values:
    """(n,) attempts on the grid for intervals of these widths, on the line through two scalings."""
    widths = np.log([fit_amplitudes(grid.counts, quantity).log_width for grid in grids])
    attempts = np.log([grid.attempts for grid in grids])
    pairs = np.arange(len(wanted))
    # The scaling just above the wanted width, or the last but one: widths fall with the scale.
    below = np.clip((widths > np.log(wanted)).sum(axis=0) - 1, 0, len(grids) - 2)
    (x, x2), (y, y2) = (
        (values[below, pairs], values[below + 1, pairs]) for values in (widths, attempts)
    )
    return np.exp(y + (y2 - y) * (np.log(wanted) - x) / (x2 - x))


def ratio_of_medians(above: Values, below: Values, seed: int) -> tuple[float, float, float]:
    """Their ratio and its 95 % interval, by drawing pairs with replacement."""
    drawn = np.random.default_rng(seed).integers(len(above), size=(DRAWS, len(above)))
    ratios = np.median(above[drawn], axis=1) / np.median(below[drawn], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(np.median(above) / np.median(below)), float(low), float(high)


def place(truth: Values, quantity: AmplitudeForWer) -> Values:
    """(n, 3) ln V, ln delta, ln tau_d of true cells."""
    return np.log(np.stack([quantity.of(truth), truth[:, 0], truth[:, 2]], axis=1))


def best_variances(truth: Values, parameters: AdaptiveWriteErrorRateParameters) -> Values:
    """(n,) variance of ln V after one attempt, by the best design for each pair."""
    quantity = parameters.quantities[0]
    volts = np.arange(STEP, parameters.largest_amplitude + STEP / 2, STEP)
    amplitude, width = (each.ravel() for each in np.meshgrid(volts, parameters.pulse_widths))
    found = []
    for at in place(truth, quantity):
        log_hazard, slopes = Density(quantity=quantity).linearized(
            at[None], amplitude[None], width[None]
        )
        felt = (slopes * np.sqrt(information_of(log_hazard))[..., None])[0]
        shortest = linprog(
            np.ones(2 * len(felt)),
            A_eq=np.hstack([felt.T, -felt.T]),
            b_eq=[1.0, 0.0, 0.0],
            method="highs",
        )
        found.append(shortest.fun**2)
    return np.array(found)


def efficiencies(measured: Measured, parameters: AdaptiveWriteErrorRateParameters) -> Values:
    """(n,) information about ln V that was gathered, over that of the best design."""
    quantity = parameters.quantities[0]
    _, information = Density(quantity=quantity).score_and_information(
        place(measured.truth, quantity), Observed.of(measured.counts)
    )
    gathered = np.linalg.inv(information)[:, 0, 0]
    return best_variances(measured.truth, parameters) / measured.attempts / gathered


def tell_coverage(name: str, measured: Measured, quantities: tuple[AmplitudeForWer, ...]) -> None:
    """A line for every rate: how many of the 95 % intervals hold the truth."""
    for quantity in quantities:
        fits, truth = fit_amplitudes(measured.counts, quantity), quantity.of(measured.truth)
        held = int(np.count_nonzero((fits.low <= truth) & (truth <= fits.high)))
        interval = binomtest(held, len(truth)).proportion_ci()
        print(
            f"{name:9} {quantity.wer:8.0e} {np.median(fits.log_width):9.4f} "
            f"{held:6} of {len(truth)} {held / len(truth):8.3f} "
            f"({interval.low:.3f} to {interval.high:.3f})"
        )


def tell(
    adaptive: Measured,
    grids: list[Measured],
    parameters: AdaptiveWriteErrorRateParameters,
    seed: int,
) -> None:
    """Print the tables."""
    quantities = parameters.quantities
    print("design         rate     width   covered           coverage (its 95 % interval)")
    tell_coverage("adaptive", adaptive, quantities)
    tell_coverage("grid", grids[-1], quantities)
    wanted = fit_amplitudes(adaptive.counts, quantities[0]).log_width
    needed = attempts_for_width(grids, quantities[0], wanted)
    print("\nattempts a cell and direction   median    10 % to 90 %")
    for name, attempts in (
        ("adaptive", adaptive.attempts),
        ("grid, same width", needed),
        ("grid, as it is by default", grids[-1].attempts),
    ):
        low, middle, high = np.quantile(attempts, [0.1, 0.5, 0.9])
        print(f"{name:28} {middle:9,.0f}    {low:,.0f} to {high:,.0f}")
    ratio, low, high = ratio_of_medians(needed, adaptive.attempts, seed)
    print(f"ratio of medians at the same width: {ratio:.1f} (95 %: {low:.1f} to {high:.1f})")
    low, middle, high = np.quantile(efficiencies(adaptive, parameters), [0.1, 0.5, 0.9])
    print(
        f"efficiency against the best design: {middle:.3f} (10 % to 90 %: {low:.3f} to {high:.3f})"
    )
    rounds = np.count_nonzero(adaptive.counts.attempts, axis=1)
    print(
        f"rounds: {np.median(rounds):.0f} (most {rounds.max()}); one of {len(rounds)} pairs took "
        f"{adaptive.seconds / rounds.max():.2f} s of CPU, simulation and database included"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=230)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    parameters = AdaptiveWriteErrorRateParameters(sample=options.cells)
    with (
        tempfile.TemporaryDirectory() as folder,
        session(
            chosen_bench(None, True, options.seed), str(Path(folder) / "adaptive.sqlite")
        ) as opened,
    ):
        adaptive = measure(opened, "adaptive-write-error-rate", parameters)
        grids = [
            measure(opened, "write-error-rate", grid_parameters(options.cells, scale))
            for scale in SCALES
        ]
    adaptive, *grids = of_common_pairs([adaptive, *grids])
    print(
        f"{options.cells} cells, {len(adaptive.truth)} pairs with a window, seed {options.seed}\n"
    )
    tell(adaptive, grids, parameters, options.seed)


if __name__ == "__main__":
    main()
