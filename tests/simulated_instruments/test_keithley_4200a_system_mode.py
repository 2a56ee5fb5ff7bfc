import numpy as np
import pytest

from simulated_instruments.keithley_4200a import EmulatedKeithley4200A
from tests.simulated_instruments.kxci_mainframe import TO_SMU, ask, expected_current


@pytest.fixture
def mainframe(station):
    return EmulatedKeithley4200A(station)


SWEEP = (
    "BC", "*RST", TO_SMU, "DE", "CH1, 'V1', 'I1', 1, 1", "CH2, 'V2', 'I2', 1, 3", "SS",
    "VR1, 0.02, 0.1, 0.02, 0.01", "VC2, 0, 100e-3", "HT 0", "DT 0.2", "IT1", "SM DM2",
    "LI 'I1', 'V1', 'I2'", "MD",
)  # fmt: skip


def finished(emulator):
    """Poll ``SP`` until it is 0 or 1, as Keithley's examples do."""
    for _ in range(100):
        if int(ask(emulator, "SP")) in (0, 1):
            return
    pytest.fail("the run does not end")


def test_a_system_mode_sweep(mainframe, station):
    ask(mainframe, *SWEEP, "ME1")
    assert ask(mainframe, "SP") == "16"
    finished(mainframe)
    assert ask(mainframe, "SP") == "1"
    volts = [float(ask(mainframe, f"RD 'V1', {place}")) for place in range(1, 6)]
    assert volts == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert ask(mainframe, "RD 'V1', 6") == "0"
    readings = ask(mainframe, "DO 'I1'").split(",")
    assert [reading[0] for reading in readings] == ["N"] * 5
    currents = [float(reading[1:]) for reading in readings]
    assert currents == pytest.approx([expected_current(station, v) for v in volts], rel=0.05)
    assert ask(mainframe, "DO 'V2'") == ""  # not listed
    times = [float(text[1:]) for text in ask(mainframe, "DO 'CH1T'").split(",")]
    assert np.diff(times) == pytest.approx(0.2, rel=0.1)
    assert ask(mainframe, "BC", "SP") == "0"


def test_a_run_can_be_stopped_and_nothing_stays_on(mainframe):
    ask(mainframe, *SWEEP, "ME1", "ME4")
    assert ask(mainframe, "SP") == "0"
    assert not any(channel.output for _, channel in mainframe.smus)


def test_steps_around_a_sweep_and_lists(mainframe):
    """VAR2 outside, VAR1 inside; a list takes the place of a sweep."""
    ask(mainframe, *SWEEP[:5], "CH2,'V2','I2',1,2", "SS", "VR1,0,0.02,0.01,1E-3")
    ask(mainframe, "VP 2, 1, 2, 0.1", "SM", "LI 'V1','V2'", "MD", "ME 1")
    finished(mainframe)
    first = [float(text[1:]) for text in ask(mainframe, "DO 'V1'").split(",")]
    second = [float(text[1:]) for text in ask(mainframe, "DO 'V2'").split(",")]
    assert first == pytest.approx([0, 0.01, 0.02] * 2)
    assert second == pytest.approx([2.0] * 3 + [3.0] * 3)
    ask(mainframe, "DE", "CH2", "SS", "VL1,1,0.01,0.05,0.01,0.03", "MD", "ME1")
    finished(mainframe)
    listed = [float(text[1:]) for text in ask(mainframe, "DO 'V1'").split(",")]
    assert listed == pytest.approx([0.05, 0.01, 0.03])


def test_a_channel_that_follows_the_sweep(mainframe):
    """VAR1' by a ratio and an offset."""
    ask(mainframe, "DE", "CH1,'V1','I1',1,1", "CH2,'V2','I2',1,4", "SS", "VR1,0,0.2,0.1")
    ask(mainframe, "RT 2, 2", "FS 0.5, 2", "MD", "ME1")
    finished(mainframe)
    volts = [float(text[1:]) for text in ask(mainframe, "DO 'V2'").split(",")]
    assert volts == pytest.approx([0.5, 0.7, 0.9])


def test_readings_over_time(mainframe):
    """Nothing is swept; two lists of what to keep add up."""
    ask(mainframe, "DE", "CH1,'V1','I1',1,3", "SS", "VC1,0,1E-6", "SM", "SR 1, 1E-7", "NR 3")
    ask(mainframe, "MD", "LI 'V1'", "LI 'CH1T'", "ME1")
    finished(mainframe)
    assert len(ask(mainframe, "DO 'CH1T'").split(",")) == 3
    assert ask(mainframe, "DO 'V1'") == "N+0.0000E+00,N+0.0000E+00,N+0.0000E+00"


def test_a_logarithmic_sweep_of_current(mainframe):
    """Ten points a decade, both ends included."""
    ask(mainframe, TO_SMU, "DE", "CH1,'V1','I1',2,1", "SS", "IR2,1E-8,1E-7,2", "MD", "ME1")
    finished(mainframe)
    currents = [float(text[1:]) for text in ask(mainframe, "DO 'I1'").split(",")]
    assert currents == pytest.approx(list(1e-8 * 10 ** (np.arange(11) / 10)), rel=1e-3)


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("DE", "CH1,'V1','V1',1,1"),
        ("DE", "CH1,V1,I1,1,1"),
        ("DE", "CH5,'V1','I1',1,1"),
        ("SS", "VR1,0,1,0,0.1"),
        ("SS", "VR2,-1,1,0.1"),
        ("SS", "HT 1000"),
        ("SS", "VL1,1,0.1"),
        ("MD", "ME5"),
        ("MD", "ME1"),
        ("MD", "DO 'NONE'"),
        ("SM", "DM3"),
    ],
)
def test_what_system_mode_refuses(mainframe, page, message):
    assert ask(mainframe, page, message).endswith("(-992)")
    assert not mainframe.system_mode.running


def test_user_mode_waits_for_a_run(mainframe):
    ask(mainframe, *SWEEP, "ME1")
    assert "running" in ask(mainframe, "US;DV1,0,1,0.1")
    finished(mainframe)
    assert ask(mainframe, "US;DV1") == "ACK"
