"""The pictures of the section, drawn in the report's style."""

import numpy as np
from matplotlib.figure import Figure

from lab.report.style import SEQUENTIAL, STRATEGY_COLOURS, report_style
from lab.reproduce.measured_dies.experiment import OURS, OWN, Results
from lab.reproduce.measured_dies.plan import Plan

COLOURS = STRATEGY_COLOURS | {OURS: "#e9a03b", OWN: STRATEGY_COLOURS["defect-aware"]}


def dies_figure(results: Results) -> Figure:
    """Accuracy in hardware of every die, by strategy, mean over the seeds."""
    with report_style():
        figure = Figure(figsize=(7.5, 3.4))
        axes = figure.subplots()
        for name in ("ideal", "statistics-aware", OWN, OURS):
            values = 100 * results.hardware[name].mean(0)
            only_first = len(results.hardware[name]) < len(results.hardware_baseline)
            trained = f"{name}, first training" if only_first else name
            axes.plot(np.arange(1, len(values) + 1), values, "o", ms=4, color=COLOURS[name],
                      label=f"{trained} ({values.mean():.2f} %)")  # fmt: skip
        software = 100 * results.hardware_baseline.mean()
        axes.axhline(software, color=COLOURS["software"], lw=1)
        axes.set(xlabel="die", ylabel="accuracy in hardware (%)",
                 title=f"Line: software, {software:.2f} %")  # fmt: skip
        axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(1.0, 0.3))
    return figure


def matrix_figure(results: Results) -> Figure:
    """Weights for one die, on all dies."""
    with report_style():
        figure = Figure(figsize=(5.2, 4.4))
        axes = figure.subplots()
        own, dies = results.matrix.shape
        image = axes.imshow(100 * results.matrix, cmap=SEQUENTIAL, aspect="auto",
                            extent=(0.5, dies + 0.5, own + 0.5, 0.5))  # fmt: skip
        axes.set(xlabel="graded on die", ylabel="weights for die")
        axes.locator_params(integer=True)
        figure.colorbar(image, label="accuracy (%)")
    return figure


def landscape_figure(results: Results, plan: Plan) -> Figure:
    """Mean loss along the lines to defective dies, and each line."""
    with report_style():
        figure = Figure(figsize=(5.2, 3.4))
        axes = figure.subplots()
        for name, lines in results.losses.items():
            axes.plot(plan.steps, lines.T, color=COLOURS[name], lw=0.6, alpha=0.4)
            axes.plot(plan.steps, lines.mean(0), "o-", color=COLOURS[name], label=name)
        axes.set(xlabel="0: perfect cells, 1: the die as measured", ylabel="cross entropy (nats)")
        axes.legend()
    return figure


def strategies_figure(results: Results) -> Figure:
    """Distance from software of every die, for each way of treating the weights."""
    with report_style():
        figure = Figure(figsize=(7.5, 3.4))
        axes = figure.subplots()
        labels, boxes = [], []
        for variant, accuracies in results.emulated.items():
            done = [word for word, on in (("assigned", variant.assign),
                                          ("calibrated", variant.calibrate)) if on]  # fmt: skip
            labels.append("\n".join([variant.trained, *(done or ["as trained"])]))
            boxes.append(100 * (results.baseline[:, None] - accuracies).mean(0))
        axes.boxplot(boxes, whis=(0, 100), medianprops={"color": COLOURS["ideal"]})
        axes.set_xticks(range(1, len(labels) + 1), labels, fontsize=6.5)
        axes.axhline(1, color=COLOURS["software"], lw=0.8, ls=":")
        axes.set(ylabel="points below software", yscale="symlog")
        axes.set_yticks([0, 1, 2, 5, 10, 20], ["0", "1", "2", "5", "10", "20"])
    return figure
