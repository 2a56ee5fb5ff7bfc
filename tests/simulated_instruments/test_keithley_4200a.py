import pytest

from simulated_instruments.keithley_4200a import EmulatedKeithley4200A
from tests.simulated_instruments.kxci_mainframe import (
    TO_SMU,
    ask,
    expected_current,
)
from tests.simulated_instruments.stations import CELL

FAULT = "KXCI command error. (-992)"


@pytest.fixture
def mainframe(station):
    return EmulatedKeithley4200A(station)


def test_identities_and_options(mainframe):
    assert ask(mainframe, "ID").startswith("KI4200A")
    assert ask(mainframe, "*IDN?").split(",")[1] == "KI4200A"
    assert ask(mainframe, "*OPT?").split(",")[-1] == "PMU2RPM2-2"
    assert ask(mainframe, "EM 1,0") == "ACK"


def test_every_message_gets_one_reply_however_many_commands_it_has(mainframe):
    assert ask(mainframe, "US;DV1,0,0.1,1E-3;TV1") == "NAV+1.0000E-01"
    assert ask(mainframe, "SM DM2") == "ACK"
    assert ask(mainframe, "US DV1") == "ACK"


def test_commands_belong_to_their_pages(mainframe):
    """``DV`` is user mode's, ``CH`` the channel page's."""
    assert ask(mainframe, "DE", "DV1,0,0.1,1E-3") == FAULT
    assert ask(mainframe, "US", "CH1,'V1','I1',1,1") == FAULT


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("XX1", FAULT),
        ("hello", FAULT),
        ("\xff", FAULT),
        ("US;DV9,0,0,1E-3", "9 is not 1 to 4"),
        ("US;DV1,0,211,1E-3", "211 is not -210 to 210"),
        ("US;DV1,0,nan,1E-3", "'nan' is no number"),
        ("US;DV1,0,0.1", "3 arguments"),
        ("US;DS2,5", "VS2 is not mapped"),
        (":PMU:PULSE:TRAIN 1, 0, 1", "not initialized"),
        (":PMU:RPM:CONFIGURE PMU3-1, 0", "there is no RPM"),
        ("EM 0,0", "4145"),
    ],
)
def test_errors_are_answered_and_kept(mainframe, message, error):
    """Until they are cleared; the status byte tells, too."""
    reply = ask(mainframe, message)
    assert error in reply
    assert ask(mainframe, ":ERROR:LAST:GET") == reply
    assert int(ask(mainframe, "SP")) & 2
    assert ask(mainframe, ":ERROR:LAST:CLEAR", ":ERROR:LAST:GET") == "No error. (0)"
    assert ask(mainframe, "SP") == "0"


def test_a_mainframe_may_acknowledge_errors(station):
    """Which of both KXCI does is not public; a driver must get along with either."""
    mainframe = EmulatedKeithley4200A(station, acknowledges_errors=True)
    assert ask(mainframe, "XX1", ":ERROR:LAST:GET") == FAULT


def test_the_rpm_decides_what_the_smu_reaches(mainframe, station):
    """Switched to the PMU, an SMU reads an open circuit."""
    assert ask(mainframe, "US", "DV1,0,0.1,1E-3", "TI1") == "NAI+0.0000E+00"
    reading = ask(mainframe, TO_SMU, "TI1")
    assert reading.startswith("NAI")
    assert float(reading[3:]) == pytest.approx(expected_current(station, 0.1), rel=0.05)
    assert mainframe.rpms[1].hot_switches == 1


def test_the_status_letter_tells_which_channel_is_in_compliance(mainframe):
    reading = ask(mainframe, TO_SMU, "US;DV1,0,0.1,5E-7", "TI1")
    assert reading == "CAI+5.0000E-07"
    assert ask(mainframe, "DV2,0,0,1E-3", "TI2").startswith("TBI")


def test_a_compliance_below_the_smallest_is_raised_to_it(mainframe):
    """Without a preamplifier, 100 nA."""
    assert ask(mainframe, TO_SMU, "US;DV1,0,0.1,1E-12", "TI1") == "CAI+1.0000E-07"


def test_a_forced_current_and_its_voltage(mainframe, station):
    voltage = float(ask(mainframe, TO_SMU, "US;DI1,0,1E-6,0.5", "TV1")[3:])
    assert expected_current(station, voltage) == pytest.approx(1e-6, rel=0.1)
    assert ask(mainframe, "DI1,0,1E-3,0.1", "TV1") == "CAV+1.0000E-01"
    assert ask(mainframe, "DI1", "TI1") == "NAI+0.0000E+00"


def test_a_mapped_voltage_source(mainframe):
    assert ask(mainframe, "US", "MP 2, VS2", "DS2, 5", "TV2") == "NBV+5.0000E+00"
    assert ask(mainframe, "DS2", "TV2") == "NBV+0.0000E+00"


def test_digits_and_integration_time(mainframe, station):
    assert ask(mainframe, "US", "RS 7", "IT1", "DV1,0,0.1,1E-3", "TV1") == "NAV+1.000000E-01"
    before = station.clock.now
    ask(mainframe, "IT3", "TI1")
    assert station.clock.now - before > 0.19


def test_what_the_smu_holds_acts_on_the_cell(mainframe, station):
    """A volt for as long as a reading takes is a write pulse."""
    ask(mainframe, TO_SMU, "US;DV1,0,1.0,1E-3", "TI1")
    assert station.die.pulses_given[CELL] >= 1
