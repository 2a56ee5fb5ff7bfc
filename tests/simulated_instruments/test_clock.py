from pathlib import Path

from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench


def test_the_wafers_time_goes_on_in_the_next_process(tmp_path):
    """What a protocol waits passes for the bench and for the wafer, and is kept with the state."""
    path = Path(tmp_path / "wafer.npz")
    first = SimulatedBench(SimulatedWafer(seed=1), {})
    first.clock.wait(3600)
    first.save_state(path)
    second = SimulatedBench(SimulatedWafer(seed=1), {})
    second.load_state(path)
    assert (second.clock.now, second.elapsed) == (3600, 0)
    second.clock.wait(-5)
    second.clock.wait(5)
    assert (second.clock.now, second.elapsed) == (3605, 5)
