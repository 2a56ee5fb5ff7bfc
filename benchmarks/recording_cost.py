"""What recording the traffic costs a simulated run: with and without, side by side in one process.

Pairs of runs of the same measurement, one recorded and one not, in alternating order; prints the
median ratio of their times. The measurement goes message by message (software execution), where
recording costs most, or on the board:

    python -m benchmarks.recording_cost [--pairs 9] [--execution software]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from crossbar.geometry import DieAddress
from lab.chosen_bench import chosen_bench
from lab.parameters import as_json
from lab.runs import start_run
from lab.session import session
from lab.traffic import Traffic, header_of
from protocols.write_error_rate import WriteErrorRateParameters

DIE = DieAddress(0, 0)
SEED = 3
PARAMETERS = {
    "software": WriteErrorRateParameters(
        sample=4, amplitudes=(0.5,), widths=(10e-9,), max_attempts=40, first_chunk=20
    ),
    "board": WriteErrorRateParameters(sample=40, max_attempts=4000, first_chunk=1000),
}


def seconds(execution: str, database: Path, recorded: Path | None) -> float:
    """How long the run takes, from opening the bench to closing it."""
    chosen = chosen_bench(None, True, SEED)
    parameters = PARAMETERS[execution]
    header = header_of(chosen, "write-error-rate", as_json(parameters), [DIE], execution)
    traffic = Traffic(recorded=recorded, header=header)
    started = time.perf_counter()
    with session(chosen, str(database), execution=execution, traffic=traffic) as opened:
        start_run(opened.store, opened.bench, "write-error-rate", parameters, [DIE])
    return time.perf_counter() - started


def ratios(execution: str, pairs: int, folder: Path) -> list[float]:
    """Recorded over not recorded, pair by pair; one pair more, the first, only warms up."""
    found = []
    for pair in range(pairs + 1):
        times = {}
        for recorded in (True, False) if pair % 2 else (False, True):
            name = f"{execution}-{pair}-{recorded}"
            times[recorded] = seconds(
                execution, folder / f"{name}.sqlite", folder / f"{name}.jsonl" if recorded else None
            )
        found.append(times[True] / times[False])
    return found[1:]


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--execution", choices=sorted(PARAMETERS), action="append")
    options = parser.parse_args()
    for execution in options.execution or PARAMETERS:
        with tempfile.TemporaryDirectory() as folder:
            found = ratios(execution, options.pairs, Path(folder))
            recording = next(Path(folder).glob("*.jsonl"))
            lines = recording.read_text(encoding="utf-8").count("\n")
        print(
            f"{execution}: {lines} lines; recorded / not recorded: median "
            f"{statistics.median(found):.3f} of {len(found)} pairs "
            f"({min(found):.3f} to {max(found):.3f})"
        )


if __name__ == "__main__":
    main()
