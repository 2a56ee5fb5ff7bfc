"""Train for one measured die, program it, and let the die itself recognize digits.

python examples/03_train_around_the_defects.py
"""

import tempfile
from pathlib import Path

from lab.chosen_bench import chosen_bench
from lab.data_sets import data_set
from lab.learning import Teacher, mapped_dies
from lab.programming import begin_programming, grade_in_hardware, records_of_programming
from lab.runs import measure, start_run, wafer_of
from lab.session import session
from protocols.array_map import ArrayMapParameters
from protocols.program_and_verify import ProgramAndVerifyParameters

chosen = chosen_bench(None, True, seed=4)
digits = data_set("digits")
with (
    tempfile.TemporaryDirectory() as folder,
    session(chosen, str(Path(folder) / "example.sqlite")) as opened,
):
    store, bench = opened.store, opened.bench
    die = chosen.configuration.wafer.addresses[0]
    start_run(store, bench, "array-map", ArrayMapParameters(), [die])
    wafer = wafer_of(store, bench)
    teacher = Teacher(
        store=store,
        wafer=wafer,
        geometry=chosen.configuration.wafer.geometry,
        dataset=digits,
        seed=1,
    )
    ideal = teacher.ideal()
    aware = teacher.defect_aware(die, mapped_dies(store, wafer)[die], ideal.solution)
    print(f"software baseline    {100 * ideal.software_accuracy:.1f} %")
    for trained in (ideal, aware):
        parameters = ProgramAndVerifyParameters()
        run = begin_programming(store, bench, trained.training_run, parameters, [die])

        def grade(touched, trained=trained):
            """What is done once the die is programmed, before the needles leave it."""
            found = grade_in_hardware(
                store, bench, touched, trained.solution, trained.training_run, digits
            )
            print(f"{trained.solution.trained:12} on die  {100 * found.accuracy:.1f} %")

        work = records_of_programming(store, store.run(run), trained.solution)
        measure(store, bench, run, work, afterwards=grade)
