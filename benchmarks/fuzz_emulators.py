"""Coverage-guided fuzzing of every emulator, with atheris (libFuzzer)::

    pip install atheris
    python benchmarks/fuzz_emulators.py --seconds 600

An input is bytes as a client may send them, cut into messages at line feeds; the seeds are the
commands of drivers and emulators. One process to an instrument, since libFuzzer ends
its process at a finding; prints executions, coverage and findings for each. A crash, a message that
takes more than ``PATIENCE`` seconds, and memory without bound are findings; their inputs are kept.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ADDRESS = "GPIB0::9::INSTR"
PATIENCE = 20
"""Seconds that one input may take."""
MEMORY = 2048
"""MiB."""
SEEDS = 400
STATUS = re.compile(r"#(\d+)\s+\w+\s+(?:cov: (\d+))?(?: ft: (\d+))?")
LAST_LINES = 12


def main() -> int:
    """Fuzz every emulator in turn; 0 if there was no finding."""
    arguments = _arguments()
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("This benchmark needs atheris (Linux, macOS): pip install atheris", file=sys.stderr)
        return 2
    if arguments.one:
        _fuzz(arguments.one, arguments.corpus, arguments.seconds, arguments.findings)
        return 0
    from simulated_instruments.vocabulary import emulated

    names = arguments.only or emulated()
    share = max(5, int(arguments.seconds / len(names)))
    print(f"{'instrument':24} {'seconds':>8} {'executions':>11} {'edges':>12} {'findings':>9}")
    found = [_run_one(name, share, arguments.findings) for name in names]
    return 1 if any(found) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600, help="for all together")
    parser.add_argument("--only", nargs="+", help="names of drivers")
    parser.add_argument("--findings", type=Path, default=Path("fuzz_findings"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_one(name: str, seconds: int, findings: Path) -> bool:
    """Fuzz one emulator in a process of its own; print its line; whether there was a finding."""
    from simulated_instruments.vocabulary import vocabulary

    findings.mkdir(exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(vocabulary(name)[:SEEDS]):
            (Path(folder) / f"{number}").write_bytes(seed + b"\n")
        command = [sys.executable, __file__, "--one", name, "--corpus", folder]
        command += ["--seconds", str(seconds), "--findings", str(findings)]
        output = subprocess.run(command, capture_output=True, text=True, check=False)
    log = output.stderr + output.stdout
    lines = list(STATUS.finditer(log))
    executions = max((int(match[1]) for match in lines), default=0)
    edges = [int(match[2]) for match in lines if match[2]]
    grown = f"{edges[0]} -> {edges[-1]}" if edges else "-"
    found = output.returncode != 0
    spent = time.monotonic() - started
    print(f"{name:24} {spent:8.0f} {executions:11} {grown:>12} {int(found):9}", flush=True)
    if found:
        print("\n".join("    " + line for line in log.splitlines()[-LAST_LINES:]), flush=True)
    return found


def _fuzz(name: str, corpus: Path, seconds: float, findings: Path) -> None:
    """The process of one emulator; does not return."""
    import atheris

    with atheris.instrument_imports(include=["simulated_instruments"]):
        from crossbar.geometry import DieAddress, DieGeometry
        from physics.wafer import SimulatedWafer
        from simulated_instruments.bench import SimulatedBench
        from simulated_instruments.catalog import load_emulator

        load_emulator(name)
    place = DieAddress(0, 0)
    geometry = DieGeometry(subarrays=1, rows=4, columns=4)

    def one_input(data: bytes) -> None:
        """A fresh bench, so that every finding can be repeated from its input alone."""
        wafer = SimulatedWafer(addresses=[place], geometry=geometry, seed=1)
        bench = SimulatedBench(wafer, {ADDRESS: name})
        bench.station.die_under_needles, bench.station.in_contact = place, True
        bench.station.route(0)
        emulator = bench.emulators[ADDRESS]
        emulator.receive(data)
        emulator.receive(emulator.TERMINATOR)
        emulator.trigger()
        emulator.status_byte()
        emulator.clear()

    options = [
        f"-max_total_time={int(seconds)}",
        f"-timeout={PATIENCE}",
        f"-rss_limit_mb={MEMORY}",
        "-max_len=400",
        f"-artifact_prefix={findings}/{name}-",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
