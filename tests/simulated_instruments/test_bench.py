from dataclasses import replace

import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.pulses import Pulse, State
from drivers.catalog import DRIVERS, load_driver
from drivers.formfactor_velox import FormFactorVelox
from drivers.visa import connect
from physics.defects import SISTER_CHIP
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench
from simulated_instruments.catalog import EMULATORS, load_emulator

PROBER = "GPIB0::28::INSTR"
NO_DEFECTS = replace(SISTER_CHIP, point_rates={}, column_rate={}, row_rate={})
DIES = [DieAddress(0, 0), DieAddress(1, 0)]


def make_wafer(seed=1):
    return SimulatedWafer(
        addresses=DIES,
        geometry=DieGeometry(subarrays=1, rows=2, columns=2),
        seed=seed,
        defects=NO_DEFECTS,  # on four cells a single short would decide what is read
    )


@pytest.fixture
def bench():
    return SimulatedBench(make_wafer(), {PROBER: "formfactor_velox"})


def test_a_driver_reaches_its_emulator(bench):
    """Through the bench's own VISA library, at the address given."""
    adapter = connect(PROBER, role="prober", visa_library=bench.visa_library, timeout=120.0)
    prober = FormFactorVelox(adapter)
    prober.check_identity()
    prober.go_to(DIES[1])
    prober.contact()

    assert bench.station.die is bench.station.wafer.die(DIES[1])
    adapter.close()


def test_the_bench_says_how_long_it_would_have_taken(bench):
    """A step of 1 s and a touchdown of 0.3 s, and 0.3 ms for each of the messages, six a step."""
    adapter = connect(PROBER, visa_library=bench.visa_library, timeout=120.0)
    prober = FormFactorVelox(adapter)
    prober.go_to(DIES[1])
    prober.contact()

    assert bench.elapsed == pytest.approx(1.3 + 6 * 0.3e-3)
    adapter.close()


def test_the_same_emulators_serve_over_tcp(bench):
    """What a client on a socket does, the station shows."""
    with bench.serve() as addresses:
        adapter = connect(addresses[PROBER], visa_library="@py", timeout=5.0)
        FormFactorVelox(adapter).go_to(DIES[1])
        adapter.close()

    assert bench.station.die_under_needles == DIES[1]


def test_options_reach_their_emulator():
    """By resource name."""
    bench = SimulatedBench(
        make_wafer(), {PROBER: "formfactor_velox"}, options={PROBER: {"contact_height": None}}
    )

    assert bench.emulators[PROBER].contact_height is None


def test_options_for_an_absent_instrument_are_refused():
    """A mistyped address would leave the instrument without its options."""
    with pytest.raises(ConfigurationError, match=r"GPIB0::29.*it has GPIB0::28"):
        SimulatedBench(make_wafer(), {PROBER: "formfactor_velox"}, options={"GPIB0::29::INSTR": {}})


def test_an_unknown_driver_is_refused():
    """The message lists the ones there are."""
    with pytest.raises(ConfigurationError, match=r"'keithly'.*keithley_2600b"):
        SimulatedBench(make_wafer(), {"GPIB0::26::INSTR": "keithly"})


def test_a_driver_without_emulator_is_refused(monkeypatch):
    """It can be used at the bench, not simulated."""
    monkeypatch.delitem(EMULATORS, "die_board")
    with pytest.raises(ConfigurationError, match="'die_board' has no emulator"):
        load_emulator("die_board")


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver_of_the_catalog_has_an_emulator(driver):
    """Named alike: the emulator's class is the driver's with Emulated in front."""
    assert load_emulator(driver).__name__ == f"Emulated{load_driver(driver).__name__}"


def test_the_trigger_line_fires_the_pulse_generator():
    """The SMU's digital line 1 goes to the generator's external trigger input."""
    bench = SimulatedBench(make_wafer(), {"GPIB0::10::INSTR": "keysight_81160a"})
    generator = bench.emulators["GPIB0::10::INSTR"]

    assert bench.station.trigger_lines == {1: [generator.external_trigger]}


def test_all_instruments_take_turns_through_one_lock():
    """They share the wafer and the clock."""
    bench = SimulatedBench(
        make_wafer(), {PROBER: "formfactor_velox", "GPIB0::27::INSTR": "formfactor_velox"}
    )

    assert len({id(emulator.lock) for emulator in bench.emulators.values()}) == 1


def test_the_wafers_state_is_saved_and_loaded(bench, tmp_path):
    """A second bench with the same wafer goes on where the first stopped."""
    path = tmp_path / "state.wafer.npz"
    cells = np.arange(4)
    die = bench.station.wafer.die(DIES[0])
    for state, some in ((State.HIGH, cells), (State.LOW, cells[:2])):
        die.pulse(some, Pulse.writing(state, 0.9, 50e-9))
    bench.save_state(path)
    again = SimulatedBench(make_wafer(), {PROBER: "formfactor_velox"})
    again.load_state(path)

    expected = die.conductance(cells, 0.1)
    assert expected[:2].min() > 1.5 * expected[2:].max()
    np.testing.assert_array_equal(
        again.station.wafer.die(DIES[0]).conductance(cells, 0.1), expected
    )
