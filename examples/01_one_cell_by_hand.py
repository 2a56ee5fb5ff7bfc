"""One cell of a simulated die, by hand: write it, read it, and count how often a write fails.

    python examples/01_one_cell_by_hand.py

Needs nothing but the installation. On a real bench, only the bench file changes.
"""

import numpy as np

from crossbar.attempts import AttemptPlan
from crossbar.geometry import CellAddress, DieAddress
from crossbar.pulses import Pulse, State
from db.store import Store
from lab.bench import opened
from lab.configuration import read_configuration
from lab.simulation import simulated_bench
from protocols.attempts import execution_of, run_attempts

configuration, source = read_configuration(None)
with Store.open(":memory:") as store:
    simulation = simulated_bench(configuration, store, None)

with (
    opened(configuration, source, simulation=simulation) as bench,
    bench.contacted(DieAddress(2, 3)) as die,
):
    cell = np.array([die.geometry.index(CellAddress(0, 3, 17))])
    conductance = {}
    for state in (State.LOW, State.HIGH):
        die.write(cell, Pulse.writing(state, 0.9, 50e-9))
        conductance[state] = die.read(cell, 0.1).conductance[0]
        print(f"after writing {state.name:4}  {1e-3 / conductance[state]:6.2f} kOhm")

    for amplitude in (0.4, 0.5, 0.6):
        plan = AttemptPlan(
            initial=State.LOW,
            restore=Pulse.writing(State.LOW, 0.9, 200e-9),
            write=Pulse.writing(State.HIGH, amplitude, 10e-9),
            read_amplitude=0.1,
            threshold=np.array([np.sqrt(conductance[State.LOW] * conductance[State.HIGH])]),
            attempts=100_000,
        )
        counts = run_attempts(die, cell, plan)
        print(
            f"{amplitude} V, 10 ns to HIGH: {counts.errors[0]} errors in "
            f"{counts.attempts - counts.rejected[0]} attempts, timed by {execution_of(die, plan)}"
        )

print(f"The real bench would have taken {bench.bench_time:.2f} s.")
