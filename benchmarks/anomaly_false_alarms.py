"""How often are sound cells flagged as anomalous, and how often are anomalous ones?

Counts are drawn from the switching model, or from it and an anomaly of `physics.mtj_anomalies`, at
the pulses of the write-error protocol and with its stopping rule:

    python -m benchmarks.anomaly_false_alarms --cells 2000 --seed 3
"""

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.anomalies import FALSE_ALARM_RATE, rising_errors
from analysis.goodness_of_fit import goodness_of_fit
from analysis.intervals import clopper_pearson
from analysis.switching_counts import SwitchingCounts
from analysis.switching_fit import fit_switching
from benchmarks.fit_coverage import AMPLITUDES, WIDTHS, count_at, draw_cells, rates_of
from crossbar.pulses import Pulse
from physics.mtj_anomalies import MtjAnomalies

PULSES = [(volts, width) for volts in AMPLITUDES for width in WIDTHS]


def spoilt(rates: NDArray[np.float64], anomalies: MtjAnomalies) -> NDArray[np.float64]:
    """Rates (cells, pulses) of cells that all have the anomaly, in its direction HIGH to LOW."""
    hopping, height = np.array([np.inf]), np.array([0.0])
    if anomalies.back_hopping:
        hopping[0] = anomalies.back_hopping_voltage
    if anomalies.ballooning:
        height[0] = anomalies.ballooning_height
    extra = [
        anomalies.spoils(Pulse(amplitude=volts, width=width), hopping, height)[0]
        for volts, width in PULSES
    ]
    return 1 - (1 - rates) * (1 - np.array(extra))


def flags(counts: SwitchingCounts, generator: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """What each check flags, at the rate that is stated for all of them together."""
    half = FALSE_ALARM_RATE / 2
    rising = rising_errors(counts, half)
    poor = goodness_of_fit(counts, fit_switching(counts), generator) < half
    return {
        "rising errors": rising.flagged,
        "goodness of fit": poor,
        "either": rising.flagged | poor,
    }


def print_row(what: str, flagged: NDArray[np.bool_]) -> None:
    """One line of the table."""
    low, high = clopper_pearson(flagged.sum(), len(flagged))
    print(f"| {what} | {len(flagged)} | {flagged.mean():.2%} | {low:.2%} to {high:.2%} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    truth = draw_cells(options.cells, generator)
    sound = rates_of(truth)
    print("| cells and check | cells | flagged | 95 % interval |\n|---|---|---|---|")
    for name, flagged in flags(count_at(sound, generator), generator).items():
        print_row(f"sound, {name}", flagged)
    # The hardest sound cells for the test of rising errors: a rate that never falls.
    for rate in (1e-4, 1e-2):
        flat = count_at(np.full((5 * options.cells, len(PULSES)), rate), generator)
        print_row(
            f"flat at {rate:g}, rising errors", rising_errors(flat, FALSE_ALARM_RATE / 2).flagged
        )
    few = sound[: max(50, options.cells // 20)]
    weak = MtjAnomalies(back_hopping=1.0, ballooning=0.0)
    for volts in (0.95, 1.0, 1.05, 1.1):
        hopping = spoilt(few, replace(weak, back_hopping_voltage=volts))
        for name, flagged in flags(count_at(hopping, generator), generator).items():
            print_row(f"half hop back at {volts:g} V, {name}", flagged)
    for height in (1e-4, 1e-3, 1e-2):
        ballooning = spoilt(few, MtjAnomalies(ballooning=1.0, ballooning_height=height))
        for name, flagged in flags(count_at(ballooning, generator), generator).items():
            print_row(f"ballooning up to {height:g}, {name}", flagged)


if __name__ == "__main__":
    main()
