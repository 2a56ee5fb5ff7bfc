"""What each imperfection costs, in a picture."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lab.report.style import HIGH_COLOUR, LOW_COLOUR, report_style
from lab.reproduce.weak_reset.outcomes import Loss

COLOURS = (LOW_COLOUR, HIGH_COLOUR, "#e9a03b", "#2a9d8f")


def loss_figure(series: Mapping[str, Sequence[Loss]]) -> Figure:
    """Losses of accuracy with their intervals, a colour for each way of training; conditions in
    the order of the first.
    """
    names = [row.condition for row in next(iter(series.values()))]
    with report_style():
        figure = Figure(figsize=(6.5, 0.55 * len(names) + 1.2))
        axes = figure.subplots()
        for number, (label, rows) in enumerate(series.items()):
            shift = 0.18 * (number - (len(series) - 1) / 2)
            places = [names.index(row.condition) + shift for row in rows]
            means = 100 * np.array([row.loss.mean for row in rows])
            ends = 100 * np.array([[row.loss.low, row.loss.high] for row in rows])
            axes.errorbar(
                means,
                places,
                xerr=np.abs(ends.T - means),
                fmt="o",
                color=COLOURS[number],
                capsize=3,
                label=label,
            )
        axes.axvline(0, color="#999999", linewidth=0.8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xscale("symlog", linthresh=2)
        axes.set_xlim(-1, 60)
        axes.set_xticks([0, 1, 2, 5, 10, 20, 50], ["0", "1", "2", "5", "10", "20", "50"])
        axes.set_xlabel("loss of accuracy, points; logarithmic beyond 2")
        axes.legend(loc="center right")
    return figure
