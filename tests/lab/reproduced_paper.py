"""A small paper for the tests: throws of a coin, and how far their mean is from one half."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from analysis.mean_interval import mean_interval
from lab.report.style import report_style
from lab.reproduce.paper import Finding, OurParameter, Paper, PaperResult, ResultTable, Section
from lab.reproduce.reproducing import Reproduction


def heads(seed: int, throws: int, folder: str) -> dict:
    """Fraction of heads; leaves a line for every time that it was asked."""
    with (Path(folder) / "asked.txt").open("a") as asked:
        asked.write(f"{seed}\n")
    if (Path(folder) / "interrupt").exists() and seed == 2:
        raise KeyboardInterrupt
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(throws, generator=generator, dtype=torch.float64) < 0.5
    return {"heads": drawn.double().mean().item()}


def run(reproduction: Reproduction) -> PaperResult:
    folder = str(Path(reproduction.database).parent)
    throws = 100 if reproduction.quick else 1000
    points = [{"seed": s, "throws": throws, "folder": folder} for s in reproduction.seeds]
    found = [outcome["heads"] for outcome in reproduction.sweep("heads", heads, points)]
    mean = mean_interval(found)
    with report_style():
        figure = Figure(figsize=(3, 2))
        figure.subplots().plot(list(reproduction.seeds), found, "o")
    return PaperResult(
        findings=[
            Finding(
                what="heads",
                claimed="50 %",
                found=f"{100 * mean.mean:.2f} %",
                interval=f"{100 * mean.low:.2f} to {100 * mean.high:.2f} %",
                holds=mean.low < 0.5 < mean.high,
            ),
            Finding(
                what="edges | sides",
                claimed="1 %",
                found="0 %",
                interval="none",
                holds=False,
                differs="no edge is simulated",
            ),
        ],
        sections=[
            Section(
                heading="Throws",
                text="Of one coin.",
                tables=[
                    ResultTable(
                        title="Every seed",
                        columns=["seed", "heads"],
                        rows=list(zip(reproduction.seeds, found, strict=True)),
                    )
                ],
                figures=[("Heads over the seeds", figure)],
            )
        ],
        ours=[OurParameter(name="throws", value=str(throws), why="time", sensitivity="not tried")],
        differs=["The coin is simulated."],
    )


PAPER = Paper(
    name="coin",
    title="A fair coin",
    citation="J. Bernoulli, Ars Conjectandi (1713)",
    claim="Half of the throws are heads.",
    minutes={True: 0.1, False: 1.0},
    run=run,
)
