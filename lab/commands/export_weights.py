"""`lab export-weights`: which weight sits in which cell, for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Json, Seed, Simulated, TrainingRun


def export_weights(
    to: Annotated[Path, typer.Argument(help="File to write: NAME.csv or NAME.json.")],
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    training: TrainingRun = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="Instead: state_dict of a torch model, tiled over dies."),
    ] = None,
    dies: Annotated[
        str | None,
        typer.Option("--dies", help="all, a number, or 'x,y x,y ...', in the order of use."),
    ] = None,
    encoding: Annotated[
        str, typer.Option("--encoding", help="Of a model: single-ended or differential.")
    ] = "single-ended",
    most_dead: Annotated[
        float | None,
        typer.Option(
            "--most-dead", min=0, max=1,
            help="Of a model: skip columns of which a larger share is dead by the die's map.",
        ),
    ] = None,
    seed: Seed = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Write which weight sits in which cell of which die, for other tools to program."""
    from crossbar.errors import ConfigurationError
    from lab.chosen_bench import chosen_bench, parse_dies
    from lab.exporting_weights import newest_weights, of_model_file, of_training_run
    from lab.output import Output
    from lab.placement_file import write_placement
    from lab.session import store_if_there
    from training.encoding import Encoding

    output = Output(as_json=json)
    chosen = chosen_bench(bench, simulated, seed)
    addresses = chosen.configuration.wafer.addresses
    known = [each.value for each in Encoding]
    if encoding not in known:
        raise ConfigurationError(f"--encoding {encoding!r}: it is {' or '.join(known)}.")
    with store_if_there(database) as store:
        if model is not None:
            placed = of_model_file(
                chosen, store, model, parse_dies(dies, addresses),
                encoding=Encoding(encoding), most_dead=most_dead,
            )  # fmt: skip
        elif store is None:
            raise ConfigurationError(f"There is no {database}: train first, or give --model FILE.")
        else:
            named = parse_dies(dies, addresses) if dies else []
            row = (
                newest_weights(chosen, store, named)
                if training is None
                else store.training_run(training)
            )
            placed = of_training_run(chosen, row, named)
    cells = write_placement(to, placed)
    used = [die for die in placed.tiling.dies if len(placed.tiling.used(die))]
    layers = {layer.name: list(layer.shape) for layer in placed.tiling.layers}
    where = f"{len(used)} dies" if len(used) > 1 else f"die {used[0]}"
    output.say(f"{cells:,} cells of {where}, {len(layers)} layers: {to}")
    output.result({
        "file": to, "cells": cells, "dies": [[die.x, die.y] for die in used], "layers": layers,
    })  # fmt: skip
