"""The simulated bench of a configuration: the one place where `lab` meets a simulator."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress
from db.store import Store
from drivers.catalog import load_driver
from lab.configuration import (
    BenchConfiguration,
    SimulationTable,
    check_writable,
    write_configuration,
)
from lab.importing.conductance_maps import stack_by_kernel
from lab.instrument_options import driver_options, emulator_options
from lab.interruption import termination_as_interrupt
from lab.twins import kept_truths
from physics.defects import SISTER_CHIP, DefectPopulation
from physics.die_truth import DieTruth
from physics.line_resistance import Wires
from physics.wafer import SimulatedWafer
from physics.wired_die import ArrayWiring
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.catalog import load_emulator


def simulated_bench(
    configuration: BenchConfiguration,
    store: Store,
    state_file: Path | None,
    *,
    measured: Mapping[DieAddress, DieTruth] | None = None,
) -> SimulatedBench:
    """The wafer and the emulators that a bench file describes, in the state they were left in.

    ``measured`` are dies to be used in place of drawn ones, where the bench file names no twin.
    Raises DataError if the state file belongs to another wafer.
    """
    table = configuration.simulation
    if table is None:
        raise ConfigurationError(
            "This bench file has no [simulation] table: it describes real instruments. Use "
            "--simulated, or a file that `lab init` writes."
        )
    wafer = SimulatedWafer(
        addresses=configuration.wafer.addresses,
        geometry=configuration.wafer.geometry,
        seed=table.seed,
        population=getattr(table, configuration.wafer.technology),
        current_limit=_current_limit(configuration),
        defects=scaled(SISTER_CHIP, table.defect_scale),
        twin=_kernels(store, table),
        measured=kept_truths(store, table.twin) if table.twin is not None else measured,
    )
    bench = SimulatedBench(
        wafer,
        {entry.address: entry.driver for entry in configuration.instruments.values()},
        options={
            table.address: given
            for role, table in configuration.instruments.items()
            if (given := _options(role, configuration))
        },
        trigger_line=configuration.wiring.trigger_line,
        real_time=table.real_time,
        latency=table.bus_latency,
        wiring=_wiring(configuration, table),
    )
    if state_file is not None and state_file.exists():
        bench.load_state(state_file)
    return bench


def _wiring(configuration: BenchConfiguration, table: SimulationTable) -> ArrayWiring | None:
    """The resistive wires of the simulated dies, or None."""
    if "switch_matrix" in configuration.instruments and not table.selectors:
        raise ConfigurationError(
            "[simulation] selectors = false with a switch matrix: it leaves the other lines "
            "floating, and no sneak paths are simulated there. Use a die_board, which grounds "
            "them, or selectors = true."
        )
    if table.line_resistance == 0:
        return None
    wires = Wires(word_segment=table.line_resistance, bit_segment=table.line_resistance)
    return ArrayWiring(wires=wires, selectors=table.selectors)


def _current_limit(configuration: BenchConfiguration) -> Callable[[], float] | None:
    """How the bench drives the gates of access transistors, where no die board does it."""
    limit = configuration.limits_from("").max_set_current
    return None if limit is None else lambda: limit


def _options(role: str, configuration: BenchConfiguration) -> dict[str, Any]:
    """What the emulator of this role must know of how the bench is set up."""
    table = configuration.instruments[role]
    driver_options(load_driver(table.driver), role, table)  # what is no option is no wiring either
    options = emulator_options(load_emulator(table.driver), table)
    if role == "prober":
        options["die_frame"] = configuration.wafer.prober_frame.die_frame
    if table.driver == "die_board" and configuration.simulation is not None:
        options["front_end"] = configuration.simulation.front_end
    if role == "switch_matrix":
        options["wiring"] = configuration.wiring.matrix.matrix_wiring
    return options


def scaled(defects: DefectPopulation, factor: float) -> DefectPopulation:
    """The same population with all its defect rates multiplied. Raises ConfigurationError when a
    rate would leave 0 to 1.
    """

    def times(rates: Mapping[CellClass, float]) -> dict[CellClass, float]:
        return {kind: factor * rate for kind, rate in rates.items()}

    return replace(
        defects,
        point_rates=times(defects.point_rates),
        column_rate=times(defects.column_rate),
        row_rate=times(defects.row_rate),
    )


def _kernels(store: Store, table: SimulationTable) -> dict[str, np.ndarray] | None:
    """The measured kernels that the dies are made of, or None for drawn ones."""
    if table.kernels is None:
        return None
    maps = store.conductance_maps(table.kernels)
    if not maps:
        raise ConfigurationError(
            f"[simulation] kernels = {table.kernels!r}: the database holds no conductance maps of "
            "that name. Import them with `lab import conductance-map DIR`, or use the database "
            "that `lab twin` used."
        )
    kernels = stack_by_kernel(maps)
    if table.kernel is None:
        return kernels
    if table.kernel not in kernels:
        raise ConfigurationError(
            f"[simulation] kernel = {table.kernel!r}: {table.kernels!r} has the kernels "
            f"{', '.join(kernels)}."
        )
    return {table.kernel: kernels[table.kernel].transpose(0, 2, 1)}


def describe_truth(
    bench: SimulatedBench, dies: Sequence[DieAddress]
) -> dict[DieAddress, dict[str, float]]:
    """Fraction of cells of each defect class, die by die, as they really are."""
    return {
        die: {
            kind.name.replace("_", " ").lower(): float(
                np.mean(bench.station.wafer.die(die).classes == kind)
            )
            for kind in CellClass
            if kind is not CellClass.HEALTHY
        }
        for die in dies
    }


def serve_forever(
    bench: SimulatedBench,
    configuration: BenchConfiguration,
    state_file: Path,
    bench_out: Path,
    say: Callable[[str], None],
) -> None:
    """Serve every instrument over TCP until Ctrl-C; write the bench file that reaches them."""
    check_writable(bench_out)
    with suppress(KeyboardInterrupt), termination_as_interrupt(), bench.serve() as addresses:
        client = configuration.model_copy(
            update={
                "simulation": None,  # for its clients these are instruments like any others
                "visa_library": "@py",
                "instruments": {
                    role: table.model_copy(update={"address": addresses[table.address]})
                    for role, table in configuration.instruments.items()
                },
            }
        )
        write_configuration(client, bench_out)
        for role, table in client.instruments.items():
            say(f"{role:16} {table.address}")
        say(f"Wrote {bench_out}; use it with --bench {bench_out}. Ctrl-C ends.")
        threading.Event().wait()
    bench.save_state(state_file)
