from crossbar.geometry import DieAddress
from protocols.contact_check import ContactCheckParameters, contact_check


def test_a_touched_die_conducts(die_of):
    """Some cells may be bad; most conduct."""
    with die_of() as (die, _):
        (record,) = contact_check(die, ContactCheckParameters())

    assert record.touching
    assert len(record.conductance) == 16


def test_a_die_off_contact_reads_open(bench_of):
    """The needles in the air: nothing conducts, on the board and through the SMU."""
    for execution in ("board", "software"):
        with bench_of(execution=execution) as bench, bench.contacted(DieAddress(1, 1)) as die:
            bench.instruments["prober"].separate()
            (record,) = contact_check(die, ContactCheckParameters())

            assert not record.touching
            assert abs(record.conductance).max() < 1e-9
