"""`lab import`, `lab twin`: other people's measurements, and simulated dies made of them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Json

if TYPE_CHECKING:
    from lab.output import Output


def import_(
    kind: Annotated[
        str, typer.Argument(metavar="FORMAT", help="Such as csv; docs/importing.md lists them.")
    ],
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What to read (maps: the folder).")],
    name: Annotated[
        str | None,
        typer.Option("--name", help="Wafer in the database; the file's name by default."),
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="What the file does not say, as name=value.")
    ] = None,
    database: Database = DATABASE,
    json: Json = False,
) -> None:
    """Read other people's measurements into the database: a file, or a folder of maps."""
    from lab.importing.catalog import CONDUCTANCE_MAP, import_format
    from lab.importing.storing import import_file
    from lab.output import Output
    from lab.parameters import build, parse_assignments

    output = Output(as_json=json)
    if kind == CONDUCTANCE_MAP:
        _import_maps(output, path, name or path.resolve().name, database)
        return
    entry = import_format(kind)
    parameters = build(entry.parameters, ("--set", parse_assignments(assignments or [])))
    found = import_file(database, path, entry, parameters, name or path.stem)
    for note in found.notes:
        output.say(note, style="yellow")
    records = ", ".join(f"{number} {what}" for what, number in found.records.items())
    output.say(
        f"Run {found.run} in {database}: {records} of {found.cells} "
        f"cell{'s' * (found.cells != 1)}, wafer {found.wafer!r}."
    )
    output.result(asdict(found))


def _import_maps(output: "Output", folder: Path, name: str, database: str) -> None:
    """Conductance maps, and how well the defects of one programming foretell the others."""
    from db.store import Store
    from lab.importing.conductance_maps import read_conductance_maps, reproducibility

    maps = read_conductance_maps(folder, name)
    with Store.open(database) as store:
        for found in maps:
            store.save_conductance_map(found)
    rows = reproducibility(maps)
    output.table(
        f"Defects found in one programming, held against the others ({name})",
        ["class", "found", "share (%)", "precision (%)", "recall (%)"],
        [
            [row.name, row.found, 100 * row.share, 100 * row.precision, 100 * row.recall]
            for row in rows
        ],
    )
    output.say(
        f"{len(maps)} maps stored in {database} as {name!r}. `lab twin {name}` makes a simulated "
        "wafer of them."
    )
    output.result(
        {
            "name": name,
            "maps": len(maps),
            "defects": {
                row.name: {
                    "found": row.found,
                    "share": row.share,
                    "precision": row.precision,
                    "recall": row.recall,
                }
                for row in rows
            },
        }
    )


def twin(
    name: Annotated[str, typer.Argument(help="Name of the imported conductance maps.")],
    path: Annotated[Path, typer.Option("--out", help="Bench file to write.")] = Path("twin.toml"),
    bench: BenchFile = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    database: Database = DATABASE,
) -> None:
    """Write a bench file whose simulated dies carry the defects of a real chip."""
    from crossbar.errors import DataError
    from db.store import Store
    from lab.configuration import read_configuration, write_configuration
    from lab.importing.conductance_maps import twin_configuration

    with Store.open(database) as store:
        if not store.conductance_maps(name):
            raise DataError(
                f"{database} holds no conductance maps named {name!r}. Import them first: "
                f"lab import conductance-map DIR --name {name}"
            )
    configuration, _ = read_configuration(bench)
    write_configuration(twin_configuration(configuration, name, seed), path)
    print(
        f"Wrote {path}: {len(configuration.wafer.addresses)} dies made of {name!r}. Try: "
        f"lab run array-map --bench {path} --database {database}"
    )
