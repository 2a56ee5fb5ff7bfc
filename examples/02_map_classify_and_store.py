"""Map two dies, classify their cells, and read everything back from the database.

python examples/02_map_classify_and_store.py
"""

import tempfile
from pathlib import Path

from crossbar.defect_map import CellClass
from lab.chosen_bench import chosen_bench
from lab.runs import start_run, wafer_of
from lab.session import session
from protocols.array_map import ArrayMapParameters

chosen = chosen_bench(None, True, seed=4)
with tempfile.TemporaryDirectory() as folder:
    database = str(Path(folder) / "example.sqlite")
    with session(chosen, database) as opened:
        dies = chosen.configuration.wafer.addresses[:2]
        start_run(opened.store, opened.bench, "array-map", ArrayMapParameters(), dies)
        maps = opened.store.defect_maps(wafer_of(opened.store, opened.bench))

for die, found in maps.items():
    shares = ", ".join(
        f"{kind.name.lower()} {100 * found.fraction(kind):.2f} %"
        for kind in CellClass
        if kind is not CellClass.HEALTHY
    )
    print(f"die {die}: {shares}; {len(found.lines)} defective lines")
