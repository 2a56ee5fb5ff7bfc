"""`lab train --in-the-loop`: a run that learns with the die under the needles."""

from collections.abc import Sequence

from lab.chosen_bench import ChosenBench, parse_die
from lab.data_sets import data_set
from lab.in_the_loop import begin_in_the_loop, plan_for, work_in_the_loop
from lab.output import Output
from lab.parameters import parse_assignments
from lab.runs import measure
from lab.session import session
from lab.telling import tell_run
from training.in_the_loop import LoopProgress


def learn_in_the_loop(
    output: Output,
    chosen: ChosenBench,
    database: str,
    die: str,
    dataset: str,
    start: int | None,
    training_seed: int,
    assignments: Sequence[str],
) -> None:
    """Train on one die; after Ctrl-C or a crash `lab resume` goes on."""
    place = parse_die(die, chosen.configuration.wafer.addresses)
    data_set(dataset)  # refuses an unknown one before anything is entered
    plan = plan_for(dataset, parse_assignments(assignments))
    with session(chosen, database) as opened, output.progress("training", 1) as step:
        store, bench = opened.store, opened.bench
        run = begin_in_the_loop(
            store, bench, place, plan, dataset=dataset, seed=training_seed, start=start
        )

        def report(done: LoopProgress) -> None:
            text = f"training with die {place}, step {done.step} of {done.steps}"
            step(1 / done.steps if done.step else 0, f"{text}, loss {done.loss:.3f}")

        summary = measure(store, bench, run, work_in_the_loop(store, bench, store.run(run), report))
    tell_run(output, summary, database)
