"""`lab train`, `lab program`, `lab evaluate`: networks."""

from dataclasses import asdict
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
    from physics.line_resistance import Wires
    from training.solution import Solution

DataSet = Annotated[str, typer.Option("--dataset", help="digits (no download) or mnist.")]


def train(
    strategy: Annotated[
        str | None,
        typer.Argument(help="ideal, defect-aware or statistics-aware (the default)."),
    ] = None,
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    dataset: DataSet = "digits",
    die: Annotated[
        str | None,
        typer.Option("--die", help="x,y of the die, with defect-aware and --in-the-loop."),
    ] = None,
    in_the_loop: Annotated[
        bool,
        typer.Option(
            "--in-the-loop", help="Train with the die: it makes the forward pass, and is written."
        ),
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="With --in-the-loop: name=value of its plan; may be repeated."),
    ] = None,
    dies: Annotated[
        str | None,
        typer.Option("--dies", help="Mapped dies that the statistics come from; all by default."),
    ] = None,
    start: Annotated[
        int | None,
        typer.Option("--start", help="Training run to go on from, best an ideal one."),
    ] = None,
    wires: Annotated[
        str | None,
        typer.Option("--wires", help='With the wires in the loop: "2 Ohm" between two cells.'),
    ] = None,
    solve_every: Annotated[
        int,
        typer.Option(
            "--solve-every",
            min=1,
            help="With --wires and --die: steps between two solutions.",
        ),
    ] = 1,
    torch_device: Annotated[
        str, typer.Option("--torch-device", help="Where torch trains: cpu, cuda, cuda:1, mps.")
    ] = "cpu",
    seed: Seed = None,
    training_seed: Annotated[int, typer.Option("--training-seed", min=0)] = 1,
    json: Json = False,
) -> None:
    """Train a binarized network for the measured dies of a wafer."""
    from crossbar.errors import ConfigurationError
    from db.store import Store
    from lab.chosen_bench import chosen_bench, parse_die, parse_dies
    from lab.commands.learn_in_the_loop import learn_in_the_loop
    from lab.data_sets import data_set
    from lab.learning import Teacher, check_strategy
    from lab.output import Output
    from lab.runs import wafer_of
    from training.solution import Solution

    output = Output(as_json=json)
    _check_torch_device(torch_device, in_the_loop or wires is not None)
    chosen = chosen_bench(bench, simulated, seed)
    if in_the_loop:
        if strategy is not None or die is None or wires is not None:
            raise ConfigurationError(
                "--in-the-loop needs --die x,y and is a strategy by itself, without --wires: the "
                "die has its own."
            )
        learn_in_the_loop(
            output, chosen, database, die, dataset, start, training_seed, assignments or []
        )
        return
    if assignments:
        raise ConfigurationError("--set goes with --in-the-loop, and only with it.")
    strategy = check_strategy(strategy or "statistics-aware")
    table = chosen.configuration.wafer
    if (strategy == "defect-aware") != (die is not None):
        raise ConfigurationError("--die x,y goes with defect-aware training, and only with it.")
    places = None if dies is None else parse_dies(dies, table.addresses)
    if die is not None:
        places = [parse_die(die, table.addresses)]
    with Store.open(database) as store, output.progress("training", 1) as step:
        teacher = Teacher(
            store=store,
            wafer=wafer_of(store, chosen),
            geometry=table.geometry,
            dataset=data_set(dataset),
            seed=training_seed,
            wires=_wires(wires, chosen),
            solve_every=solve_every,
            torch_device=torch_device,
            listener=lambda done: step(
                1 / done.epochs, f"training, epoch {done.epoch}, loss {done.loss:.3f}"
            ),
        )
        begin = None if start is None else Solution.from_arrays(store.training_run(start).solution)
        trained = _taught(teacher, strategy, places, begin)
    _tell(output, trained, dataset)


def _check_torch_device(name: str, cpu_only: bool) -> None:
    """Refuse an accelerator that is not there, or that this training makes no use of."""
    from crossbar.errors import ConfigurationError
    from training.torch_device import torch_device

    torch_device(name)
    if name != "cpu" and cpu_only:
        raise ConfigurationError(
            f"--torch-device {name} with --in-the-loop or --wires: both compute on the CPU only. "
            "Leave it out."
        )


def _tell(output: "Output", trained: "Trained", dataset: str) -> None:
    """What was learned in software, for people and for programs."""
    output.say(
        f"Training run {trained.training_run} ({trained.solution.trained}, {dataset}): "
        f"{100 * trained.software_accuracy:.2f} % of the test images in software."
    )
    output.result(
        {
            "training_run": trained.training_run,
            "strategy": trained.solution.trained,
            "dataset": dataset,
            "software_accuracy": trained.software_accuracy,
        }
    )


def _taught(
    teacher: "Teacher", strategy: str, places: "list[DieAddress] | None", begin: "Solution | None"
) -> "Trained":
    """Train by one of the strategies in software; ``places`` are the mapped dies meant."""
    from lab.learning import mapped_dies

    if strategy == "ideal":
        return teacher.ideal()
    maps = mapped_dies(teacher.store, teacher.wafer, places)
    if strategy == "statistics-aware":
        return teacher.statistics_aware(maps, begin)
    ((place, found),) = maps.items()
    return teacher.defect_aware(place, found, begin)


def _wires(segment: str | None, chosen: "ChosenBench") -> "Wires | None":
    """Word and bit lines of so many ohms a segment, given as text."""
    if segment is None:
        return None
    from crossbar.errors import ConfigurationError
    from crossbar.units import parse_quantity
    from physics.line_resistance import Wires

    simulation = chosen.configuration.simulation
    if simulation is not None and not simulation.selectors:
        raise ConfigurationError(
            "--wires takes the stretch of wire of each cell out of its map, which is only known "
            f"behind selectors; {chosen.source} [simulation] has selectors = false. Train without."
        )
    ohms = parse_quantity(segment, "Ohm")
    return Wires(word_segment=ohms, bit_segment=ohms)


def program(
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    training: Annotated[
        int | None,
        typer.Option(
            "--training",
            help="Number of the training run; of each die the newest for it or for all dies.",
        ),
    ] = None,
    dies: Dies = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Write trained weights onto dies and verify every cell."""
    from crossbar.records import ProgrammedBlock
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.output import Output
    from lab.programming import begin_programming, records_of_programming, summary_of
    from lab.runs import measure, wafer_of
    from lab.session import session
    from protocols.program_and_verify import ProgramAndVerifyParameters
    from training.solution import Solution

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    places = parse_dies(dies, chosen.configuration.wafer.addresses)
    rows: list[list[object]] = []
    told: dict[str, dict[str, int]] = {}
    begun = session(chosen, database, create=False)
    with begun as opened, output.progress("program", len(places)) as step:
        store, wafer = opened.store, wafer_of(opened.store, opened.bench)
        for row, alike in _weights_of_dies(store, wafer, places, training):
            plan = ProgramAndVerifyParameters()
            run = begin_programming(store, opened.bench, row.id, plan, alike)
            work = records_of_programming(store, store.run(run), Solution.from_arrays(row.solution))
            measure(store, opened.bench, run, work, lambda event, *_: step(event == "done"))
            for die in sorted(store.done_dies(run)):
                done = summary_of(store.records(run, die, ProgrammedBlock))
                verified = 100 * done.verified / max(done.cells, 1)
                weights = f"{row.weights} ({row.id}, {row.dataset})"
                rows.append([str(die), run, weights, done.cells, verified, done.pulses])
                told[f"{die.x},{die.y}"] = {"run": run, "training_run": row.id, **asdict(done)}
    output.table(
        "Programmed",
        ["die", "run", "weights (training run, data set)", "cells", "verified (%)", "write pulses"],
        rows,
    )
    output.result({"dies": told})


def _weights_of_dies(
    store: "Store", wafer: int, places: "list[DieAddress]", training: int | None
) -> "list[tuple[TrainingRunRow, list[DieAddress]]]":
    """Dies that get the same weights: of this training run, or of each die's newest."""
    if training is not None:
        return [(store.training_run(training), places)]
    newest = {die: store.weights_for_die(wafer, die) for die in places}
    found = {row.id: row for row in newest.values()}
    return [
        (row, [die for die in places if newest[die].id == number]) for number, row in found.items()
    ]


def evaluate(
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    dies: Dies = None,
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="Only so many test images."),
    ] = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Grade programmed dies: test images as row voltages, answers from column currents."""
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.data_sets import data_set
    from lab.output import Output
    from lab.programming import grade_in_hardware, graded_with
    from lab.session import session
    from training.solution import Solution

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    places = parse_dies(dies, chosen.configuration.wafer.addresses)
    rows = []
    begun = session(chosen, database, create=False)
    with begun as opened, output.progress("grade", len(places)) as step:
        store = opened.store
        for die in places:
            run, trained = graded_with(store, opened.bench, die)
            solution, dataset = Solution.from_arrays(trained.solution), data_set(trained.dataset)
            with opened.bench.contacted(die) as memory_die:
                found = grade_in_hardware(
                    store, opened.bench, memory_die, solution, trained.id, dataset,
                    images=images, programming_run=run,
                )  # fmt: skip
            rows.append((die, trained, found))
            step(1)
    output.table(
        "Graded in hardware",
        ["die", "weights", "data set", "images", "accuracy (%)"],
        [
            [str(die), trained.weights, trained.dataset, found.total, 100 * found.accuracy]
            for die, trained, found in rows
        ],
    )
    output.result(
        {
            "dies": {
                f"{die.x},{die.y}": {
                    "training_run": trained.id,
                    "strategy": trained.strategy,
                    "calibrated": trained.calibrated_in_run is not None,
                    "images": found.total,
                    "correct": found.correct,
                    "accuracy": found.accuracy,
                }
                for die, trained, found in rows
            }
        }
    )
