"""`lab import`, `lab twin`: other people's measurements, and simulated dies made of them."""

from pathlib import Path
from typing import Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Json

FORMATS = ("conductance-map",)


def import_(
    kind: Annotated[str, typer.Argument(metavar="FORMAT", help="conductance-map.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name in the database; the folder's by default.")
    ] = None,
    database: Database = DATABASE,
    json: Json = False,
) -> None:
    """Read measurements of other groups' chips into the database."""
    from crossbar.errors import ConfigurationError
    from db.store import Store
    from lab.importing.conductance_maps import read_conductance_maps, reproducibility
    from lab.output import Output

    if kind not in FORMATS:
        raise ConfigurationError(
            f"There is no import format {kind!r}; there is {', '.join(FORMATS)}."
        )
    output = Output(as_json=json)
    name = name or folder.resolve().name
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
