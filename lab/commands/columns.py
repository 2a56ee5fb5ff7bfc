"""`lab assign`, `lab calibrate`: weights made to suit each die, without training."""

from typing import TYPE_CHECKING, Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Dies, Json, Seed, Simulated

if TYPE_CHECKING:
    from crossbar.geometry import DieAddress
    from db.rows import TrainingRunRow
    from db.store import Store
    from lab.chosen_bench import ChosenBench
    from lab.learning import Teacher, Trained
    from lab.output import Output

Images = Annotated[
    int, typer.Option("--images", min=20, help="Training images, their labels unseen.")
]


def assign(
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    training: Annotated[
        int | None,
        typer.Option("--training", help="Number of the training run; the newest ideal one."),
    ] = None,
    dies: Annotated[
        str | None, typer.Option("--dies", help="Mapped dies; all of them by default.")
    ] = None,
    images: Images = 300,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Put trained weights into the columns of each mapped die that suit them; nothing is trained.

    Program the dies then, and calibrate them.
    """
    from db.store import Store
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.columns import assign as assigned
    from lab.learning import mapped_dies
    from lab.output import Output

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    places = parse_dies(dies, chosen.configuration.wafer.addresses) if dies else None
    with Store.open(database, create=False) as store:
        row = (
            store.latest_training_run(strategy="ideal")
            if training is None
            else store.training_run(training)
        )
        teacher = _teacher(store, chosen, row)
        maps = mapped_dies(store, teacher.wafer, places)
        with output.progress("assign", len(maps)) as step:
            found = {}
            for die, known in maps.items():
                found[die] = assigned(teacher, row, die, known, images)
                step(1)
    _tell(output, f"Assigned: weights of training run {row.id} ({row.weights})", found)


def calibrate(
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    dies: Dies = None,
    images: Images = 300,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Fit gain and offset of every column of programmed dies to images that are shown to them.

    Nothing is written, no label is used. `lab evaluate` then grades with these.
    """
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.columns import calibrate as calibrated
    from lab.output import Output
    from lab.programming import programmed_with
    from lab.session import session

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    places = parse_dies(dies, chosen.configuration.wafer.addresses)
    found = {}
    begun = session(chosen, database, create=False)
    with begun as opened, output.progress("calibrate", len(places)) as step:
        for place in places:
            run, row = programmed_with(opened.store, opened.bench, place)
            teacher = _teacher(opened.store, chosen, row)
            with opened.bench.contacted(place) as die:
                found[place] = calibrated(teacher, row, images, run, die)
            step(1)
    _tell(output, "Calibrated on the programmed dies", found)


def _teacher(store: "Store", chosen: "ChosenBench", row: "TrainingRunRow") -> "Teacher":
    """Who knows the wafer and the data set that these weights are for."""
    from lab.data_sets import data_set
    from lab.learning import Teacher
    from lab.runs import wafer_of

    return Teacher(
        store=store,
        wafer=wafer_of(store, chosen),
        geometry=chosen.configuration.wafer.geometry,
        dataset=data_set(row.dataset),
        seed=row.seed,
    )


def _tell(output: "Output", title: str, found: "dict[DieAddress, Trained]") -> None:
    output.table(
        title,
        ["die", "training run", "as mapped, in software (%)"],
        [
            [str(die), trained.training_run, 100 * trained.software_accuracy]
            for die, trained in found.items()
        ],
    )
    output.result(
        {
            "dies": {
                f"{die.x},{die.y}": {
                    "training_run": trained.training_run,
                    "software_accuracy": trained.software_accuracy,
                }
                for die, trained in found.items()
            }
        }
    )
