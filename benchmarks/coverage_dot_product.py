"""Do the 95 % intervals of `dot-product-check` cover the truth, through the instruments?

Dies of known truth are multiplied with by `lab`'s own protocol, through drivers and bytes; stored
records are analysed and compared with the same analysis of the same die without noise, over many
more inputs of the same kind, for wires without resistance and with it. Prints rows of the coverage
table:

    python -m benchmarks.coverage_dot_product [--dies 36] [--seed 1]
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest

from analysis.dot_product import DotProductQuality, dot_product_quality
from crossbar.records import DotProductBlock
from lab.chosen_bench import chosen_bench
from lab.runs import start_run
from lab.session import session
from physics.mtj_die import MtjDie
from physics.simulated_die import SimulatedDie
from physics.wired_die import ArrayWiring, WiredDie
from protocols.dot_product_check import DotProductCheckParameters

MANY = 2000
"""Vectors that stand for all inputs."""
QUANTITIES = ("gain", "offset", "nonlinearity")


def analysed(
    dies: int, seed: int, line_resistance: float, folder: Path
) -> Iterator[tuple[DotProductQuality, DotProductQuality]]:
    """(measured, true) of every sub-array of so many dies."""
    chosen = chosen_bench(None, True, seed)
    simulation = chosen.configuration.simulation.model_copy(
        update={"line_resistance": line_resistance}
    )
    chosen = replace(
        chosen, configuration=chosen.configuration.model_copy(update={"simulation": simulation})
    )
    addresses = chosen.configuration.wafer.addresses[:dies]
    with session(chosen, str(folder / f"{line_resistance:g}.sqlite")) as opened:
        station = opened.bench.simulation.station
        for number, address in enumerate(addresses):
            parameters = DotProductCheckParameters(seed=1000 * seed + number)
            summary = start_run(
                opened.store, opened.bench, "dot-product-check", parameters, [address]
            )
            quiet = without_noise(station.wafer.die(address), station.wiring)
            for block in opened.store.records(summary.run, address, DotProductBlock):
                truth = true_block(quiet, block, parameters)
                yield dot_product_quality(block), dot_product_quality(truth)


def without_noise(die: MtjDie, wiring: ArrayWiring | None) -> SimulatedDie:
    """The same cells in the same states, read without noise through the same wires."""
    quiet = MtjDie(geometry=die.geometry, truth=replace(die.truth, read_noise=0.0), seed=die.seed)
    quiet.restore(die.snapshot())
    return quiet if wiring is None else WiredDie(quiet, wiring)


def true_block(
    die: SimulatedDie, block: DotProductBlock, parameters: DotProductCheckParameters
) -> DotProductBlock:
    """What perfect instruments would have recorded, with other inputs of the same kind."""
    size = block.conductance.size
    cells = np.arange(block.subarray * size, (block.subarray + 1) * size)
    many = replace(parameters, vectors=MANY, seed=parameters.seed + 500)
    volts = many.inputs(block.subarray, die.geometry.rows)
    seen = die.conductance(cells, parameters.read_amplitude)
    return replace(
        block,
        row_voltages=volts,
        current=die.dot_product(block.subarray, volts),
        conductance=seen.reshape(block.conductance.shape),
    )


def coverage(
    dies: int, seed: int, line_resistance: float, folder: Path
) -> dict[str, tuple[int, int]]:
    """(covered, intervals) by quantity."""
    counts = dict.fromkeys(QUANTITIES, (0, 0))
    for measured, true in analysed(dies, seed, line_resistance, folder):
        for name in QUANTITIES:
            found = getattr(measured, name)
            covered, all_ = counts[name]
            inside = found.low <= getattr(true, name).estimate <= found.high
            counts[name] = (covered + inside, all_ + 1)
    return counts


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dies", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| protocol | quantity | stated | intervals | covered | 95 % interval of the coverage |")
    print("|---|---|---|---|---|---|")
    for ohms in (0.0, 2.0):
        with tempfile.TemporaryDirectory() as folder:
            counts = coverage(options.dies, options.seed, ohms, Path(folder))
        for name, (covered, all_) in counts.items():
            interval = binomtest(covered, all_).proportion_ci()
            print(
                f"| dot-product-check, {ohms:g} Ohm | {name} | 95 % | {all_} "
                f"| {100 * covered / all_:.1f} % "
                f"| {100 * interval.low:.1f} to {100 * interval.high:.1f} % |"
            )


if __name__ == "__main__":
    main()
