"""Does the interval of an extrapolated amplitude hold the truth, and is a true curve contradicted?

Draws counts from each of the four curves at twelve amplitudes around its middle, fits that same
curve, and counts how often the 95 % interval of the amplitude for a rate holds the true one, and
how often the goodness of fit is below 5 %:

    python -m benchmarks.extrapolation_coverage --sets 400 --seed 1
"""

import argparse

import numpy as np

from analysis.amplitude_curves import fit_curves
from analysis.falling_curves import CURVES
from analysis.intervals import clopper_pearson

AMPLITUDE = np.linspace(0.8, 1.1, 12)
PLACE, WIDTH = 0.9, 0.03
ATTEMPTS = (50, 1000)
RATES = (1e-6, 1e-9)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    print("| curve | attempts a point | rate | held (95 % interval of that) | p < 5 % |")
    print("|---|---|---|---|---|")
    for curve in CURVES:
        for attempts in ATTEMPTS:
            for rate in RATES:
                truth = PLACE + WIDTH * curve.at(rate)
                tried = np.full(len(AMPLITUDE), attempts)
                falls = np.exp(curve.log_error((AMPLITUDE - PLACE) / WIDTH))
                held = poor = 0
                for _ in range(options.sets):
                    errors = generator.binomial(tried, falls)
                    (fit,) = fit_curves(
                        AMPLITUDE, tried, errors, rate, generator, curves=(curve,)
                    )  # fmt: skip
                    held += fit.low <= truth <= fit.high
                    poor += fit.p_value < 0.05
                low, high = clopper_pearson(held, options.sets)
                print(
                    f"| {curve.name} | {attempts} | {rate:g} | {100 * held / options.sets:.1f} % "
                    f"({100 * low:.1f} to {100 * high:.1f}) | {100 * poor / options.sets:.1f} % |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
