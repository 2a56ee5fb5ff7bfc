"""`lab import`, `lab twin`: other people's measurements, and simulated dies made of them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Json

if TYPE_CHECKING:
    from db.rows import WaferRow
    from db.store import Store
    from lab.configuration import BenchConfiguration
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
    name: Annotated[
        str, typer.Argument(help="A measured wafer of the database, or imported conductance maps.")
    ],
    path: Annotated[Path, typer.Option("--out", help="Bench file to write.")] = Path("twin.toml"),
    twin_name: Annotated[
        str | None, typer.Option("--name", help="Of the twin; by default twin-of- and the name.")
    ] = None,
    kernel: Annotated[
        str | None, typer.Option("--kernel", help="One die, of this kernel of the imported maps.")
    ] = None,
    dot_products: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--dot-products",
            help="Computed and measured currents of that kernel: the board gets their gains.",
        ),
    ] = None,
    bench: BenchFile = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    database: Database = DATABASE,
    json: Json = False,
) -> None:
    """Write a bench file whose simulated dies are measured ones: defects, conductances, fits."""
    from crossbar.errors import DataError
    from db.store import Store
    from lab.configuration import check_writable, read_configuration, write_configuration
    from lab.importing.conductance_maps import kernel_named, twin_configuration
    from lab.importing.dot_products import measured_front_end
    from lab.output import Output

    output = Output(as_json=json)
    configuration, _ = read_configuration(bench)
    check_writable(path)
    with Store.open(database) as store:
        wafer = next((row for row in store.wafers() if row.name == name), None)
        if maps := store.conductance_maps(name):
            only = None if kernel is None else kernel_named(maps, kernel)
            front_end = None if dot_products is None else measured_front_end(*dot_products, only)
            made = twin_configuration(configuration, name, seed, only=only, front_end=front_end)
        elif kernel is not None or dot_products is not None:
            raise DataError(
                f"--kernel and --dot-products go with imported maps, and {database} holds none "
                f"named {name!r}. Import them: lab import conductance-map DIR --name {name}"
            )
        elif wafer is not None:
            made = _twin_of_wafer(output, store, wafer, twin_name, configuration, seed)
        else:
            known = ", ".join(row.name for row in store.wafers()) or "none"
            raise DataError(
                f"{database} holds no conductance maps and no wafer named {name!r}; its wafers: "
                f"{known}. Measure one with lab run array-map, or import maps: "
                f"lab import conductance-map DIR --name {name}"
            )
    write_configuration(made, path)
    output.say(
        f"Wrote {path}: {len(made.wafer.addresses)} dies made of {name!r}. Try: "
        f"lab run array-map --bench {path} --database {database}"
    )
    output.result({"bench": path, "wafer": made.wafer.name, "dies": len(made.wafer.addresses)})


def _twin_of_wafer(
    output: "Output",
    store: "Store",
    wafer: "WaferRow",
    name: str | None,
    configuration: "BenchConfiguration",
    seed: int,
) -> "BenchConfiguration":
    """Make and keep the twin; the bench file that leads to it."""
    from lab.twins import bench_of_twin, keep, twin_of

    name = name or f"twin-of-{wafer.name}"
    made = twin_of(store, wafer, seed)
    bench = bench_of_twin(configuration, made, name, seed)
    keep(store, made, name)
    drawn = "of the built-in population"
    if made.population:
        drawn = ", ".join(f"{key} {value:.4g}" for key, value in sorted(made.population.items()))
    output.say(
        f"{len(made.truths)} dies with their own conductances and defects; the switching of "
        f"{made.fitted_cells} cells is their own, that of the others drawn ({drawn})."
    )
    return bench
