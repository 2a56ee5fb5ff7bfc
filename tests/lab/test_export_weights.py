"""From a trained torch model to cells of dies, by the exported file alone, and back."""

import csv
import json

import numpy as np
import pytest
import torch
from torch import nn

from crossbar.defect_map import CellClass
from crossbar.errors import ConfigurationError, DataError
from crossbar.geometry import CellAddress, DieAddress, DieGeometry
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.exporting_weights import of_model_file, weights_in
from lab.placement_file import PlacedWeights, write_placement
from training.binary_layers import BinaryActivation, BinaryConv2d, BinaryLinear
from training.classifier import FitPlan, accuracy, fit
from training.defect_aware_store import DEAD
from training.die_bits import hold, write_and_read
from training.encoding import Encoding
from training.image_sets import load_image_set
from training.solution import Solution

DIES = [DieAddress(0, 0), DieAddress(1, 0)]
GEOMETRY = DieGeometry()


@pytest.fixture(scope="module")
def images():
    return load_image_set("digits").part(train=1000, test=360)


@pytest.fixture(scope="module")
def model(images):
    """A convolution and two dense layers: 12 + 8 x 40 + 10 columns of 100 cells."""
    generator = torch.Generator().manual_seed(3)
    network = nn.Sequential(
        BinaryConv2d(1, 12, 3, generator), nn.BatchNorm2d(12), BinaryActivation(), nn.Flatten(),
        BinaryLinear(768, 40, generator), nn.BatchNorm1d(40), BinaryActivation(),
        BinaryLinear(40, 10, generator), nn.BatchNorm1d(10),
    )  # fmt: skip
    fit(network, images, FitPlan(epochs=4, batch=50, rate=0.01), generator)
    return network


@pytest.fixture
def saved(model, tmp_path):
    torch.save(model.state_dict(), tmp_path / "model.pt")
    return tmp_path / "model.pt"


def placed_on(saved, dies=DIES, **options) -> PlacedWeights:
    return of_model_file(chosen_bench(None, True), None, saved, dies, **options)


@pytest.mark.parametrize("defect_scale", [0.0, 1.0])
def test_a_model_programmed_by_the_file_alone_does_as_in_software(
    saved, model, images, bench_of, defect_scale, tmp_path
):
    """Over two simulated dies, through drivers and bytes; defects alone may make a difference."""
    placed = placed_on(saved)
    write_placement(tmp_path / "cells.csv", placed)
    with (tmp_path / "cells.csv").open() as file:
        lines = list(csv.DictReader(file))
    states, broken = {}, 0
    with bench_of(defect_scale=defect_scale) as bench:
        for die in DIES:
            mine = [line for line in lines if (int(line["x"]), int(line["y"])) == (die.x, die.y)]
            cells = np.array([index(line) for line in mine])
            low = np.array([line["state"] == "low" for line in mine])
            states[die] = np.zeros(GEOMETRY.cells, dtype=bool)
            with bench.contacted(die) as memory_die:
                states[die][cells] = write_and_read(memory_die, cells, low, 1.4e-4)
            classes = bench.simulation.station.wafer.die(die).classes[cells]
            broken += int((classes != CellClass.HEALTHY).sum())
    found = placed.tiling.weights_of(states)
    wrong = sum(int((found[name] != each).sum()) for name, each in weights_in(saved).items())
    in_software = accuracy(model, images)
    hold(model, found)
    on_dies = accuracy(model, images)
    hold(model, weights_in(saved))

    assert len(lines) == 12 * 9 + 40 * 768 + 10 * 40
    assert in_software > 0.8
    assert wrong <= broken
    if defect_scale == 0:
        assert (broken, wrong) == (0, 0)
        assert on_dies == in_software
    else:
        assert wrong > 100
        assert abs(on_dies - in_software) < 0.1


def index(line):
    """Flat index of the cell that a line names."""
    return GEOMETRY.index(CellAddress(int(line["subarray"]), int(line["row"]), int(line["column"])))


def test_json_says_what_its_columns_mean(saved, tmp_path):
    """Differential: two cells a weight, of which one is LOW."""
    placed = placed_on(saved, [*DIES, DieAddress(2, 0), DieAddress(3, 0)],
                       encoding=Encoding.DIFFERENTIAL)  # fmt: skip
    cells = write_placement(tmp_path / "cells.json", placed)
    document = json.loads((tmp_path / "cells.json").read_text())
    first, second = (
        dict(zip(document["cell_columns"], row, strict=True)) for row in document["cells"][:2]
    )

    assert cells == len(document["cells"]) == 2 * (12 * 9 + 40 * 768 + 10 * 40)
    assert document["format"] == "crossbar-lab placement, 1"
    assert document["layers"][0] == {"name": "0", "shape": [12, 1, 3, 3]}
    assert (first["part"], second["part"]) == ("+", "-")
    assert (first["column"], second["column"]) == (0, 1)
    assert {first["state"], second["state"]} == {"low", "high"}


def test_hfox_cells_have_levels(lab, saved, tmp_path):
    """LOW is the bench file's highest conductance, HIGH its lowest."""
    done = lab("export-weights", "cells.csv", "--model", str(saved), "--bench", "hfox",
               "--dies", "2")  # fmt: skip
    with (tmp_path / "cells.csv").open() as file:
        lines = list(csv.DictReader(file))

    assert done.returncode == 0, done.stderr
    assert {(line["state"], line["level"], float(line["conductance"])) for line in lines} == {
        ("low", "3", 143e-6), ("high", "0", 8e-6),
    }  # fmt: skip


def test_a_training_run_is_exported_as_it_would_be_programmed(lab, tmp_path):
    """The cells and states are those that `lab program` writes."""
    assert lab("train", "ideal", "--simulated").returncode == 0
    done = lab("export-weights", "cells.csv", "--simulated", "--dies", "1,0", "--json")
    with Store.open(tmp_path / "lab.sqlite") as store:
        solution = Solution.from_arrays(store.training_run(1).solution)
    with (tmp_path / "cells.csv").open() as file:
        found = {index(line): line["state"] == "low" for line in csv.DictReader(file)}
    cells, low = solution.placement.target_states(solution.target_low)

    assert json.loads(done.stdout)["dies"] == [[1, 0]]
    assert found == dict(zip(cells.tolist(), low.tolist(), strict=True))
    assert "give --dies x,y" in lab("export-weights", "cells.csv", "--simulated").stderr


def test_columns_with_many_dead_cells_are_skipped(lab, saved, tmp_path):
    """By the dies' maps in the database."""
    assert lab("run", "array-map", "--simulated", "--dies", "3").returncode == 0
    done = lab("export-weights", "cells.csv", "--model", str(saved), "--simulated", "--dies", "3",
               "--most-dead", "0.06")  # fmt: skip
    with Store.open(tmp_path / "lab.sqlite") as store:
        maps = {(die.x, die.y): found.classes for die, found in store.defect_maps(1).items()}
    with (tmp_path / "cells.csv").open() as file:
        used = {
            ((int(line["x"]), int(line["y"])), int(line["subarray"]), int(line["column"]))
            for line in csv.DictReader(file)
        }
    dead = [np.isin(maps[die][subarray, :, column], DEAD).mean() for die, subarray, column in used]

    assert done.returncode == 0, done.stderr
    assert len(used) == 342
    assert max(dead) <= 0.06
    assert max(np.isin(found, DEAD).mean(axis=1).max() for found in maps.values()) > 0.06


def test_what_cannot_be_exported_is_refused(saved, tmp_path):
    """One clear message each."""
    with pytest.raises(ConfigurationError, match=r"needs 342 single-ended .* at least 2 such"):
        placed_on(saved, DIES[:1])
    with pytest.raises(DataError, match="there is no database"):
        placed_on(saved, most_dead=0.1)
    with pytest.raises(DataError, match=r"other\.pt cannot be read as a state_dict"):
        weights_in(tmp_path / "other.pt")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "plain.pt")
    with pytest.raises(DataError, match="no tensor in it is called latents"):
        weights_in(tmp_path / "plain.pt")
    with pytest.raises(ConfigurationError, match=r"neither \.csv nor \.json"):
        write_placement(tmp_path / "cells.txt", placed_on(saved))
