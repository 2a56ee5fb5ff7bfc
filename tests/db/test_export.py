import csv
import io
from dataclasses import dataclass

from crossbar.pulses import State
from crossbar.records import WerPoint
from crossbar.units import Ohms, Ratio
from db.export import headers, write_wer_points

POINT = WerPoint(
    cell=4,
    target=State.HIGH,
    amplitude=-(0.1 + 0.2),
    width=3e-8,
    attempts=1000,
    errors=3,
    rejected=1,
    interval_low=0.0006,
    interval_high=0.0087,
    confidence=0.95,
    execution="board",
    stopped_by="budget",
)


def test_headers_carry_the_unit_of_the_type():
    """A quantity has its SI unit in brackets, a ratio and a count have none."""

    @dataclass
    class Cell:
        index: int
        resistance: Ohms
        tmr: Ratio

    assert headers(Cell) == ["index", "resistance [Ohm]", "tmr"]


def test_every_point_of_a_wafer_is_written_exactly(begun):
    """Each row says run and die, and floats read back to the same bits."""
    begun.store.add(begun.run_id, begun.other_die, POINT)
    begun.store.add(begun.run_id, begun.die, POINT)
    stream = io.StringIO(newline="")

    assert write_wer_points(begun.store, stream, begun.wafer_id) == 2

    stream.seek(0)
    rows = list(csv.DictReader(stream))
    assert [(row["run"], row["die_x"], row["die_y"]) for row in rows] == [
        ("1", "3", "1"),
        ("1", "2", "1"),
    ]
    assert float(rows[0]["amplitude [V]"]) == POINT.amplitude
    assert float(rows[0]["width [s]"]) == POINT.width
    assert rows[0]["target"] == "high"
    assert rows[0]["errors"] == "3"


def test_a_wafer_without_points_gives_only_the_header(begun):
    """An empty table is still a table."""
    stream = io.StringIO(newline="")

    assert write_wer_points(begun.store, stream, begun.wafer_id) == 0
    assert stream.getvalue().startswith("run,die_x,die_y,cell,target,amplitude [V],width [s],")
