"""Do 95 % intervals hold for samples drawn from the very model that is fitted, without instruments?

What a closed loop (docs/closed-loop.md) lacks here is the fit's own; what it lacks there only is
the measurement's, or chance. Prints rows of the coverage table:

    python -m benchmarks.drawn_coverage NAME [--samples 1000] [--seed 1]
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.breakdown_distribution import breakdown_fit
from analysis.forming_fit import fit_forming, forming_counts
from analysis.phase_boundary import boundary, boundary_line, half_point
from analysis.retention_fit import fit_drift
from benchmarks.coverage_forming import true_values
from benchmarks.coverage_mtj import failing, half_voltages
from benchmarks.coverage_table import HEAD, Tallies
from crossbar.estimate import Estimate
from crossbar.pulses import Pulse, State
from crossbar.records import PulseTrain, WerPoint
from physics.draws import keys
from physics.hfox import HfOxPopulation
from physics.mtj import MtjPopulation
from physics.read_noise_population import HFOX_HIGH, HFOX_LOW, NOISE_DRAWS
from protocols.forming import FormingParameters
from protocols.switching_phase_diagram import SwitchingPhaseDiagramParameters, boundary_nodes

Random = np.random.Generator
SPREAD = 0.05
"""Of ln V of the drawn breakdown amplitudes."""
DRIFTING = 60
"""Cells of a state whose drift is fitted together."""


def breakdown(samples: int, random: Random) -> list[Tallies]:
    """Ramps in steps of 35 mV: lots of 10 and 40 cells, all broken or 60 % of them."""
    found = []
    for cells in (10, 40):
        for steps in (15, 11):
            tallies = Tallies(f"breakdown, {cells} cells, {steps} steps")
            for _ in range(samples):
                log_v = np.log(1.04) + SPREAD * random.standard_normal(cells)
                ramp = 0.7 + 0.035 * np.arange(steps)
                survived = np.searchsorted(ramp, np.exp(log_v))
                if len(set(survived[survived < steps])) < 2:
                    continue  # such a lot is refused
                fit = breakdown_fit([train(ramp, int(last)) for last in survived])
                tallies.see("median", fit.median, 1.04)
                tallies.see("spread", fit.spread, SPREAD)
            found.append(tallies)
    return found


def train(ramp: np.ndarray, survived: int) -> PulseTrain:
    """The record of a cell that survived so many steps of a ramp."""
    given = ramp[: survived + 1]
    return PulseTrain(
        cell=0,
        part=0,
        amplitude=np.r_[np.nan, -given],
        width=np.full(len(given) + 1, 1e-7),
        pulses=np.r_[0, np.ones(len(given), np.int64)],
        conductance=np.full(len(given) + 1, 2e-4),
        read_amplitude=0.1,
        outcome="broken" if survived < len(ramp) else "survived",
    )


def forming(samples: int, random: Random) -> list[Tallies]:
    """Dies of 400 cells: none dead, 1 % of them, or as many as a clustered process makes."""
    population = HfOxPopulation()
    ramp = np.array([pulse.amplitude for pulse in FormingParameters().ramp.pulses])
    found = []
    for label, rates in (
        ("none dead", np.zeros(samples)),
        ("1 % dead", np.full(samples, 0.01)),
        ("clustered, 2 % dead", np.minimum(random.exponential(0.02, samples), 0.5)),
    ):
        tallies = Tallies(f"forming, {label}")
        for rate in rates:
            volts = population.forming_location - population.forming_scale * np.log(
                -np.log(random.random(400))
            )
            volts[random.random(400) < rate] = np.inf
            pulses = 1 + np.searchsorted(ramp, volts)
            formed = pulses <= len(ramp)
            fit = fit_forming(forming_counts(ramp, np.minimum(pulses, len(ramp)), formed))
            ends = {"mean": fit.mean, "scale": fit.scale, "v99": fit.mostly}
            for name, truth in true_values(population).items():
                tallies.see(name, ends[name], truth)
        found.append(tallies)
    return found


def drift(samples: int, random: Random) -> list[Tallies]:
    """Exponents of so many cells in either state, among the noise of simulated cells."""
    time = np.concatenate([[0.02], np.geomspace(1, 1e4, 21)])
    found = []
    for state, population in (("LOW", HFOX_LOW), ("HIGH", HFOX_HIGH)):
        tallies = Tallies(f"drift, {state}")
        for lot in range(samples // DRIFTING):
            noise = population.cells(random.random((DRIFTING, NOISE_DRAWS)))
            names = keys(np.uint64(random.integers(2**62)), lot, np.arange(DRIFTING))
            relative = 1 + noise.slow(names, np.tile(time, (DRIFTING, 1)))
            relative += noise.white[:, None] * random.standard_normal(relative.shape)
            exponent = random.normal(0.0, 0.03, DRIFTING)
            fit = fit_drift(time, 25e-6 * (1 + time) ** -exponent[:, None] * relative)
            for place, truth in enumerate(exponent):
                ends = (fit.exponent[place], fit.low[place], fit.high[place])
                tallies.see("exponent", Estimate.of(*ends), truth)
        found.append(tallies)
    return found


def switching(samples: int, random: Random) -> list[Tallies]:
    """V_50 at every width, and the boundary through them, of cells of the population."""
    parameters = SwitchingPhaseDiagramParameters()
    widths = np.array(parameters.widths)
    cells = MtjPopulation().sample(samples, random)
    tallies = Tallies("switching-phase-diagram, drawn")
    for place in range(samples):
        cell = cells[np.array([place])]
        for target in parameters.targets:
            real = half_voltages(cell, target, widths)
            found = []
            for width, volts in zip(widths, real, strict=True):
                half = half_point(row_of_points(cell, target, float(width), parameters, random))
                found.append(half)
                tallies.see("V_50", half.volts, volts)
            line = boundary(found)
            (vc0, slope), _ = boundary_line(widths, real)
            tallies.see("boundary V_c0", line.vc0, vc0)
            tallies.see("boundary t_0", line.t0, slope / vc0)
    return [tallies]


def row_of_points(
    cell: Any,
    target: State,
    width: float,
    parameters: SwitchingPhaseDiagramParameters,
    random: Random,
) -> list[WerPoint]:
    """What `protocols.switching_phase_diagram` counts for a cell at one width, all attempts valid:
    the coarse row, then the middles of intervals around 50 %.
    """
    step = 2**parameters.refinements
    nodes = np.arange(parameters.intervals * step + 1)
    volts = np.array([parameters.amplitude(int(node)) for node in nodes])
    rate = np.exp(failing(cell, target, volts, np.full(len(volts), width)))
    errors: dict[int, int] = {}
    wanted = set(range(0, len(nodes), step))
    for _ in range(parameters.refinements + 1):
        errors |= {node: random.binomial(parameters.attempts, rate[node]) for node in wanted}
        wanted = boundary_nodes({n: 2 * errors[n] < parameters.attempts for n in errors})
    return [
        WerPoint(
            cell=0,
            target=target,
            amplitude=Pulse.writing(target, float(volts[node]), width).amplitude,
            width=width,
            attempts=parameters.attempts,
            errors=count,
            rejected=0,
            interval_low=0.0,
            interval_high=1.0,
            confidence=0.95,
            execution="board",
            stopped_by="budget",
        )
        for node, count in sorted(errors.items())
    ]


NAMES: dict[str, Callable[[int, Random], list[Tallies]]] = {
    "breakdown": breakdown,
    "forming": forming,
    "drift": drift,
    "switching": switching,
}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(NAMES))
    parser.add_argument("--samples", type=int, default=1000, help="lots, dies or cells")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(HEAD)
    for tallies in NAMES[options.name](options.samples, np.random.default_rng(options.seed)):
        print(*tallies.lines(), sep="\n", flush=True)


if __name__ == "__main__":
    main()
