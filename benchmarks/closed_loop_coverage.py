"""Do the 95 % intervals of fitted switching parameters cover the truth, through the instruments?

Simulated cells of known truth are measured by `lab`'s own protocol through drivers and bytes,
fitted from the stored records, and compared with what they really are.

    python benchmarks/closed_loop_coverage.py [--cells 220] [--seed 1]
"""

import argparse
import tempfile
from pathlib import Path

from scipy.stats import binomtest

from crossbar.geometry import DieAddress
from crossbar.pulses import State
from lab.chosen_bench import chosen_bench
from lab.findings import store_fits
from lab.runs import start_run
from lab.session import session
from protocols.write_error_rate import WriteErrorRateParameters

PARAMETERS = ("delta", "vc0", "tau_d")
DIE = DieAddress(0, 0)


def coverage(cells: int, seed: int, folder: Path) -> dict[str, tuple[int, int]]:
    """(covered, fitted) by parameter, over both write directions of so many cells."""
    chosen = chosen_bench(None, True, seed)
    with session(chosen, str(folder / "coverage.sqlite")) as opened:
        truth = opened.bench.simulation.station.wafer.die(DIE).truth.cells
        summary = start_run(
            opened.store,
            opened.bench,
            "write-error-rate",
            WriteErrorRateParameters(sample=cells),
            [DIE],
        )
        fits = store_fits(opened.store, summary.run)[DIE]
    counts = dict.fromkeys(PARAMETERS, (0, 0))
    for fit in fits:
        vc0 = truth.vc0_low if fit.target is State.LOW else truth.vc0_high
        real = {"delta": truth.delta, "vc0": vc0, "tau_d": truth.tau_d}
        for name in PARAMETERS:
            found = fit.parameters[name]
            covered, fitted = counts[name]
            inside = found.low <= real[name][fit.cell] <= found.high
            counts[name] = (covered + inside, fitted + fit.converged)
    return counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=220)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = coverage(options.cells, options.seed, Path(folder))
    print(f"{options.cells} cells, both directions, seed {options.seed}")
    print("parameter  covered      of   coverage   95 % interval of the coverage")
    for name, (covered, fitted) in counts.items():
        interval = binomtest(covered, fitted).proportion_ci()
        print(
            f"{name:9}  {covered:7}  {fitted:6}   {covered / fitted:8.3f}   "
            f"{interval.low:.3f} to {interval.high:.3f}"
        )


if __name__ == "__main__":
    main()
