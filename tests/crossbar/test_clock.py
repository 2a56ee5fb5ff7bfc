from crossbar.clock import ReplayClock, WallClock


def test_real_time_passes_while_waiting():
    """Ten milliseconds take at least that long, and two clocks agree."""
    clock = WallClock()
    before = clock.now
    clock.wait(0.01)
    assert 0.0099 <= WallClock().now - before < 5


def test_what_has_passed_is_not_waited_for():
    """No clock goes back, none fails."""
    for clock in (WallClock(), ReplayClock()):
        before = clock.now
        clock.wait(-100)
        assert before <= clock.now < before + 5


def test_a_replay_waits_for_nothing():
    """A day is over at once."""
    clock = ReplayClock()
    clock.wait(86400)
    assert clock.now == 86400
