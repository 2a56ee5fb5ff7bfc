import pytest

from crossbar.errors import InstrumentError
from crossbar.geometry import DieAddress, DieGeometry
from drivers.die_frame import DieFrame
from drivers.formfactor_velox import FormFactorVelox
from drivers.visa import connect
from physics.wafer import SimulatedWafer
from simulated_instruments.bench import SimulatedBench

DIES = [DieAddress(x, y) for y in range(2) for x in range(3)]


class ProberContract:
    """What every prober must do, whatever its make; its own class gives the fixtures."""

    @pytest.fixture
    def prober(self):
        pytest.fail("give the contract a prober, on the station of the same test")

    @pytest.fixture
    def station(self):
        pytest.fail("give the contract the station that the prober moves")

    @pytest.mark.parametrize("die", DIES)
    def test_go_to_brings_the_die_under_the_needles_separated(self, prober, station, die):
        """Every die of the wafer, in this project's coordinates."""
        prober.go_to(die)

        assert (station.die_under_needles, station.in_contact) == (die, False)

    def test_contact_and_separate(self, prober, station):
        """The needles touch in between."""
        prober.go_to(DIES[0])
        prober.contact()
        assert station.in_contact

        prober.separate()
        assert not station.in_contact

    def test_separate_is_safe_at_any_time(self, prober, station):
        """Before the first die, and twice."""
        prober.separate()
        prober.separate()

        assert not station.in_contact

    def test_contact_is_lost_on_the_way_to_another_die(self, prober, station):
        """Nothing touches a die that was not asked for."""
        prober.go_to(DIES[0])
        prober.contact()
        prober.go_to(DIES[1])

        assert (station.die_under_needles, station.in_contact) == (DIES[1], False)

    def test_a_die_that_is_not_there_is_refused(self, prober, station):
        """With an error, separated, and still where it was."""
        prober.go_to(DIES[2])
        prober.contact()
        with pytest.raises(InstrumentError):
            prober.go_to(DieAddress(99, 99))

        assert (station.die_under_needles, station.in_contact) == (DIES[2], False)


class TestFormFactorVelox(ProberContract):
    """The Velox driver on its emulator, with a map that counts from the upper right corner."""

    @pytest.fixture
    def bench(self):
        wafer = SimulatedWafer(
            addresses=DIES, geometry=DieGeometry(subarrays=1, rows=2, columns=2), seed=1
        )
        frame = DieFrame(origin_column=3, origin_row=2, x_sign=-1, y_sign=-1)
        return SimulatedBench(
            wafer,
            {"GPIB0::28::INSTR": "formfactor_velox"},
            options={"GPIB0::28::INSTR": {"die_frame": frame}},
        )

    @pytest.fixture
    def station(self, bench):
        return bench.station

    @pytest.fixture
    def prober(self, bench):
        adapter = connect(
            "GPIB0::28::INSTR", role="prober", visa_library=bench.visa_library, timeout=120.0
        )
        frame = DieFrame(origin_column=3, origin_row=2, x_sign=-1, y_sign=-1)
        yield FormFactorVelox(adapter, die_frame=frame)
        adapter.close()
