"""Form a few HfOx cells, SET them, give weak RESET pulses, and see how differently they move.

python examples/04_weak_reset_of_hfox_cells.py
"""

import tempfile
from pathlib import Path

import numpy as np

from crossbar.records import PulseTrain
from lab.chosen_bench import chosen_bench
from lab.runs import start_run
from lab.session import session
from protocols.forming import FormingParameters
from protocols.weak_reset import COMPLETE, WeakResetParameters

CELLS = tuple(f"0:{row}:{column}" for row in (10, 30, 50, 70) for column in (5, 15, 25, 35))
WEAK = WeakResetParameters(
    cells=CELLS, amplitudes=(0.52,), widths=(200e-9,), trains=1, pulses=1000, read_every=50
)

chosen = chosen_bench(Path("hfox"), False, seed=4)  # the built-in bench of HfOx cells
with (
    tempfile.TemporaryDirectory() as folder,
    session(chosen, str(Path(folder) / "example.sqlite")) as opened,
):
    dies = chosen.configuration.wafer.addresses[:1]
    start_run(opened.store, opened.bench, "forming", FormingParameters(cells=CELLS), dies)
    run = start_run(opened.store, opened.bench, "weak-reset", WEAK, dies).run
    trains = opened.store.records(run, dies[0], PulseTrain)

moved = {t.cell: t.conductance[0] / t.conductance[-1] for t in trains if t.outcome == COMPLETE}
for cell, ratio in sorted(moved.items(), key=lambda pair: pair[1]):
    print(f"cell {cell:5}: resistance times {ratio:.2f}  " + "*" * round(20 * np.log(ratio)))
print(f"{len(moved)} of {len(CELLS)} cells; the same {WEAK.pulses} pulses for all of them")
