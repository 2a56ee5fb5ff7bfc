"""How fast messages travel: this project's emulators beside stock pyvisa-sim, in one run.

    python benchmarks/visa_traffic.py [--json]

Every figure is the median of several rounds; a round of this project's is followed by one of
pyvisa-sim's, so that both see the same machine. Ratios are what counts: absolute figures are the
machine's.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvisa
from pymeasure.adapters import VISAAdapter
from pymeasure.instruments import Instrument

from crossbar.geometry import DieAddress, DieGeometry
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import number
from simulated_instruments.tcp_server import serve
from simulated_instruments.visa_library import EmulatorVisaLibrary

ROUNDS = 7
ADDRESS = "GPIB0::8::INSTR"
SMU = "GPIB0::26::INSTR"
BLOCK_BYTES = 80_000
BLOCK = b"x" * BLOCK_BYTES
"""Text, because the YAML of pyvisa-sim holds no binary data."""
SCRIPT = (
    "function points(n) smua.source.output = 1 "
    "for k = 1, n do smua.source.levelv = k * 1e-5 last = smua.measure.i() end "
    "smua.source.output = 0 print(last) end"
)

STOCK = """spec: "1.0"
devices:
  meter:
    eom:
      GPIB INSTR: {{q: "\\n", r: "\\n"}}
    dialogues:
      - {{q: "*IDN?", r: "Maker,Meter,0,1"}}
      - {{q: "WAV?", r: "{block}"}}
    properties:
      level:
        default: 1.0
        getter: {{q: "LEV?", r: "{{:.6E}}"}}
        setter: {{q: "LEV {{}}"}}
        specs: {{type: float}}
resources:
  GPIB0::8::INSTR: {{device: meter}}
"""


class Meter(ScpiInstrument):
    """As plain as the one of pyvisa-sim."""

    IDENTITY = "Maker,Meter,0,1"
    level = Setting("LEVel", number("V", -1e6, 1e6), 1.0)

    @scpi("WAV?")
    def _waveform(self) -> bytes:
        return b"#5%05d" % BLOCK_BYTES + BLOCK


class MeterDriver(Instrument):
    """One property, as PyMeasure users write it."""

    level = Instrument.control("LEV?", "LEV %g", """Control the level in volts.""")


def seconds_each(action: Callable[[], object], count: int) -> float:
    """Mean over ``count`` calls."""
    started = time.perf_counter()
    for _ in range(count):
        action()
    return (time.perf_counter() - started) / count


def compared(ours: Callable[[], object], stock: Callable[[], object], count: int) -> dict[str, Any]:
    """Medians of alternating rounds, and their ratio with its smallest and largest."""
    pairs = [(seconds_each(ours, count), seconds_each(stock, count)) for _ in range(ROUNDS)]
    ratios = sorted(there / here for here, there in pairs)
    return {
        "ours": statistics.median(here for here, _ in pairs),
        "stock": statistics.median(there for _, there in pairs),
        "times faster": statistics.median(ratios),
        "from": ratios[0],
        "to": ratios[-1],
    }


def alone(action: Callable[[], object], count: int, per_call: int = 1) -> dict[str, Any]:
    """Median of the rounds, where pyvisa-sim has nothing to compare with."""
    return {
        "ours": statistics.median(seconds_each(action, count) for _ in range(ROUNDS)) / per_call
    }


def in_process(folder: Path) -> dict[str, Any]:
    """Queries, blocks and properties through PyVISA, ours beside pyvisa-sim's."""
    yaml = folder / "stock.yaml"
    yaml.write_text(STOCK.format(block=f"#5{BLOCK_BYTES:05d}{BLOCK.decode()}"))
    settings = {"read_termination": "\n", "write_termination": "\n"}
    library = EmulatorVisaLibrary({ADDRESS: Meter()})
    ours = pyvisa.ResourceManager(library).open_resource(ADDRESS, **settings)
    stock = pyvisa.ResourceManager(f"{yaml}@sim").open_resource(ADDRESS, **settings)
    driver = MeterDriver(VISAAdapter(ADDRESS, visa_library=library), "meter", includeSCPI=False)
    theirs = MeterDriver(
        VISAAdapter(ADDRESS, visa_library=f"{yaml}@sim", **settings), "meter", includeSCPI=False
    )
    meter = Meter()

    def bare() -> None:
        meter.receive(b"*IDN?\n")
        meter.replies.popleft()

    def block(resource: Any) -> Callable[[], object]:
        return lambda: resource.query("WAV?")

    found = {
        "the bare emulator, *IDN?": alone(bare, 5000),
        "*IDN? in process": compared(
            lambda: ours.query("*IDN?"), lambda: stock.query("*IDN?"), 2000
        ),
        "80 kB reply in process": compared(block(ours), block(stock), 5),
        "PyMeasure property, read": compared(lambda: driver.level, lambda: theirs.level, 1000),
    }
    for resource in (ours, stock):
        resource.close()
    return found


def over_tcp() -> dict[str, Any]:
    """Round trips over loopback, through pyvisa-py; stock pyvisa-sim has no server."""
    with serve({ADDRESS: Meter()}) as addresses:
        link = connect(addresses[ADDRESS], visa_library="@py")

        def query() -> None:
            link.write("*IDN?")
            link.read()

        def two_writes_and_a_query() -> None:
            link.write("LEV 1")
            link.write("LEV 2")
            link.write("LEV?")
            link.read()

        def block() -> None:
            link.write("WAV?")
            link.read_bytes(BLOCK_BYTES + 8)

        found = {
            "*IDN? over TCP": alone(query, 1000),
            "write, write, query over TCP": alone(two_writes_and_a_query, 300),
            "80 kB reply over TCP": alone(block, 50),
        }
        link.close()
    return found


def tsp() -> dict[str, Any]:
    """A SourceMeter's queries and script points, with a cell's physics behind them."""
    wafer = SimulatedWafer(
        addresses=[DieAddress(0, 0)],
        geometry=DieGeometry(subarrays=1, rows=4, columns=4),
        seed=1,
    )
    bench = SimulatedBench(wafer, {SMU: "keithley_2600b"})
    bench.station.die_under_needles, bench.station.in_contact = DieAddress(0, 0), True
    bench.station.route(3)
    link = connect(SMU, visa_library=bench.visa_library, timeout=1e6)

    def ask(question: str) -> str:
        link.write(question)
        return str(link.read())

    link.write(SCRIPT)
    ask("smua.measure.nplc = 0.001 print(1)")
    points = 500
    found = {
        "TSP query print(1)": alone(lambda: ask("print(1)"), 2000),
        "TSP measurement of a cell": alone(lambda: ask("print(smua.measure.i())"), 300),
        "TSP script, one source-measure point": alone(lambda: ask(f"points({points})"), 2, points),
    }
    link.close()
    return found


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = in_process(Path(folder)) | over_tcp() | tsp()
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, found in figures.items():
        line = f"{name:38} {found['ours'] * 1e6:10.1f} us {1 / found['ours']:12,.0f} /s"
        if "stock" in found:
            line += (
                f"   pyvisa-sim {found['stock'] * 1e6:10.1f} us: {found['times faster']:.1f} times"
                f" faster ({found['from']:.1f} to {found['to']:.1f})"
            )
        print(line)


if __name__ == "__main__":
    main()
