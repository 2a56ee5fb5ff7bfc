import numpy as np
import pytest

from crossbar.errors import ConfigurationError
from protocols.retention import RetentionParameters, retention

HOUR = RetentionParameters(sample=10, duration=3600.0, per_decade=2)


def test_cells_are_written_once_and_read_at_logarithmic_times(die_of):
    """An hour passes on the virtual clock; every cell gets one pulse."""
    with die_of() as (die, simulated):
        records = list(retention(die, HOUR))
        assert die.clock.now >= 3600
        assert simulated.pulses_given.sum() == 10

    assert [record.step for record in records] == list(range(len(HOUR.times) + 1))
    assert [record.time for record in records[1:]] == pytest.approx(HOUR.times, abs=0.01)
    assert records[0].time < 0.01
    assert len({record.written_at for record in records}) == 1
    assert records[0].written_low.tolist() == [True, False] * 5


def test_a_resumed_run_writes_nothing_and_goes_on_in_the_time_that_passed(die_of):
    """After an outage of ten minutes: missed moments are left out, but for the last one."""
    with die_of() as (die, simulated):
        stored = []
        for record in retention(die, HOUR):
            stored.append(record)
            if len(stored) == 3:
                break
        die.clock.wait(600)
        done = frozenset(record.key for record in stored)
        rest = list(retention(die, HOUR, done))
        assert simulated.pulses_given.sum() == 10

    missed = HOUR.times[(HOUR.times > stored[-1].time) & (HOUR.times < 600)]
    assert len(missed) >= 2
    assert rest[0].step == stored[-1].step + len(missed)
    assert rest[0].time == pytest.approx(600 + stored[-1].time, abs=1)
    assert [record.time for record in rest[1:]] == pytest.approx(
        HOUR.times[HOUR.times > 610], abs=0.01
    )
    assert {record.written_at for record in rest} == {stored[0].written_at}


def test_a_clock_behind_the_records_is_refused(die_of):
    """The wafer that the cells were written on is not this one."""
    with die_of() as (die, simulated):
        with pytest.raises(ConfigurationError, match="Start a new run"):
            next(retention(die, HOUR, frozenset({("retention", 0, 1e6)})))
        assert simulated.pulses_given.sum() == 0


def test_the_last_reading_must_come_after_the_first():
    """One message for both."""
    with pytest.raises(ConfigurationError, match="duration longer"):
        RetentionParameters(first=10.0, duration=5.0)


def test_times_reach_from_first_to_duration():
    """Both ends included, evenly in the logarithm."""
    times = RetentionParameters(first=1.0, duration=1e4, per_decade=5).times
    assert (times[0], times[-1], len(times)) == (1.0, pytest.approx(1e4), 21)
    assert np.diff(np.log(times)) == pytest.approx(np.log(10) / 5)
