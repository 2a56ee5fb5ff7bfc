"""What the models can do: ranges, channels, operating areas."""

import pytest

from crossbar.errors import LimitError
from crossbar.geometry import DieAddress, DieGeometry
from drivers.keithley_2600b import Keithley2600B
from drivers.keithley_2600b_ratings import MODELS
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIE = DieAddress(0, 0)
ADDRESS = "GPIB0::26::INSTR"


@pytest.mark.parametrize("model", MODELS)
def test_operating_areas_of_the_models(model):
    """Beyond what the output carries for ever, width and duty cycle are limited."""
    low_voltage = model.startswith("260")
    volts, amperes = (30.0, 1.5) if low_voltage else (100.0, 1.0)
    longest, duty = (100e-3, 0.25) if low_voltage else (8.5e-3, 0.01)
    ratings = MODELS[model]

    ratings.check_steady(volts, 0.1)
    ratings.check_pulses(volts, amperes, longest, longest / duty)
    with pytest.raises(LimitError, match=f"{amperes:g} A .*refused"):
        ratings.check_steady(volts, amperes)
    with pytest.raises(LimitError, match=r"% of the time .*Shorten"):
        ratings.check_pulses(volts, amperes, longest, 0.9 * longest / duty)
    with pytest.raises(LimitError, match=f"{1e3 * longest:g} ms"):
        ratings.check_pulses(volts, amperes, 1.1 * longest, 1.0)
    with pytest.raises(LimitError, match="allows nothing"):
        ratings.check_pulses(volts, 11.0, 1e-4, 1.0)


@pytest.mark.parametrize(
    ("model", "volts", "amperes", "sourced", "measured", "channels", "lines"),
    [
        ("2601B", 40.0, 3.0, 1e-7, 1e-7, 1, 14),
        ("2602B", 40.0, 3.0, 1e-7, 1e-7, 2, 14),
        ("2604B", 40.0, 3.0, 1e-7, 1e-7, 2, 0),
        ("2611B", 200.0, 1.5, 1e-7, 1e-7, 1, 14),
        ("2612B", 200.0, 1.5, 1e-7, 1e-7, 2, 14),
        ("2614B", 200.0, 1.5, 1e-7, 1e-7, 2, 0),
        ("2634B", 200.0, 1.5, 1e-9, 1e-9, 2, 0),
        ("2635B", 200.0, 1.5, 1e-9, 1e-10, 1, 14),
        ("2636B", 200.0, 1.5, 1e-9, 1e-10, 2, 14),
    ],
)
def test_every_model_has_its_ranges(model, volts, amperes, sourced, measured, channels, lines):
    """The identity decides, and the emulator of that model has the same ranges."""
    wafer = SimulatedWafer(addresses=[DIE], geometry=DieGeometry(), seed=1)
    bench = SimulatedBench(wafer, {ADDRESS: "keithley_2600b"}, options={ADDRESS: {"model": model}})
    driver = Keithley2600B(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    ratings = driver.ratings

    assert (ratings.max_voltage, ratings.max_current) == (volts, amperes)
    assert ratings.current_ranges[0] == pytest.approx(sourced)
    assert ratings.measured_current_ranges[0] == pytest.approx(measured)
    assert (ratings.channels, ratings.digital_lines) == (channels, lines)
    emulated = bench.emulators[ADDRESS].channels["smua"].ratings
    assert ratings.voltage_ranges == emulated.voltage_ranges
    assert ratings.current_ranges == pytest.approx(emulated.current_ranges)
    assert ratings.measured_current_ranges == pytest.approx(emulated.measured_current_ranges)
    assert len(bench.emulators[ADDRESS].channels) == channels
