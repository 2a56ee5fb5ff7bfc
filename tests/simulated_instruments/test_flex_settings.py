"""Settings of the B1500A as ``*LRN?`` gives them back, and lines at the edge of the language."""

import pytest

from simulated_instruments.keysight_b1500a import EmulatedKeysightB1500A
from tests.simulated_instruments.flex_messages import NO_ERROR, ask, say


@pytest.fixture
def mainframe(station):
    return EmulatedKeysightB1500A(station)


@pytest.mark.parametrize(
    ("message", "query", "answer"),
    [
        ("AB", "*TST?", "0"),
        ("*OPC", "*OPC?", "1"),
        ("PA 0.1", "*CAL? 1", "0"),
        ("*SRE 32", "*SRE?", "32"),
        ("BC", "*STB?", "16"),
        ("TM 3;CM 1;AV 10,1", "*LRN? 31", "TM3;AV10,1;CM1;FMT1,0;MM1"),
        ("PAD 1", "*LRN? 110", "PAD1"),
        ("WAT 2,0.5,0.01", "*LRN? 57", "WAT1,1,0;WAT2,0.5,0.01;WAT3,1,0"),
        ("RV 2,-20;RI 2,15", "*LRN? 32", "RI1,0;RI2,15;RV1,0;RV2,-20"),
        ("RM 1,2,60", "*LRN? 54", "RM1,2,60;RM2,1,50"),
        ("SSR 2,1", "*LRN? 53", "SSR1,0;SSR2,1"),
        ("AIT 0,3,1e-3;AIT 1,1;AZ 1", "*LRN? 56", "AIT0,3,0.001;AIT1,1,3;AZ1"),
        ("AIT 1,2,5", "*LRN? 56", "AIT0,0,1;AIT1,2,5;AZ0"),
        ("WM 2,2;WT 1,0.1,0.2,0.05,0.3", "*LRN? 33", "WM2,2;WT1,0.1,0.2,0.05,0.3"),
        ("PT 0,1e-3,5e-3,0.01;PI 1,0,0,1e-6,1", "*LRN? 34", "PT0,0.001,0.005;PI1,0,0,1E-06,1"),
        (
            "ML 2;MSC 2,2;MT 0,0.1,9;MI 1,0,0,1e-6,1",
            "*LRN? 47",
            "MSC2,2;ML2;MT0,0.1,9,0;MI1,0,0,1E-06,1",
        ),
        ("MV 1,0,0,1;MI 2,0,0,0;MCC 1", "*LRN? 47", "MSC1,1;ML1;MT0,0.002,1000,0;MI2,0,0,0,2"),
        ("MV 1,0,0,1;MCC", "*LRN? 47", "MSC1,1;ML1;MT0,0.002,1000,0"),
        ("CN 1;DV 1,0,5,1e-3;IN 1", "*LRN? 1", "DV1,0,0,0.0001,0,0"),
        ("CN 1;DI 1,0,1e-6,1;DZ;RZ", "LOP?", "LOP02,00,00,00,00,00,00,00,00,00"),
        ("CN 1,3;FL 1", "*LRN? 0", "CN1,3"),
        ("IMP 11;ACT 2,4;WMDCV 2,2", "*LRN? 72", "ACT2,4"),
        ("IMP 11", "*LRN? 70", "IMP11"),
        ("ERMOD 1", "ERMOD?", "1"),
    ],
)
def test_settings_of_every_kind_are_kept(mainframe, message, query, answer):
    say(mainframe, message)
    assert ask(mainframe, query) == answer


@pytest.mark.parametrize(
    ("command", "kinds"),
    [("TTI", "TI"), ("TTV", "TV"), ("TIV", "IV"), ("TTIV", "TIV")],
)
def test_timed_spot_measurements(mainframe, command, kinds):
    """The time stands ahead of the readings; ``TSQ`` asks for it alone."""
    say(mainframe, "CN 1;TSR;PA 0.5")
    data = ask(mainframe, f"{command} 1").split(",")
    assert "".join(field[2] for field in data) == kinds
    assert ask(mainframe, "TSQ").startswith("NAT+50")


def test_integration_takes_its_time(mainframe):
    """One power line cycle is 20 ms."""
    say(mainframe, "CN 1;AV -2")
    started = mainframe.station.clock.now
    ask(mainframe, "TI 1")
    assert mainframe.station.clock.now - started == pytest.approx(40e-3, rel=0.01)
    say(mainframe, "AAD 1,1;AIT 1,2,3")
    started = mainframe.station.clock.now
    ask(mainframe, "TI 1")
    assert mainframe.station.clock.now - started == pytest.approx(60e-3, rel=0.01)


def test_lines_that_are_no_commands(mainframe):
    """Empty ones are nothing; one that never ends is an overrun."""
    assert ask(mainframe, " ; ;") == ""
    assert ask(mainframe, "ERRX?") == NO_ERROR
    ask(mainframe, "123")
    assert ask(mainframe, "ERRX? 1") == "+100"
    mainframe.receive(b"A" * (5 * 2**20))
    assert ask(mainframe, "ERRX? 1") == "+150"
    for _ in range(40):
        ask(mainframe, "XYZ")
    assert len(mainframe.errors) == 30
    mainframe.restore_defaults()
    assert len(mainframe.errors) == 30
