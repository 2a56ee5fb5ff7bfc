"""`lab demo`, `lab report`: for a first look, and for visitors."""

from pathlib import Path
from typing import Annotated

import typer

from lab.options import DATABASE, BenchFile, Database, Json, OtherBench, Seed, Simulated


def demo(
    bench: OtherBench = None,
    simulated: Simulated = False,
    dataset: Annotated[
        str, typer.Option("--dataset", help="digits (no download) or mnist.")
    ] = "digits",
    folder: Annotated[
        Path, typer.Option("--folder", help="Where database and report go; a new one each time.")
    ] = Path("lab_demo"),
    seed: Annotated[int, typer.Option("--seed", min=0)] = 1,
    defect_aware_dies: Annotated[
        int, typer.Option("--defect-aware-dies", min=1, help="Dies that get their own weights.")
    ] = 4,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Test images shown to each die.")
    ] = None,
    twin_of: Annotated[
        Path | None,
        typer.Option(
            "--twin-of",
            help="Folder of measured conductance maps: the same table for dies with those "
            "defects. By default $LAB_DATA_DIR/measured-dies, if it exists.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Everything once, on a simulated wafer: contact, maps, training, programming, grades."""
    import time

    from lab.chosen_bench import chosen_bench
    from lab.data_sets import data_dir
    from lab.demo import Demo, DemoPlan, free_folder
    from lab.output import Output
    from lab.report.writing import write_report

    output = Output(as_json=json)
    if twin_of is None and (folder_of_data := data_dir()) is not None:
        found = folder_of_data / "measured-dies"
        twin_of = found if found.is_dir() else None
    plan = DemoPlan(
        bench=chosen_bench(bench, simulated or bench is None, seed),
        dataset=dataset,
        folder=free_folder(folder),
        seed=seed,
        defect_aware_dies=defect_aware_dies,
        images=images,
        twin_of=twin_of,
    )
    started = time.perf_counter()
    results = Demo(plan=plan, output=output).run()
    report_path = write_report(plan.database, plan.folder / "report.html")
    for result in results:
        output.table(
            f"Accuracy in hardware, {dataset}, wafer {result.wafer} (%)",
            ["weights", "dies", "mean", "worst die", "best die", "below software"],
            result.rows(),
        )
    seconds = time.perf_counter() - started
    output.say(f"Database: {plan.database}\nReport:   {report_path}\nTook {seconds:.0f} s.")
    output.result(
        {
            "dataset": dataset,
            "seed": seed,
            "seconds": seconds,
            "database": plan.database,
            "report": str(report_path),
            "wafers": {result.wafer: result.as_json() for result in results},
        }
    )


def report(
    path: Annotated[Path, typer.Option("--out", help="HTML file to write.")] = Path("report.html"),
    bench: BenchFile = None,
    simulated: Simulated = False,
    database: Database = DATABASE,
    seed: Seed = None,
    wafer: Annotated[
        str | None, typer.Option("--wafer", help="Name of one wafer; by default all of them.")
    ] = None,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page about what a database holds."""
    from lab.chosen_bench import wafer_named
    from lab.output import Output
    from lab.report.writing import write_report

    output = Output(as_json=json)
    wafer = wafer or wafer_named(bench, simulated, seed)
    written = write_report(database, path, wafer)
    output.say(f"Wrote {written}.")
    output.result({"report": str(written)})
