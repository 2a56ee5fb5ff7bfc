import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import EndOfWaferError, WrongInstrumentError
from crossbar.geometry import DieAddress
from drivers.suss_proberbench import SussProberBench

SEPARATE = (("MoveChuckSeparation", "0:"), ("ReadChuckStatus", "0: 7 7 0 0 T 1 S 2 0 P"))


def test_go_to_steps_and_reads_back():
    """The same commands as Velox's."""
    with expected_protocol(
        SussProberBench,
        [
            *SEPARATE,
            ("StepNextDie 3 4", "0: 3 4 0 0"),
            ("ReadMapPosition2", "0: 3 4 0 0 -1 -1 1 9 0 0"),
        ],
    ) as prober:
        prober.go_to(DieAddress(3, 4))


def test_the_end_of_the_route():
    with (
        expected_protocol(
            SussProberBench, [*SEPARATE, ("StepNextDie", "703: End of wafer")]
        ) as prober,
        pytest.raises(EndOfWaferError),
    ):
        prober.go_to_next()


def test_a_velox_is_not_a_proberbench():
    with (
        expected_protocol(SussProberBench, [("*IDN?", "Cascade Microtech,Velox,0,3.4")]) as prober,
        pytest.raises(WrongInstrumentError, match="Velox"),
    ):
        prober.check_identity()
