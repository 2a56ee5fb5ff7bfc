"""Colours and settings that every picture of the report shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.colors import ListedColormap

from crossbar.defect_map import CellClass

LOW_COLOUR, HIGH_COLOUR = "#2a6f97", "#c8553d"
STRATEGY_COLOURS = {
    "software": "#444444",
    "ideal": "#c8553d",
    "defect-aware": "#2a9d8f",
    "statistics-aware": "#2a6f97",
    "in-the-loop": "#7b5ea7",
    "assigned": "#e9a03b",
}
CLASS_COLOURS = {
    CellClass.HEALTHY: "#eef1f4",
    CellClass.SHORT: "#c8553d",
    CellClass.OPEN: "#1d3557",
    CellClass.STUCK_LOW: "#e9a03b",
    CellClass.STUCK_HIGH: "#7b5ea7",
    CellClass.WEAK: "#7fb069",
}
CLASS_MAP = ListedColormap([CLASS_COLOURS[CellClass(code)] for code in range(len(CellClass))])
SEQUENTIAL = "viridis"

SETTINGS: Any = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


def strategy_colour(label: str) -> str:
    """Of weights by what is said of them: "ideal, assigned (mnist)"."""
    parts = label.split(" (")[0].split(", ")
    return STRATEGY_COLOURS.get("assigned" if "assigned" in parts else parts[0], "#777777")


@contextmanager
def report_style() -> Iterator[None]:
    """Draw in the report's style, off screen."""
    with mpl.rc_context(SETTINGS):
        yield


def class_name(cell_class: CellClass) -> str:
    """For people: "stuck low"."""
    return cell_class.name.replace("_", " ").lower()
