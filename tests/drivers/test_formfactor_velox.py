import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import (
    ConfigurationError,
    EndOfWaferError,
    ReplyError,
    ReportedError,
    WrongInstrumentError,
)
from crossbar.geometry import DieAddress
from drivers.die_frame import DieFrame
from drivers.formfactor_velox import ChuckHeights, FormFactorVelox, MapPosition

SEPARATE = ("MoveChuckSeparation", "0:")
IDENTITY = "Cascade Microtech,Velox,0,3.4"


def test_construction_sends_nothing():
    """Opening a bench moves no chuck."""
    with expected_protocol(FormFactorVelox, []):
        pass


def test_go_to_separates_and_steps_by_coordinates():
    """Die (0, 0) is sent as such: without parameters the prober would take the next one."""
    with expected_protocol(
        FormFactorVelox, [SEPARATE, ("StepNextDie 0 0", "0: 0 0 0 0")]
    ) as prober:
        prober.go_to(DieAddress(0, 0))


def test_go_to_speaks_the_probers_own_frame():
    """Columns that count to the left from 5, rows that count downwards from 9."""
    frame = DieFrame(origin_column=5, origin_row=9, x_sign=-1, y_sign=-1)
    with expected_protocol(
        FormFactorVelox, [SEPARATE, ("StepNextDie 3 8", "0: 3 8 0 0")], die_frame=frame
    ) as prober:
        prober.go_to(DieAddress(2, 1))


def test_go_to_checks_where_the_prober_went():
    """Testing another die under this one's name would be the worst of errors."""
    with (
        expected_protocol(FormFactorVelox, [SEPARATE, ("StepNextDie 3 4", "0: 3 5 0 0")]) as prober,
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
            FormFactorVelox, [SEPARATE, ("StepNextDie 90 90", "701: No die at 90 90")]
        ) as prober,
        pytest.raises(ReportedError, match="'StepNextDie 90 90' with code 701: No die at 90 90"),
    ):
        prober.go_to(DieAddress(90, 90))


def test_the_route_is_walked_die_by_die():
    """From the first to the end of the wafer, which is an error of its own (code 703)."""
    with expected_protocol(
        FormFactorVelox,
        [
            SEPARATE,
            ("StepFirstDie 0", "0: 0 0 0 0"),
            SEPARATE,
            ("StepNextDie", "0: 1 0 0 0"),
            SEPARATE,
            ("StepNextDie", "703: End of wafer map"),
        ],
    ) as prober:
        assert prober.go_to_first() == DieAddress(0, 0)
        assert prober.go_to_next() == DieAddress(1, 0)
        with pytest.raises(EndOfWaferError):
            prober.go_to_next()


def test_contact_and_separation():
    """One command each, answered when the chuck has arrived."""
    with expected_protocol(FormFactorVelox, [("MoveChuckContact", "0:"), SEPARATE]) as prober:
        prober.contact()
        prober.separate()


@pytest.mark.parametrize("verb", ["off", "shutdown"])
def test_leaving_separates(verb):
    """No needle stays on the wafer."""
    with expected_protocol(FormFactorVelox, [SEPARATE]) as prober:
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
        expected_protocol(FormFactorVelox, [SEPARATE, ("StepNextDie", f"0: {values}")]) as prober,
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
