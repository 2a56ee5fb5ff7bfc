"""`lab run`, `lab resume`, `lab status`: measurements."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab.options import (
    DATABASE,
    BenchFile,
    Database,
    Dies,
    Json,
    Seed,
    Simulated,
)

if TYPE_CHECKING:
    from lab.chosen_bench import ChosenBench
    from lab.output import Output

Execution = Annotated[
    str,
    typer.Option("--execution", help="Fastest execution allowed: board, instrument or software."),
]


def run(
    protocol: Annotated[
        str, typer.Argument(help="Such as array-map; docs/commands.md lists them.")
    ],
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    dies: Dies = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Protocol parameter, as name=value.")
    ] = None,
    execution: Execution = "board",
    record: Annotated[
        Path | None, typer.Option("--record", help="Record all messages, for `lab replay`.")
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="Faults of a simulated bench (TOML or JSON).")
    ] = None,
    destroy: Annotated[
        str | None,
        typer.Option("--destroy", help="Name of the wafer whose cells may be spent: do not ask."),
    ] = None,
    fit: Annotated[
        bool,
        typer.Option(help="Fit what was measured; `lab fit RUN` does it later, anywhere."),
    ] = True,
    json: Json = False,
) -> None:
    """Run a measurement protocol on the dies of the wafer."""
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.output import Output
    from lab.parameters import as_json
    from lab.runs import start_run
    from lab.session import session
    from lab.telling import listener, tell_run
    from lab.time_left import time_left
    from lab.traffic import Traffic, header_of
    from protocols.catalog import protocol as protocol_entry

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    protocol = protocol.replace("_", "-")
    entry = protocol_entry(protocol)
    parameters = _parameters(chosen, protocol, assignments or [])
    places = parse_dies(dies, chosen.configuration.wafer.addresses)
    if entry.destructive:
        _ask_twice(protocol, chosen.wafer, len(places), destroy)
    header = header_of(chosen, protocol, as_json(parameters), places, execution)
    traffic = Traffic(recorded=record, header=header, faults=faults)
    options = _bench_options(bench, simulated, seed, database, execution)
    with (
        session(chosen, database, execution=execution, traffic=traffic) as opened,
        time_left(output, opened.bench, protocol, as_json(parameters), places, options) as left,
        output.progress(protocol, len(places)) as step,
    ):
        summary = start_run(
            opened.store, opened.bench, protocol, parameters, places, listener(step, protocol, left)
        )
    tell_run(output, summary, database, fit=fit)


def plan(
    protocol: Annotated[
        str, typer.Argument(help="Such as array-map; docs/commands.md lists them.")
    ],
    bench: BenchFile = None,
    simulated: Simulated = False,
    seed: Seed = None,
    dies: Dies = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Protocol parameter, as name=value.")
    ] = None,
    execution: Execution = "board",
    database: Database = DATABASE,
    within: Annotated[
        float, typer.Option("--within", min=1, help="Seconds that the rehearsal may take.")
    ] = 60.0,
    json: Json = False,
) -> None:
    """Tell what a run will cost, from a rehearsal on a simulated bench; nothing is touched."""
    from dataclasses import asdict

    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.output import Output
    from lab.planning import plan_run
    from lab.session import state_file_beside, store_if_there
    from lab.telling import tell_plan

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    protocol = protocol.replace("_", "-")
    parameters = _parameters(chosen, protocol, assignments or [])
    places = parse_dies(dies, chosen.configuration.wafer.addresses)
    with (
        store_if_there(database) as known,
        output.progress(f"rehearsing {protocol}", len(places)) as step,
    ):
        found = plan_run(
            chosen,
            protocol,
            parameters,
            places,
            execution,
            known=known,
            state_file=state_file_beside(database, chosen.wafer),
            within=within,
            listener=lambda die: step(1),
        )
    tell_plan(output, found, within)
    document = asdict(found)
    output.result(document | document.pop("cost"))


def _bench_options(
    bench: Path | None, simulated: bool, seed: int | None, database: str, execution: str
) -> list[str]:
    """The options of a run, for the plan that is made beside it."""
    options = ["--database", database, "--execution", execution]
    options += ["--simulated"] if simulated else []
    options += [] if bench is None else ["--bench", str(bench)]
    return options + ([] if seed is None else ["--seed", str(seed)])


def _parameters(chosen: "ChosenBench", protocol: str, assignments: list[str]) -> Any:
    """Those of the protocol: its defaults, then the bench file's, then ``--set``."""
    from lab.parameters import build, parse_assignments
    from protocols.catalog import protocol as protocol_entry

    return build(
        protocol_entry(protocol).parameters,
        (
            f"{chosen.source} [protocols.{protocol}]",
            chosen.configuration.protocols.get(protocol, {}),
        ),
        ("--set", parse_assignments(assignments)),
    )


def _ask_twice(protocol: str, wafer: str, dies: int, destroy: str | None) -> None:
    """Return if the user wants to spend the cells; raises ConfigurationError if not."""
    from crossbar.errors import ConfigurationError

    question = f"{protocol} destroys the cells that it measures, on {dies} dies of {wafer}. Go on?"
    try:
        if destroy is None and typer.confirm(question, err=True):
            destroy = typer.prompt("Type the name of the wafer to confirm", err=True)
    except typer.Abort:  # nobody there to answer, or Ctrl-C: not confirmed
        typer.echo(err=True)
    if destroy != wafer:
        raise ConfigurationError(
            f"{protocol} destroys cells and was not confirmed: nothing was sent. Confirm by the "
            f"wafer's name: --destroy {wafer}."
        )


def replay(
    recording: Annotated[Path, typer.Argument(help="File that `lab run --record` wrote.")],
    database: Annotated[
        str | None, typer.Option("--database", help="Keep the records; by default thrown away.")
    ] = None,
    json: Json = False,
) -> None:
    """Do a recorded run again without instruments; tell where it differs."""
    from tempfile import TemporaryDirectory

    from lab.output import Output
    from lab.traffic import replay as replay_run

    output = Output(as_json=json)
    with TemporaryDirectory() as folder:
        messages = replay_run(recording, database or str(Path(folder) / "replay.sqlite"))
    output.say(f"{messages} messages, no difference")
    output.result({"recording": recording, "messages": messages, "difference": None})


def resume(
    run_number: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="Number; by default the newest.")
    ] = None,
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    execution: Execution = "board",
    json: Json = False,
) -> None:
    """Go on with an interrupted run at the first piece of work that is not stored."""
    from crossbar.errors import ConfigurationError
    from lab.chosen_bench import chosen_bench
    from lab.output import Output
    from lab.resuming import resume_run
    from lab.runs import IN_THE_LOOP, wafer_of
    from lab.session import session
    from lab.telling import listener, tell_run
    from lab.time_left import time_left

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    with session(chosen, database, execution=execution, create=False) as opened:
        if run_number is None:
            unfinished = opened.store.interrupted_runs(wafer_of(opened.store, opened.bench))
            if not unfinished:
                raise ConfigurationError(
                    f"{database} has no interrupted run on wafer {chosen.wafer!r}; "
                    "`lab status` lists the runs."
                )
            run_number = unfinished[0].id
        row = opened.store.run(run_number)
        options = _bench_options(bench, simulated, seed, database, execution)
        left_over = [die for die in row.dies if die not in opened.store.done_dies(run_number)]
        # Trained weights are written in no time and a plan would need them; training has no plan.
        planned = [] if row.training_run_id or row.protocol == IN_THE_LOOP else left_over
        with (
            time_left(output, opened.bench, row.protocol, row.parameters, planned, options) as left,
            output.progress(row.protocol, len(row.dies)) as step,
        ):
            summary = resume_run(
                opened.store, opened.bench, run_number, listener(step, row.protocol, left)
            )
    tell_run(output, summary, database)


def status(
    run_number: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="One run: what it cost, and its energy.")
    ] = None,
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """List the runs of a database, or of one bench's wafer; or tell what one run cost."""
    from db.store import Store
    from lab.chosen_bench import wafer_named
    from lab.output import Output

    output = Output(as_json=json)
    if run_number is not None:
        from lab.run_cost import tell_cost

        with Store.open(database, create=False) as store:
            tell_cost(output, store, run_number)
        return
    named = wafer_named(bench, simulated, seed)
    with Store.open(database, create=False) as store:
        wafers = {wafer.id: wafer.name for wafer in store.wafers()}
        lines = [
            {
                "run": row.id,
                "protocol": row.protocol,
                "wafer": wafers[row.wafer_id],
                "status": row.status,
                "dies_done": len(store.done_dies(row.id)),
                "dies": len(row.dies),
                "started_at": f"{row.started_at:%Y-%m-%d %H:%M:%S}",
                "message": row.message,
            }
            for row in store.runs()
            if wafers[row.wafer_id] == (named or wafers[row.wafer_id])
        ]
        counts = store.counts()
    _tell_runs(output, database, lines)
    output.result({"runs": lines, "counts": counts})


def _tell_runs(output: "Output", database: str, lines: list[dict[str, Any]]) -> None:
    """A line each; what went wrong with which stands below, since the columns are narrow."""
    shown = []
    for line in lines:
        imported = line["message"] if line["status"] == "done" else ""
        protocol = f"{line['protocol']} ({imported})" if imported else line["protocol"]
        shown.append([v for k, v in (line | {"protocol": protocol}).items() if k != "message"])
    output.table(
        f"Runs in {database}",
        ["run", "protocol", "wafer", "status", "dies done", "dies", "started (UTC)"],
        shown,
    )
    unfinished = [line for line in lines if line["status"] != "done"]
    for line in unfinished:
        if line["message"]:
            output.say(f"Run {line['run']}: {line['message']}")
    if unfinished:
        output.say("`lab resume RUN` goes on where a run stopped.")
