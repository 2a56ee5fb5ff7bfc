"""`lab init`, `lab check`, `lab simulate`: setting up a bench."""

from pathlib import Path
from typing import Annotated

import typer

from lab.options import (
    DATABASE,
    BenchFile,
    Database,
    Json,
    OtherBench,
    Seed,
    Simulated,
    Technology,
)


def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("bench.toml"),
    technology: Annotated[
        Technology, typer.Option("--technology", help="What the wafer's cells are.")
    ] = "mtj",
) -> None:
    """Write a bench file to start from; it describes the simulated bench."""
    from crossbar.errors import ConfigurationError
    from lab.configuration import built_in_text

    if path.exists():
        raise ConfigurationError(
            f"{path} exists and is left as it is. Name another file, or move that one away."
        )
    try:
        path.write_text(built_in_text(technology), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error}.") from None
    print(f"Wrote {path}. Put your addresses, limits and wafer map there, then: lab check")


def check(
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Open every instrument, identify it, time the bus and test contact on the first die."""
    from lab.bench_check import check_bench
    from lab.chosen_bench import chosen_bench
    from lab.output import Output
    from lab.session import session

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    with session(chosen, database) as opened:
        findings = check_bench(opened.bench)
    _show_findings(output, findings, opened.bench.limits)
    if not findings.contact.touching:
        raise typer.Exit(5)


def simulate(
    bench: OtherBench = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the instruments over TCP until Ctrl-C.")
    ] = False,
    bench_out: Annotated[
        Path, typer.Option("--bench-out", help="Bench file to write for the clients.")
    ] = Path("simulated.toml"),
    json: Json = False,
) -> None:
    """Show the simulated wafer's truth, or serve its instruments to other programs."""
    from db.store import Store
    from lab.chosen_bench import chosen_bench
    from lab.output import Output
    from lab.session import state_file_beside
    from lab.simulation import describe_truth, serve_forever, simulated_bench

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated or bench is None, seed)
    with Store.open(database) as store:
        state_file = state_file_beside(database, chosen.wafer)
        simulation = simulated_bench(chosen.configuration, store, state_file)
    if serve:
        serve_forever(simulation, chosen.configuration, state_file, bench_out, output.say)
        return
    rows = describe_truth(simulation, chosen.configuration.wafer.addresses)
    output.table(
        f"The truth about wafer {chosen.wafer}: cells that are not healthy (%)",
        ["die", *next(iter(rows.values()))],
        [[str(die), *(100 * share for share in row.values())] for die, row in rows.items()],
    )
    output.result({"wafer": chosen.wafer, "dies": {str(die): row for die, row in rows.items()}})


def _show_findings(output, findings, limits) -> None:
    """The table of instruments, the contact, the limits; the same as one JSON document."""
    from dataclasses import asdict

    import numpy as np

    from crossbar.units import format_quantity
    from drivers.catalog import ROLES

    output.table(
        "Instruments",
        ["what", "answers as", "address", "round trip (ms)", "enforces by itself"],
        [
            [
                ROLES[line.role],
                line.identity,
                line.address,
                line.round_trip * 1e3,
                ", ".join(str(protection) for protection in line.protections) or "-",
            ]
            for line in findings.instruments
        ],
    )
    contact = findings.contact
    median = float(np.median(contact.conductance))
    verdict = "touching" if contact.touching else "NO CONTACT"
    output.say(
        f"Die {findings.die}: {verdict}; {(contact.conductance > 0).sum()} of "
        f"{len(contact.cells)} cells conduct, median {format_quantity(median, 'S')}."
    )
    output.say(_limits_told(limits))
    output.result(
        {
            "instruments": [
                {
                    "role": line.role,
                    "driver": line.driver,
                    "address": line.address,
                    "identity": line.identity,
                    "round_trip": line.round_trip,
                    "protections": [asdict(protection) for protection in line.protections],
                }
                for line in findings.instruments
            ],
            "die": [findings.die.x, findings.die.y],
            "touching": contact.touching,
            "conductance": contact.conductance,
        }
    )


def _limits_told(limits) -> str:
    from crossbar.units import format_quantity

    return (
        f"Limits for cells ({limits.source}): ±{limits.max_amplitude:g} V, "
        f"{format_quantity(limits.min_width, 's')} to {format_quantity(limits.max_width, 's')}, "
        f"{format_quantity(limits.max_energy, 'J')} a pulse, "
        f"reads ±{limits.max_read_amplitude:g} V, {format_quantity(limits.max_current, 'A')}."
    )
