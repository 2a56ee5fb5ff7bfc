"""Going on with an interrupted run, whatever it was doing."""

from crossbar.errors import ConfigurationError
from db.rows import RunRow
from db.store import Store
from lab.bench import Bench
from lab.parameters import build
from lab.runs import (
    IN_THE_LOOP,
    Listener,
    RunSummary,
    Work,
    findings_of,
    measure,
    wafer_of,
    work_of,
)
from protocols.catalog import protocol


def resume_run(
    store: Store, bench: Bench, run: int, listener: Listener = lambda *_: None
) -> RunSummary:
    """Go on with an interrupted run at the first piece of work that is not stored.

    Raises ConfigurationError if the run is done, or belongs to another wafer than the bench's.
    """
    row = store.run(run)
    if row.status == "done":
        raise ConfigurationError(f"Run {run} ({row.protocol}) is done; there is nothing to resume.")
    if row.wafer_id != wafer_of(store, bench):
        names = {wafer.id: wafer.name for wafer in store.wafers()}
        raise ConfigurationError(
            f"Run {run} was on wafer {names[row.wafer_id]!r}, but {bench.source} describes "
            f"{bench.configuration.wafer.name!r}. Resume it with its own bench file and seed."
        )
    store.finish_run(run, "running")  # taken up again
    work = _work_of(store, bench, row)
    return measure(store, bench, run, work, listener, findings_of(store, run))


def _work_of(store: Store, bench: Bench, row: RunRow) -> Work:
    """What a stored run does on a die: its protocol, training with it, or the programming of
    trained weights.
    """
    if row.protocol == IN_THE_LOOP:
        from lab.in_the_loop import work_in_the_loop

        return work_in_the_loop(store, bench, row)
    if row.training_run_id is not None:
        # Only here, since weights bring torch with them.
        from lab.programming import records_of_programming
        from training.solution import Solution

        trained = store.training_run(row.training_run_id)
        return records_of_programming(store, row, Solution.from_arrays(trained.solution))
    entry = protocol(row.protocol)
    parameters = build(entry.parameters, (f"run {row.id}", row.parameters))
    return work_of(store, row.id, entry, parameters)
