"""Benches of every kind that the catalog allows, opened on simulated dies without defects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from crossbar.geometry import DieAddress
from crossbar.memory_die import MemoryDie
from crossbar.pulses import Pulse, State
from crossbar.units import Seconds
from db.store import Store
from drivers.catalog import DRIVERS, entry, load_driver
from lab.bench import Bench, opened
from lab.chosen_bench import ChosenBench
from lab.configuration import InstrumentTable, read_configuration
from lab.session import stress_ledger
from lab.simulation import simulated_bench
from physics.simulated_die import SimulatedDie

DIE = DieAddress(0, 0)
ARRAY = {"subarrays": 1, "word_lines": 4, "bit_lines": 3}
ONE_CELL = {"subarrays": 1, "word_lines": 1, "bit_lines": 1}
READ = 0.1


@dataclass(frozen=True)
class Kind:
    """Which instruments a bench has, and who keeps the time."""

    drivers: tuple[str, ...]
    execution: str = "software"

    def __str__(self) -> str:
        return f"{'+'.join(self.drivers)} ({self.execution})"


def of_role(role: str) -> list[str]:
    """The catalog's drivers of a role."""
    return [name for name, line in DRIVERS.items() if line.role == role]


def suits(generator: str) -> bool:
    """Whether a generator can write both states of the built-in bench's cells."""
    reach = load_driver(generator).reach
    return bool(reach.smallest <= 1.0 and reach.signs == (-1, 1))


PAIR = ("keithley_2600b", "keysight_81160a")
KINDS = [
    Kind(("die_board",), "board"),
    Kind((*PAIR, "die_board"), "instrument"),
    Kind((*PAIR, "die_board")),
    *(Kind((board,)) for board in of_role("die_board") if board != "die_board"),
    *(Kind((*PAIR, matrix)) for matrix in of_role("switch_matrix")),
    *(Kind((smu, PAIR[1])) for smu in of_role("smu")),
    *(Kind((PAIR[0], generator)) for generator in of_role("pulse_generator") if suits(generator)),
    *(Kind((unit,)) for unit in of_role("pulse_measure_unit")),
    *(
        Kind((unit, matrix))
        for unit in of_role("pulse_measure_unit")
        for matrix in of_role("switch_matrix")
    ),
]


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A die under the needles, and the truth about it."""

    bench: Bench
    die: MemoryDie
    truth: SimulatedDie
    store: Store
    chosen: ChosenBench

    @property
    def cells(self) -> np.ndarray:
        """All of them."""
        return np.arange(self.die.geometry.cells)

    @property
    def counted(self) -> np.ndarray:
        """(cells,) What the database says that the cells received."""
        return stress_ledger(self.store, self.chosen, DIE).pulses

    def writing(self, state: State, width: Seconds = 100e-9) -> Pulse:
        """A pulse that the cells bear and the bench's source can send, as near as it comes."""
        asked = Pulse.writing(state, 0.9, width)
        instruments = self.bench.instruments
        source = instruments.get("pulse_measure_unit", instruments.get("pulse_generator"))
        if source is None:
            return asked
        reach = source.reach
        at_generator = self.chosen.configuration.wiring.generator_wiring.generator_pulse(asked)
        divider = at_generator.amplitude / asked.amplitude
        return Pulse(
            amplitude=reach.nearest(at_generator.amplitude) / divider,
            width=min(max(width, reach.shortest), reach.longest),
        )


def chosen_bench(kind: Kind) -> ChosenBench:
    """The built-in bench with these instruments and a small die without defects."""
    built_in, source = read_configuration(None)
    chooses = {"die_board", "switch_matrix"} & {entry(name).role for name in kind.drivers}
    size = ARRAY if chooses else ONE_CELL
    instruments = {
        entry(name).role: InstrumentTable(driver=name, address=entry(name).address)
        for name in (*kind.drivers, "formfactor_velox")
    }
    changed = {
        "instruments": instruments,
        "wafer": built_in.wafer.model_copy(update={"columns": 1, "rows": 1, **size}),
        "simulation": built_in.simulation.model_copy(update={"seed": 3, "defect_scale": 0.0}),
    }
    return ChosenBench(configuration=built_in.model_copy(update=changed), source=source)


@contextmanager
def touched_on(kind: Kind) -> Iterator[Touched]:
    """The bench of a kind, opened and in contact with its one die."""
    chosen = chosen_bench(kind)
    with Store.open(":memory:") as store:
        simulation = simulated_bench(chosen.configuration, store, None)
        bench = opened(
            chosen.configuration,
            chosen.source,
            simulation=simulation,
            execution=kind.execution,
            ledger_of=partial(stress_ledger, store, chosen),
        )
        with bench as opened_bench, opened_bench.contacted(DIE) as die:
            truth = simulation.station.wafer.die(DIE)
            yield Touched(bench=opened_bench, die=die, truth=truth, store=store, chosen=chosen)
        assert simulation.station.in_contact is False
