import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import EndOfWaferError, LimitError, ReplyError, ReportedError
from crossbar.geometry import DieAddress
from crossbar.limits import ChuckLimits
from drivers.mpi_sentio import MpiSentio

HEIGHTS = ("get_chuck_site_heights Wafer", "0,0,12000,300,50,100")
SEPARATE = (("move_chuck_separation", "0,0,11700"), ("get_chuck_z Z", "0,0,11700"), HEIGHTS)
NATIVE = ("*RCS 1", None)


def test_go_to_separates_steps_and_reads_back():
    """Status 1024 is success at the end of the route."""
    with expected_protocol(
        MpiSentio,
        [
            NATIVE,
            *SEPARATE,
            ("map:step_die 3, 4, 0", "1024,0,3,4,0"),
            ("map:die:get_current_index", "0,0,9,3,4"),
        ],
    ) as prober:
        prober.go_to(DieAddress(3, 4))


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ("1035,0,End of route", EndOfWaferError, "no further die"),
        ("23,0,x", ReportedError, "no contact height is set"),
        ("OK", ReplyError, "expected a status"),
    ],
)
def test_errors_by_their_code(reply, error, words):
    with (
        expected_protocol(MpiSentio, [NATIVE, *SEPARATE, ("map:step_next_die", reply)]) as prober,
        pytest.raises(error, match=words),
    ):
        prober.go_to_next()


def test_a_contact_that_was_not_reached_is_noticed():
    with (
        expected_protocol(
            MpiSentio, [NATIVE, ("move_chuck_contact", "0,0,12000"), HEIGHTS, SEPARATE[1]]
        ) as prober,
        pytest.raises(ReplyError, match="not at contact height"),
    ):
        prober.contact()


LIMITS = ChuckLimits(
    max_contact_height=13e-3, max_overtravel=60e-6, max_travel=20e-3, source="bench.toml"
)
MODE = ("set_stepping_contact_mode StepToSeparation", "0,0,OK")
STATUS = ("get_chuck_site_status Wafer", "0,0,1,1,0,1")


def test_prepare_sets_the_contact_mode_and_counts_travel_from_home():
    """Home is column 10: column 14 is 20 mm away, column 15 is too far, and nothing is sent."""
    with expected_protocol(
        MpiSentio,
        [
            NATIVE,
            MODE,
            STATUS,
            HEIGHTS,
            ("map:get_index_size", "0,0,5000,5000"),
            ("map:get_home_die", "0,0,10,0"),
            *SEPARATE,
            ("map:step_die 14, 0, 0", "0,0,14,0,0"),
            ("map:die:get_current_index", "0,0,2,14,0"),
        ],
    ) as prober:
        prober.prepare(LIMITS)
        with pytest.raises(LimitError, match="max_travel"):
            prober.go_to(DieAddress(15, 0))
        prober.go_to(DieAddress(14, 0))


def test_prepare_refuses_what_is_not_taught():
    with (
        expected_protocol(
            MpiSentio, [NATIVE, MODE, ("get_chuck_site_status Wafer", "0,0,1,0,0,1")]
        ) as prober,
        pytest.raises(ReportedError, match="taught no contact height"),
    ):
        prober.prepare(LIMITS)


def test_a_step_that_ended_elsewhere_is_noticed():
    with (
        expected_protocol(
            MpiSentio,
            [
                NATIVE,
                *SEPARATE,
                ("map:step_die 3, 4, 0", "0,0,3,4,0"),
                ("map:die:get_current_index", "0,0,9,3,3"),
            ],
        ) as prober,
        pytest.raises(ReplyError, match="reads back"),
    ):
        prober.go_to(DieAddress(3, 4))


def test_protections_are_read_back():
    """Overtravel is off here, and says so."""
    with expected_protocol(MpiSentio, [NATIVE, HEIGHTS, STATUS]) as prober:
        contact, overtravel = prober.protections()
    assert (contact.value, contact.in_force) == (pytest.approx(0.012), True)
    assert (overtravel.value, overtravel.in_force) == (pytest.approx(50e-6), False)
