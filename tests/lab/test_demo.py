"""The main job, whole: what a newcomer runs first."""

import json

from db.store import Store
from lab.demo import free_folder


def test_the_demo_ends_with_table_database_and_report(lab, tmp_path, monkeypatch):
    """Measured, trained, programmed, graded in hardware; training around defects pays."""
    monkeypatch.delenv("LAB_DATA_DIR", raising=False)
    finished = lab("demo", "--json", "--defect-aware-dies", "2")

    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    (wafer,) = result["wafers"].values()
    hardware = wafer["hardware"]
    assert wafer["software"] > 0.95
    assert hardware["ideal"]["mean"] < wafer["software"] - 0.02
    assert hardware["statistics-aware"]["mean"] > hardware["ideal"]["mean"]
    assert hardware["assigned, calibrated"]["mean"] > wafer["software"] - 0.015
    assert hardware["defect-aware, own die"]["mean"] > wafer["software"] - 0.025
    assert len(hardware["ideal"]["dies"]) == 18
    learnt_from = {tuple(die) for die in wafer["statistics_from"]}
    graded = {tuple(map(int, die.split(","))) for die in hardware["statistics-aware"]["dies"]}
    assert not learnt_from & graded

    page = (tmp_path / "lab_demo" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert "http://" not in page
    assert "https://" not in page
    with Store.open(tmp_path / "lab_demo" / "lab.sqlite") as store:
        assert store.integrity_check() == []
        counts = store.counts()
    assert counts["evaluations"] == 3 * 18 + 2
    assert counts["defect_maps"] == 36
    assert counts["wer_points"] == 192


def test_a_second_demo_gets_a_folder_of_its_own(tmp_path):
    """Folders that exist are not touched."""
    first = tmp_path / "lab_demo"
    assert free_folder(first) == first
    first.mkdir()
    assert free_folder(first) == tmp_path / "lab_demo-2"
    (tmp_path / "lab_demo-2").mkdir()
    assert free_folder(first) == tmp_path / "lab_demo-3"
