import numpy as np
import pytest

from crossbar.defect_map import CellClass
from crossbar.errors import DataError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse, State
from physics.wafer import WAFER_OF_36, SimulatedWafer

HERE, THERE = DieAddress(0, 0), DieAddress(-2, 5)
CELLS = np.arange(20_000)


def wafer(seed=1, **changes):
    return SimulatedWafer(**{"addresses": [HERE, THERE], "seed": seed} | changes)


def test_truth_depends_on_seed_and_address_only():
    """In whatever company and order dies are made, they are the same; other seeds differ."""
    alone = wafer(addresses=[THERE]).die(THERE).truth
    both = wafer()
    both.die(HERE)
    assert (both.die(THERE).truth.cells.delta == alone.cells.delta).all()
    assert (both.die(THERE).truth.classes == alone.classes).all()
    assert (both.die(HERE).truth.cells.delta != alone.cells.delta).all()
    assert (wafer(seed=2).die(THERE).truth.cells.delta != alone.cells.delta).all()


def test_a_die_is_made_once():
    """Two requests give the same die, with its state."""
    one = wafer()
    assert one.die(HERE) is one.die(HERE)


def test_default_wafer_has_36_dies_with_about_five_percent_defects():
    """Dies of 20,000 cells; shorts and opens as on the sister chip."""
    one = SimulatedWafer(seed=5)
    assert one.addresses == WAFER_OF_36
    classes = np.stack([one.die(address).truth.classes for address in WAFER_OF_36[:12]])
    assert classes.shape[1] == 20_000
    assert 0.03 < np.mean(classes != CellClass.HEALTHY) < 0.07


def test_weak_cells_have_a_small_window():
    """Read at 0.1 V, a weak cell's window is a quarter to less than half of a healthy one's."""
    truth = wafer().die(HERE).truth
    low, high = truth.cells.low_conductance(), truth.cells.high_conductance(0.1)
    weak = truth.classes == CellClass.WEAK
    assert weak.any()
    ratio = (1 - high / low)[weak] / 0.49
    assert ((ratio > 0.24) & (ratio < 0.46)).all()


def test_unknown_addresses_are_refused():
    """The error names the address and the dies that there are."""
    with pytest.raises(DataError, match=r"no die at \(9, 9\)"):
        wafer().die(DieAddress(9, 9))


def test_a_loaded_wafer_goes_on_as_the_saved_one(tmp_path):
    """States, stress, dead cells and draw counters survive: every later reading is identical."""
    old, new = wafer(), wafer()
    pulse = Pulse.writing(State.LOW, 0.45, 10e-9)
    for die in (old.die(HERE),):
        die.pulse(CELLS, pulse)
        die.pulse(CELLS[:50], Pulse.writing(State.LOW, 1.8, 50e-9))
        die.conduct(CELLS, 0.1)
    old.save(tmp_path / "wafer.npz")
    new.die(THERE).conduct(CELLS, 0.1)
    new.load(tmp_path / "wafer.npz")
    assert not new.die(THERE).touched
    before, after = old.die(HERE), new.die(HERE)
    assert before.dead.sum() >= 45
    for name in ("low", "stress", "dead", "pulses_given"):
        assert (getattr(before, name) == getattr(after, name)).all()
    for die in (before, after):
        die.pulse(CELLS, pulse)
    assert (before.low == after.low).all()
    assert (before.conduct(CELLS, 0.1) == after.conduct(CELLS, 0.1)).all()


def test_saving_replaces_the_file_as_a_whole(tmp_path):
    """Nothing but the one file is left behind."""
    path = tmp_path / "wafer.npz"
    one = wafer()
    one.save(path)
    one.die(HERE).conduct(CELLS, 0.1)
    one.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["wafer.npz"]


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"addresses": [HERE]},
        {"geometry": DieGeometry(subarrays=1, rows=10, columns=10)},
    ],
)
def test_the_state_of_another_wafer_is_refused(tmp_path, other):
    """Seed, dies or geometry differ: the error says so, and nothing is taken over."""
    wafer().save(tmp_path / "wafer.npz")
    with pytest.raises(DataError, match="another wafer"):
        wafer(**other).load(tmp_path / "wafer.npz")


def test_missing_damaged_and_foreign_files_are_refused(tmp_path):
    """Each is one clear error."""
    with pytest.raises(DataError, match="cannot be read"):
        wafer().load(tmp_path / "missing.npz")
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DataError, match="cannot be read"):
        wafer().load(tmp_path / "damaged.npz")
    np.savez(tmp_path / "foreign.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="not a wafer state"):
        wafer().load(tmp_path / "foreign.npz")


def test_the_dies_live_by_the_clock_of_the_bench_and_go_on_where_the_file_ended(tmp_path):
    """The wafer's time is that of all benches it lay on, one after the other."""
    path = tmp_path / "wafer.npz"
    first = wafer()
    first.clock = lambda: 40.0
    first.die(HERE).pulse(np.arange(3), Pulse(amplitude=0.5, width=1e-8))
    assert first.die(HERE).clock() == 40.0
    first.save(path)
    second = wafer()
    second.clock = lambda: 2.0
    second.load(path)
    assert second.die(HERE).clock() == 40.0
    second.clock = lambda: 5.0
    assert second.die(HERE).clock() == 43.0
