"""Do the 95 % intervals that `lab run` tells cover the truth, through the instruments?

Simulated cells of known truth are measured by `lab`'s own protocols through drivers and bytes,
fitted from the stored records, and compared with what they really are. Prints rows of a table; what
is covered more often than stated is either conservative by construction (medians of few cells,
Clopper-Pearson) or open at one end.

    python -m benchmarks.closed_loop_coverage NAME [--seed 3] [--cells N]

NAME is a protocol, or "all", which also runs every other ``benchmarks/coverage_*.py``.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import coverage_mtj
from benchmarks.coverage_table import HEAD, Tallies

PROTOCOLS: dict[str, tuple[Callable[[int, int, Path], Tallies], int]] = {
    "write-error-rate": (coverage_mtj.write_error_rate, 220),
    "switching-phase-diagram": (coverage_mtj.switching_phase_diagram, 220),
    "read-disturb": (coverage_mtj.read_disturb, 220),
    "iv-sweep": (coverage_mtj.iv_sweep, 500),
    "set-reset-cycling": (coverage_mtj.set_reset_cycling, 6000),
    "breakdown-ramp": (coverage_mtj.breakdown_ramp, 4000),
    "array-map": (coverage_mtj.array_map, 60),
}
"""Function, and how many cells (array-map: wafers) by default."""


def main() -> None:
    """Print the table."""
    others = {
        path.stem.removeprefix("coverage_").replace("_", "-"): path.stem
        for path in sorted(Path(__file__).parent.glob("coverage_*.py"))
        if path.stem not in ("coverage_mtj", "coverage_table")
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["all", *PROTOCOLS, *others])
    parser.add_argument("--cells", type=int, help="how many, instead of the default")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    wanted = [*PROTOCOLS, *others] if options.name == "all" else [options.name]
    print(HEAD, flush=True)
    for name in wanted:
        if name in PROTOCOLS:
            measure, cells = PROTOCOLS[name]
            with tempfile.TemporaryDirectory() as folder:
                tallies = measure(options.cells or cells, options.seed, Path(folder))
            print(*tallies.lines(), sep="\n", flush=True)
        else:
            print(*rows_of(others[name], options.seed), sep="\n", flush=True)


def rows_of(module: str, seed: int) -> list[str]:
    """What another coverage benchmark prints, without the head of its table."""
    command = [sys.executable, "-m", f"benchmarks.{module}", "--seed", str(seed)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line for line in printed.splitlines() if line.startswith("|")]
    return [row for row in rows if not row.startswith(("|---", "| protocol", "|-"))]


if __name__ == "__main__":
    main()
