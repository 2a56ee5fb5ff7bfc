"""Dies of a real chip: imported, found again, and rebuilt as a simulated wafer."""

import json

import pytest

from crossbar.errors import DataError
from crossbar.geometry import DieAddress
from db.store import Store
from lab.importing.conductance_maps import read_conductance_maps


def test_defects_found_once_foretell_the_other_programmings(lab, data_dir):
    """Shorts and opens of one programming are those of the others."""
    folder = str(data_dir / "measured-dies")
    found = json.loads(lab("import", "conductance-map", folder, "--json").stdout)

    assert found["maps"] == 24
    for kind in ("short", "open"):
        assert found["defects"][kind]["precision"] > 0.99
        assert found["defects"][kind]["recall"] > 0.99


def test_the_twin_is_measured_trained_and_graded(lab, data_dir, tmp_path):
    """The whole chain on dies that carry the real chip's defects, command by command."""
    folder = str(data_dir / "measured-dies")
    bench = ["--bench", "twin.toml"]
    for command in (
        ["import", "conductance-map", folder, "--name", "chip"],
        ["twin", "chip"],
        ["run", "array-map", *bench, "--dies", "2"],
        ["train", "ideal", *bench],
        ["train", "defect-aware", *bench, "--die", "0,0", "--start", "1"],
        ["program", *bench, "--dies", "1"],
    ):
        finished = lab(*command)
        assert finished.returncode == 0, finished.stderr
    graded = json.loads(lab("evaluate", *bench, "--dies", "1", "--json").stdout)

    assert graded["dies"]["0,0"]["strategy"] == "defect-aware"
    assert graded["dies"]["0,0"]["accuracy"] > 0.9
    with Store.open(tmp_path / "lab.sqlite") as store:
        (wafer,) = store.wafers()
        defects = store.defect_map(wafer.id, DieAddress(0, 0))
    assert 0.08 < 1 - defects.fraction(0) < 0.11


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("1e-4 2e-4\n3e-4", "not a matrix"),
        ("1e-4 nan", "not finite"),
        ("137 120", "another unit"),
        ("hello", "not a matrix"),
    ],
)
def test_a_damaged_map_is_refused_with_its_name(content, complaint, tmp_path):
    """The file, and what is wrong with it."""
    folder = tmp_path / "programming-1"
    folder.mkdir()
    (folder / "kernel-00.txt").write_text(content)

    with pytest.raises(DataError, match=complaint):
        read_conductance_maps(tmp_path, "x")
