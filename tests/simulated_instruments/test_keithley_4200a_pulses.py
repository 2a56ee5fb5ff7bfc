import pytest

from simulated_instruments.keithley_4200a import EmulatedKeithley4200A
from simulated_instruments.keithley_4200a_segments import Segment, pulses_of
from tests.simulated_instruments.kxci_mainframe import (
    TO_SMU,
    ask,
    expected_current,
)
from tests.simulated_instruments.stations import CELL

ONE_PULSE = (
    ":PMU:INIT 0",
    ":PMU:RPM:CONFIGURE PMU1-1, 0",
    ":PMU:PULSE:TIMES 1, 10e-6, 100e-9, 20e-9, 20e-9",
    ":PMU:PULSE:TRAIN 1, 0, 1.2",
    ":PMU:OUTPUT:STATE 1, 1",
)
SEGMENTS = (
    ":PMU:INIT 1",
    ":PMU:RPM:CONFIGURE PMU1-1, 0",
    ":PMU:MEASURE:RANGE 1, 2, 1e-3",
    ":PMU:SARB:SEQ:TIME 1, 1, 1e-6, 1e-7, 1e-6, 1e-7, 1e-6",
    ":PMU:SARB:SEQ:STARTV 1, 1, 0, 0, 1, 1, 0",
    ":PMU:SARB:SEQ:STOPV 1, 1, 0, 1, 1, 0, 0",
    ":PMU:SARB:SEQ:MEAS:TYPE 1, 1, 0, 0, 1, 0, 0",
    ":PMU:SARB:SEQ:MEAS:START 1, 1, 0, 0, 5e-7, 0, 0",
    ":PMU:SARB:SEQ:MEAS:STOP 1, 1, 0, 0, 9e-7, 0, 0",
)


@pytest.fixture
def mainframe(station):
    return EmulatedKeithley4200A(station)


def run(emulator):
    """Execute, and poll to the end as a client does."""
    assert ask(emulator, ":PMU:EXECUTE") == "ACK"
    for polls in range(1, 100):
        if ask(emulator, ":PMU:TEST:STATUS?") == "0":
            return polls
    return pytest.fail("the test does not end")


def test_one_pulse_of_the_pulse_unit(mainframe, station):
    """The load it is told of raises the level by what the divider takes: 1 MOhm, 0.005 %."""
    ask(mainframe, *ONE_PULSE)
    assert not station.pulses
    assert run(mainframe) == 1
    assert station.pulses == [(pytest.approx(1.2 * 1.00005), pytest.approx(1e-7), 50.0)]
    assert station.clock.now == pytest.approx(10e-6)
    assert station.die.pulses_given[CELL] == 1


def test_a_load_of_50_ohm_doubles_the_open_circuit_volts(mainframe, station):
    ask(mainframe, *ONE_PULSE, ":PMU:LOAD 1, 50")
    run(mainframe)
    assert station.volts[0] == pytest.approx(2.4)


def test_the_rpm_decides_what_the_pulse_unit_reaches(mainframe, station):
    ask(mainframe, *ONE_PULSE, TO_SMU)
    assert "not switched to the PMU" in ask(mainframe, ":PMU:EXECUTE")
    assert not station.pulses


@pytest.mark.parametrize(
    ("setting", "pulses"),
    [
        (":PMU:LLEC:CONFIGURE 1, 1", 4),
        (":PMU:MEASURE:RANGE 1, 0", 2),
        (":PMU:PULSE:BURST:COUNT 3", 3),
    ],
)
def test_what_makes_the_card_send_more_pulses_than_one(mainframe, station, setting, pulses):
    """Load-line compensation and automatic ranging try; a burst is asked for."""
    ask(mainframe, *ONE_PULSE, setting)
    run(mainframe)
    assert len(station.pulses) == pulses


def test_spot_means_of_high_and_low(mainframe, station):
    ask(mainframe, *ONE_PULSE, ":PMU:MEASURE:RANGE 1, 2, 10e-3")
    run(mainframe)
    assert ask(mainframe, ":PMU:DATA:COUNT? 1") == "1"
    fields = ask(mainframe, ":PMU:DATA:GET 1").split(",")
    high_volts, high_amperes, when = (float(field) for field in fields[:3])
    assert high_volts == pytest.approx(1.2, rel=0.05)
    assert high_amperes == pytest.approx(expected_current(station, 1.2), rel=0.1)
    assert 0 < when < 1e-6
    assert fields[3] == "01010051"  # RPM, spot mean, no overflow, 10 mA, channel 1 at 10 V
    assert (float(fields[4]), fields[7]) == (0.0, "01010051")
    assert ask(mainframe, ":PMU:DATA:GET 1, 0, 1, IH") == fields[1]


def test_a_current_beyond_the_measure_range_is_flagged_and_not_limited(mainframe, station):
    """The pulse arrives in full: a measure range is no current limit."""
    ask(mainframe, *ONE_PULSE, ":PMU:MEASURE:RANGE 1, 2, 1e-6")
    run(mainframe)
    fields = ask(mainframe, ":PMU:DATA:GET 1").split(",")
    assert float(fields[1]) == pytest.approx(1e-6)
    assert fields[3][5] == "8"
    assert station.volts[0] == pytest.approx(1.2, rel=1e-3)


def test_a_sweep_of_amplitudes_with_steps_around_it(mainframe, station):
    """Channel 1 sweeps there and back, channel 2 steps."""
    ask(mainframe, *ONE_PULSE, ":PMU:SWEEP:PULSE:AMPLITUDE 1, 0.1, 0.3, 0.1, 0, 1")
    ask(mainframe, ":PMU:RPM:CONFIGURE PMU1-2, 0", ":PMU:STEP:PULSE:AMPLITUDE 2, 1, 2, 1, 0")
    ask(mainframe, ":PMU:OUTPUT:STATE 2, 1")
    run(mainframe)
    volts = station.volts
    assert volts == pytest.approx([0.1, 0.2, 0.3, 0.3, 0.2, 0.1] * 2, rel=1e-3)
    stepped = [float(v) for v in ask(mainframe, ":PMU:DATA:GET 2, 0, 99, VH").split(";")]
    assert stepped == pytest.approx([1.0] * 6 + [2.0] * 6, rel=1e-3)


def test_a_waveform_in_blocks(mainframe):
    ask(mainframe, *ONE_PULSE, ":PMU:MEASURE:MODE 2")
    ask(mainframe, ":PMU:PULSE:TIMES 1, 100e-6, 50e-6, 5e-6, 5e-6")
    run(mainframe)
    count = int(ask(mainframe, ":PMU:DATA:COUNT? 1"))
    assert count == 11_000  # 55 us at 200 MS/s
    first = ask(mainframe, ":PMU:DATA:GET 1, 0, 2048").split(";")
    last = ask(mainframe, f":PMU:DATA:GET 1, {count - 100}, 2048").split(";")
    assert (len(first), len(last)) == (2048, 100)
    volts = [float(point.split(",")[0]) for point in first]
    assert volts[0] == 0.0
    assert max(volts) == pytest.approx(1.2, rel=0.05)
    assert first[0].split(",")[3][3] == "2"


def test_a_long_test_is_polled_and_can_be_aborted(mainframe, station):
    ask(mainframe, *ONE_PULSE, ":PMU:PULSE:TIMES 1, 0.5, 1e-3, 20e-9, 20e-9")
    ask(mainframe, ":PMU:PULSE:BURST:COUNT 100", ":PMU:EXECUTE")
    assert ask(mainframe, ":PMU:TEST:STATUS?") == "1"
    assert ask(mainframe, "SP") == "16"
    assert "running" in ask(mainframe, ":PMU:PULSE:TRAIN 1, 0, 2")
    assert ask(mainframe, ":PMU:ABORT", ":PMU:TEST:STATUS?") == "0"
    assert 1 <= len(station.pulses) < 5


def test_switching_off_stops_a_test_at_once(mainframe, station):
    ask(mainframe, *ONE_PULSE, ":PMU:PULSE:BURST:COUNT 10000", ":PMU:EXECUTE")
    assert ask(mainframe, ":PMU:OUTPUT:STATE 1, 0", ":PMU:TEST:STATUS?") == "0"
    assert not station.pulses


def test_settings_are_lost_with_a_test_unless_retained(mainframe, station):
    """The second test sends nothing: its amplitude is 0 V again."""
    ask(mainframe, *ONE_PULSE)
    run(mainframe)
    run(mainframe)
    assert len(station.pulses) == 1
    ask(mainframe, *ONE_PULSE, ":PMU:RETAIN:CONFIG 1, 1")
    run(mainframe)
    run(mainframe)
    assert len(station.pulses) == 3


@pytest.mark.parametrize(
    "setting",
    [
        ":PMU:PULSE:TIMES 1, 10e-6, 30e-9, 20e-9, 20e-9",
        ":PMU:PULSE:TIMES 1, 10e-6, 100e-9, 10e-9, 20e-9",
        ":PMU:PULSE:TIMES 1, 2, 100e-9, 20e-9, 20e-9",
        ":PMU:PULSE:TIMES 1, 10e-6, 100e-9, 20e-9, 20e-9, 5e-9",
        ":PMU:PULSE:TRAIN 1, 0, 11",
        ":PMU:PULSE:BURST:COUNT 10001",
        ":PMU:LOAD 1, 0.5",
        ":PMU:MEASURE:RANGE 1, 2, 0.5",
        ":PMU:MEASURE:PIV 1, 0, 0",
        ":PMU:SWEEP:PULSE:AMPLITUDE 1, 0, 1, 0, 0, 0",
        ":PMU:SARB:WFM:SEQ:LIST 1, 7, 1",
        ":PMU:OUTPUT:STATE 5, 1",
    ],
)
def test_settings_out_of_range_are_refused(mainframe, setting):
    ask(mainframe, *ONE_PULSE)
    assert ask(mainframe, setting).endswith("(-992)")


@pytest.mark.parametrize(
    "setting",
    [
        ":PMU:PULSE:TIMES 1, 200e-9, 160e-9, 20e-9, 20e-9",
        ":PMU:PULSE:TIMES 1, 10e-6, 100e-9, 120e-9, 20e-9",
        ":PMU:PULSE:TRAIN 1, -6, 6",
        ":PMU:LOAD 1, 1",
    ],
)
def test_settings_that_do_not_fit_together_are_refused_at_execution(mainframe, station, setting):
    ask(mainframe, *ONE_PULSE, setting)
    assert ask(mainframe, ":PMU:EXECUTE").endswith("(-992)")
    assert not station.pulses


def test_a_sequence_of_segments_is_a_pulse_a_loop(mainframe, station):
    """1 us at 1 V with edges of 100 ns, twice; one reading each."""
    ask(mainframe, *SEGMENTS, ":PMU:SARB:WFM:SEQ:LIST 1, 1, 2", ":PMU:OUTPUT:STATE 1, 1")
    run(mainframe)
    assert [width for _, width, _ in station.pulses] == pytest.approx([1.1e-6] * 2)
    assert station.clock.now == pytest.approx(2 * 3.2e-6)
    points = [p.split(",") for p in ask(mainframe, ":PMU:DATA:GET 1").split(";")]
    assert [float(p[2]) for p in points] == pytest.approx([1.8e-6, 5.0e-6])
    assert float(points[1][1]) == pytest.approx(expected_current(station, 1.0), rel=0.1)


def test_an_open_output_relay_keeps_a_segment_from_the_cell(mainframe, station):
    ask(mainframe, *SEGMENTS, ":PMU:SARB:SEQ:SSR 1, 1, 1, 0, 0, 0, 1")
    ask(mainframe, ":PMU:SARB:WFM:SEQ:LIST 1, 1, 1", ":PMU:OUTPUT:STATE 1, 1")
    run(mainframe)
    assert not station.pulses


@pytest.mark.parametrize(
    "array",
    [
        ":PMU:SARB:SEQ:TIME 1, 1, 1e-6, 1e-7",
        ":PMU:SARB:SEQ:STARTV 1, 1, 0, 0, 0.5, 1, 0",
        ":PMU:SARB:SEQ:MEAS:STOP 1, 1, 0, 0, 9e-6, 0, 0",
        ":PMU:MEASURE:RANGE 1, 0",
        ":PMU:SARB:SEQ:STOPV:ADD 1, 1, 0",
    ],
)
def test_sequences_that_do_not_fit_are_refused_at_execution(mainframe, station, array):
    ask(mainframe, *SEGMENTS, array)
    ask(mainframe, ":PMU:SARB:WFM:SEQ:LIST 1, 1, 1", ":PMU:OUTPUT:STATE 1, 1")
    assert ask(mainframe, ":PMU:EXECUTE").endswith("(-992)")
    assert not station.pulses


FIVE_PULSES = (
    ":PMU:RPM:CONFIGURE PMU1-1, 0", "PS1", "PD1, 1e6", "PT1, 100e-6, 50e-6, 1e-6, 1e-6",
    "PV1, 1, 0, 5, 0.01", "TS1, 0", "PO1, 1, 0",
)  # fmt: skip


def test_the_older_pulse_commands(mainframe, station):
    """A burst of five."""
    assert ask(mainframe, *FIVE_PULSES, "PG1, 0, 5", "PO1, 0, 0") == "ACK"
    assert [width for _, width, _ in station.pulses] == pytest.approx([50e-6] * 5)
    assert station.clock.now == pytest.approx(500e-6)
    assert "off" in ask(mainframe, "PG1, 0, 5")


@pytest.mark.parametrize(
    "message", ["PG1, 1, 5", "PG1, 0, 5000", "PV1, 11, 0, 5, 0.01", "PT1, 1e-6, 50e-6, 1e-6, 1e-6"]
)
def test_what_the_older_pulse_commands_refuse(mainframe, station, message):
    assert ask(mainframe, *FIVE_PULSES, message).endswith("(-992)")
    assert not station.pulses


def test_a_sequence_without_voltages_is_refused(mainframe):
    ask(mainframe, *SEGMENTS[:3], ":PMU:SARB:SEQ:TIME 1, 1, 1e-6")
    ask(mainframe, ":PMU:SARB:WFM:SEQ:LIST 1, 1, 1", ":PMU:OUTPUT:STATE 1, 1")
    assert "one is missing" in ask(mainframe, ":PMU:EXECUTE")


def test_edges_of_a_waveform_count_half():
    """Also between two levels, and through 0 V by magnitude."""

    def waveform(*corners):
        return [Segment(a, b, t, True, 0, 0.0, 0.0) for a, b, t in corners]

    assert pulses_of(waveform((0, 1, 2e-7), (1, 1, 1e-6), (1, 0, 2e-7))) == [
        (0, 1e-7),
        (1, pytest.approx(1.2e-6)),
        (0, 1e-7),
    ]
    stairs = pulses_of(waveform((1, 1, 1e-6), (1, 2, 4e-7), (2, 2, 1e-6)))
    assert stairs == [(1, pytest.approx(1.2e-6)), (2, pytest.approx(1.2e-6))]
    through = pulses_of(waveform((3, 3, 1e-6), (3, -1, 8e-7), (-1, -1, 1e-6)))
    assert [level for level, _ in through] == [3, 0.0, -1]
    assert [duration for _, duration in through] == pytest.approx([1.3e-6, 4e-7, 1.1e-6])
