"""What other people's programs send or publish, as `tests/reference` keeps it."""

import csv
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "reference"


def rows(name):
    """The rows of a table by its file name without ending, each by its column names."""
    with (REFERENCE / f"{name}.csv").open(newline="") as file:
        found = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert found, f"{name} has no rows"
    return found
