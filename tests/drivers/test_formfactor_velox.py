import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    ConfigurationError,
    EndOfWaferError,
    LimitError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress, DieGeometry
from crossbar.limits import ChuckLimits
from drivers.die_frame import DieFrame
from drivers.formfactor_velox import ChuckHeights, FormFactorVelox, MapPosition
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

SEPARATE = (("MoveChuckSeparation", "0:"), ("ReadChuckStatus", "0: 7 7 0 0 T 1 S 2 0 P"))
CONTACT = (("MoveChuckContact", "0:"), ("ReadChuckStatus", "0: 7 7 0 0 T 1 C 2 0 P"))
IDENTITY = "Cascade Microtech,Velox,0,3.4"


def test_construction_sends_nothing():
    """Opening a bench moves no chuck."""
    with expected_protocol(FormFactorVelox, []):
        pass


def test_go_to_separates_and_steps_by_coordinates():
    """Die (0, 0) is sent as such: without parameters the prober would take the next one."""
    with expected_protocol(
        FormFactorVelox,
        [
            *SEPARATE,
            ("StepNextDie 0 0", "0: 0 0 0 0"),
            ("ReadMapPosition2", "0: 0 0 0 0 -1 -1 1 9 0 0"),
        ],
    ) as prober:
        prober.go_to(DieAddress(0, 0))


def test_go_to_speaks_the_probers_own_frame():
    """Columns that count to the left from 5, rows that count downwards from 9."""
    frame = DieFrame(origin_column=5, origin_row=9, x_sign=-1, y_sign=-1)
    with expected_protocol(
        FormFactorVelox,
        [
            *SEPARATE,
            ("StepNextDie 3 8", "0: 3 8 0 0"),
            ("ReadMapPosition2", "0: 3 8 0 0 -1 -1 1 9 0 0"),
        ],
        die_frame=frame,
    ) as prober:
        prober.go_to(DieAddress(2, 1))


def test_go_to_checks_where_the_prober_went():
    """Testing another die under this one's name would be the worst of errors."""
    with (
        expected_protocol(
            FormFactorVelox,
            [
                *SEPARATE,
                ("StepNextDie 3 4", "0: 3 5 0 0"),
                ("ReadMapPosition2", "0: 3 5 0 0 -1 -1 1 9 0 0"),
            ],
        ) as prober,
        pytest.raises(ReplyError, match=r"sent to die \(3, 4\).*went to die \(3, 5\)"),
    ):
        prober.go_to(DieAddress(3, 4))


def test_go_to_does_not_step_when_it_cannot_separate():
    """Needles that still touch would scratch over the wafer."""
    with (
        expected_protocol(FormFactorVelox, [("MoveChuckSeparation", "511: no height")]) as prober,
        pytest.raises(ReportedError, match="MoveChuckSeparation"),
    ):
        prober.go_to(DieAddress(3, 4))


def test_a_die_that_is_not_there_is_an_instrument_error():
    """Code 701, with the command and the prober's own words."""
    with (
        expected_protocol(
            FormFactorVelox, [*SEPARATE, ("StepNextDie 90 90", "701: No die at 90 90")]
        ) as prober,
        pytest.raises(ReportedError, match="'StepNextDie 90 90' with code 701: No die at 90 90"),
    ):
        prober.go_to(DieAddress(90, 90))


def test_the_route_is_walked_die_by_die():
    """From the first to the end of the wafer, which is an error of its own (code 703)."""
    with expected_protocol(
        FormFactorVelox,
        [
            *SEPARATE,
            ("StepFirstDie 0", "0: 0 0 0 0"),
            ("ReadMapPosition2", "0: 0 0 0 0 -1 -1 1 9 0 0"),
            *SEPARATE,
            ("StepNextDie", "0: 1 0 0 0"),
            ("ReadMapPosition2", "0: 1 0 0 0 -1 -1 1 9 0 0"),
            *SEPARATE,
            ("StepNextDie", "703: End of wafer map"),
        ],
    ) as prober:
        assert prober.go_to_first() == DieAddress(0, 0)
        assert prober.go_to_next() == DieAddress(1, 0)
        with pytest.raises(EndOfWaferError):
            prober.go_to_next()


def test_contact_and_separation():
    """One command each, answered when the chuck has arrived, and the height read back."""
    with expected_protocol(FormFactorVelox, [*CONTACT, *SEPARATE]) as prober:
        prober.contact()
        prober.separate()


@pytest.mark.parametrize("verb", ["off", "shutdown"])
def test_leaving_separates(verb):
    """No needle stays on the wafer."""
    with expected_protocol(FormFactorVelox, [*SEPARATE]) as prober:
        getattr(prober, verb)()


@pytest.mark.parametrize("reply", ["", "3 4 0 0", "OK", "x: 3 4"])
def test_a_reply_without_status_code_makes_no_sense(reply):
    """Something else may be at that address."""
    with (
        expected_protocol(FormFactorVelox, [("MoveChuckContact", reply)]) as prober,
        pytest.raises(ReplyError, match="MoveChuckContact"),
    ):
        prober.contact()


@pytest.mark.parametrize("values", ["", "3", "x y 0 0"])
def test_a_step_that_tells_no_coordinates_makes_no_sense(values):
    """PyMeasure's driver returns such words as if they were coordinates."""
    with (
        expected_protocol(FormFactorVelox, [*SEPARATE, ("StepNextDie", f"0: {values}")]) as prober,
        pytest.raises(ReplyError, match="expected column, row"),
    ):
        prober.go_to_next()


def test_identity_has_no_status_code_and_is_asked_once():
    """The one reply that is not of the form "code: values"."""
    with expected_protocol(FormFactorVelox, [("*IDN?", IDENTITY)]) as prober:
        prober.check_identity()
        assert prober.identity == IDENTITY


def test_another_instrument_is_recognised():
    """With what answered."""
    with (
        expected_protocol(FormFactorVelox, [("*IDN?", "Keithley, 2636B")]) as prober,
        pytest.raises(WrongInstrumentError, match="'Keithley, 2636B' answers"),
    ):
        prober.check_identity()


def test_there_are_no_errors_to_ask_for():
    """Velox has no error queue: nothing is sent."""
    with expected_protocol(FormFactorVelox, []) as prober:
        assert prober.check_errors() == []


def test_map_position():
    """Micrometres become metres."""
    with expected_protocol(
        FormFactorVelox, [("ReadMapPosition2", "0: 3 4 15000.0 -20000.5 -1 -1 12 36 0 0")]
    ) as prober:
        assert prober.map_position == MapPosition(
            column=3,
            row=4,
            x_from_home=pytest.approx(15e-3),
            y_from_home=pytest.approx(-20.0005e-3),
            subdie=-1,
        )


def test_a_short_map_position_makes_no_sense():
    """Fewer values than the command has."""
    with (
        expected_protocol(FormFactorVelox, [("ReadMapPosition2", "0: 3 4")]) as prober,
        pytest.raises(ReplyError, match="2 values"),
    ):
        prober.map_position  # noqa: B018  reading it is the test


@pytest.mark.parametrize(("reply", "contact"), [("12000", 0.012), ("-1", None)])
def test_chuck_heights(reply, contact):
    """A contact height of -1 was never taught."""
    with expected_protocol(
        FormFactorVelox, [("ReadChuckHeights Y", f"0: {reply} 50 100 300 100")]
    ) as prober:
        assert prober.chuck_heights == ChuckHeights(
            contact=contact and pytest.approx(contact),
            overtravel=pytest.approx(50e-6),
            align_distance=pytest.approx(100e-6),
            separation_distance=pytest.approx(300e-6),
        )


def test_preset_height():
    """The letter, from a status line that a real prober sent."""
    with expected_protocol(
        FormFactorVelox, [("ReadChuckStatus", "0: 7 7 0 0 T 1 C 2 0 P")]
    ) as prober:
        assert prober.preset_height == "C"


def test_motor_quiet():
    """A setting is answered with a status, which is read."""
    with expected_protocol(
        FormFactorVelox, [("EnableMotorQuiet 1", "0:"), ("EnableMotorQuiet 0", "7: not now")]
    ) as prober:
        prober.motor_quiet = True
        with pytest.raises(ReportedError, match="code 7: not now"):
            prober.motor_quiet = False


def test_software_version():
    """As the prober words it."""
    with expected_protocol(FormFactorVelox, [("ReportSoftwareVersion", "0: 3.4.1 x64")]) as prober:
        assert prober.software_version == "3.4.1 x64"


def test_the_die_frame_goes_both_ways():
    """Every die comes back from the prober's frame as itself."""
    for x_sign in (-1, 1):
        for y_sign in (-1, 1):
            frame = DieFrame(origin_column=-3, origin_row=7, x_sign=x_sign, y_sign=y_sign)
            for die in (DieAddress(0, 0), DieAddress(5, 2), DieAddress(-1, 4)):
                assert frame.from_prober(*frame.to_prober(die)) == die


def test_a_die_frame_has_signs_of_one():
    """A zero would send every die to the same column."""
    with pytest.raises(ConfigurationError, match="x_sign = 0"):
        DieFrame(x_sign=0)


LIMITS = ChuckLimits(
    max_contact_height=13e-3, max_overtravel=60e-6, max_travel=20e-3, source="bench.toml"
)
TAUGHT = ("ReadChuckHeights Y", "0: 12000 50 100 300 100")
MAP = ("GetMapDims", "0: W 5000 4000 10 10")


def test_a_die_too_far_away_is_refused_before_anything_moves():
    """5 mm from die to die, and 20 mm allowed."""
    with expected_protocol(FormFactorVelox, [TAUGHT, MAP]) as prober:
        prober.prepare(LIMITS)
        with pytest.raises(LimitError, match="max_travel"):
            prober.go_to(DieAddress(5, 0))


@pytest.mark.parametrize(
    ("heights", "word"), [("13001 50", "contact_height"), ("12000 61", "overtravel")]
)
def test_heights_beyond_the_limits_are_refused(heights, word):
    """As read back from the prober."""
    with (
        expected_protocol(
            FormFactorVelox, [("ReadChuckHeights Y", f"0: {heights} 100 300 100")]
        ) as prober,
        pytest.raises(LimitError, match=word),
    ):
        prober.prepare(LIMITS)


def test_a_prober_without_contact_height_is_not_ready():
    with (
        expected_protocol(
            FormFactorVelox, [("ReadChuckHeights Y", "0: -1 50 100 300 100")]
        ) as prober,
        pytest.raises(ReportedError, match="taught no contact height"),
    ):
        prober.prepare(LIMITS)


def test_protections_are_the_taught_heights():
    with expected_protocol(FormFactorVelox, [TAUGHT]) as prober:
        contact, overtravel = prober.protections()
    assert (contact.value, contact.in_force) == (pytest.approx(0.012), True)
    assert overtravel.value == pytest.approx(50e-6)


def test_a_contact_that_was_not_reached_is_noticed():
    """Code 0, and yet the chuck is at separation."""
    with (
        expected_protocol(FormFactorVelox, [("MoveChuckContact", "0:"), SEPARATE[1]]) as prober,
        pytest.raises(ReplyError, match="not at contact height"),
    ):
        prober.contact()


def test_a_step_that_ended_elsewhere_is_noticed():
    """The reply names the die that was asked for; the position does not."""
    with (
        expected_protocol(
            FormFactorVelox,
            [
                *SEPARATE,
                ("StepNextDie 3 4", "0: 3 4 0 0"),
                ("ReadMapPosition2", "0: 3 3 0 0 -1 -1 1 9 0 0"),
            ],
        ) as prober,
        pytest.raises(ReplyError, match="reads back column 3, row 3"),
    ):
        prober.go_to(DieAddress(3, 4))


REGISTER = ("FCN=1:RegisterProberApp:crossbar-lab crossbar-lab 0", "FCN=1:0:")


def test_the_message_server_numbers_commands():
    """Registered once; a stranger's line and a late reply are passed over."""
    with expected_protocol(
        FormFactorVelox,
        [
            REGISTER,
            ("Cmd=1:ReportSoftwareVersion:", 'Rsp=1:0:"3.4: x64"'),
            ("Cmd=2:EchoData:a b", "Evt=7:hello"),
            (None, "Rsp=1:0:late"),
            (None, "Rsp=2:0:a b"),
        ],
        message_server=True,
    ) as prober:
        assert prober.identity == "FormFactor Velox, software version 3.4: x64"
        assert prober.ask("EchoData a b") == "a b"


def test_the_message_servers_errors_are_errors():
    with (
        expected_protocol(
            FormFactorVelox,
            [REGISTER, ("Cmd=1:MoveChuckContact:", "Rsp=1:511:no height")],
            message_server=True,
        ) as prober,
        pytest.raises(ReportedError, match="'MoveChuckContact' with code 511: no height"),
    ):
        prober.contact()


def test_a_raw_socket_is_the_message_server():
    """Registered, prepared, and at the die; more than 999 commands wrap around."""
    dies = [DieAddress(0, 0), DieAddress(1, 0)]
    wafer = SimulatedWafer(
        addresses=dies, geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
    )
    address = "TCPIP::localhost::1412::SOCKET"
    bench = SimulatedBench(wafer, {address: "formfactor_velox"})
    adapter = connect(address, visa_library=bench.visa_library, timeout=120.0)
    prober = FormFactorVelox(adapter)
    prober.check_identity()
    prober.prepare(LIMITS)
    for turn in range(130):  # eight commands each
        prober.go_to(dies[turn % 2])
        prober.contact()
        prober.separate()
    assert bench.emulators[address].registered
    assert (bench.station.die_under_needles, bench.station.in_contact) == (dies[1], False)
    with pytest.raises(ReportedError, match="code 701"):
        prober.go_to(DieAddress(2, 2))
    adapter.close()
