"""What a run cost, added up over its parts."""

from db.rows import RunCost


def test_the_parts_of_a_run_add_up(begun):
    """Two touchdowns, to the last bit; a run that touched nothing has no cost."""
    first = RunCost(
        seconds=12.5, pulses=10**12, reads=7, energy=1e-9, typical_energy=1e-12, messages=3
    )
    second = RunCost(seconds=0.25, pulses=1, reads=0, energy=3e-9, typical_energy=0.0, messages=1)

    assert begun.store.cost(begun.run_id) is None
    begun.store.add_cost(begun.run_id, first)
    assert begun.store.cost(begun.run_id) == first
    begun.store.add_cost(begun.run_id, second)
    assert begun.store.cost(begun.run_id) == RunCost(
        seconds=12.75,
        pulses=10**12 + 1,
        reads=7,
        energy=1e-9 + 3e-9,
        typical_energy=1e-12,
        messages=4,
    )
    assert begun.store.integrity_check() == []
