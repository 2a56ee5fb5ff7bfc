"""The emulator against the manual, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated_instruments.keithley_707b import EmulatedKeithley707B
from tests.simulated_instruments.stations import matrix_station
from tests.simulated_instruments.transcripts import rows
from tests.simulated_instruments.tsp_messages import ask, error_codes


@pytest.fixture
def station():
    return matrix_station()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("*IDN?", "Keithley Instruments Inc., Model 707B, 1291357, 1.02e\n"),
        ("*OPC?", "1\n"),
        ("print(errorqueue.next())", "0.00000e+00\tQueue Is Empty\t0.00000e+00\t1.00000e+00\n"),
        ("print(localnode.model, gpib.address)", "707B\t1.60000e+01\n"),
        ('print(channel.getclose("allslots"))', "nil\n"),
        ("print(channel.connectrule)", "1.00000e+00\n"),
        ("print(channel.BREAK_BEFORE_MAKE, channel.OFF)", "1.00000e+00\t0.00000e+00\n"),
        ("channel.connectrule = 2 print(channel.connectrule)", "2.00000e+00\n"),
        ("print(channel.connectsequential)", "0.00000e+00\n"),
        ("print(channel.createspecifier(1, 1, 1))", "1A01\n"),
        ('print(channel.gettype("1A01,1A02"))', "1,1\n"),
        ('print(channel.getlabel("1A01"))', "1A01\n"),
        ('print(channel.getforbidden("slot1"))', "\n"),
        ('print(channel.getdelay("1A07,1B05"))', "0.00000e+00,0.00000e+00\n"),
        ("print(slot[1].pseudocard, slot.PSEUDO_NONE)", "nil\t0.00000e+00\n"),
        ("print(slot[3].poles.two, slot[3].poles.four)", "1.00000e+00\tnil\n"),
        ("timer.reset() delay(0.25) print(timer.measure.t())", "2.50000e-01\n"),
        ("print(os, io, debug, require, scan)", "nil\tnil\tnil\tnil\tnil\n"),
        ("printnumber(1, 2.5)", "1.00000e+00, 2.50000e+00\n"),
    ],
)
def test_answers(matrix, sent, answered):
    """Queries are answered as the manual prints them."""
    assert ask(matrix, sent) == answered
    assert error_codes(matrix) == []


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (  # channel.close()
            'channel.open("allslots") channel.pattern.setimage("1B02,1B04,1B06", "Chans") '
            'channel.close("1A01:1A05, 1C03, Chans") print(channel.getclose("slot1"))',
            "1A01;1A02;1A03;1A04;1A05;1B02;1B04;1B06;1C03\n",
        ),
        (  # channel.exclusiveclose()
            'channel.exclusiveclose("") channel.close("1D01,1E12") '
            'print(channel.getclose("slot1")) '
            'channel.pattern.setimage("1B02,1B04,1B06", "myChans") '
            'channel.exclusiveclose("1A01:1A05, 1C03, myChans") print(channel.getclose("slot1"))',
            "1D01;1E12\n1A01;1A02;1A03;1A04;1A05;1B02;1B04;1B06;1C03\n",
        ),
        (  # channel.exclusiveslotclose()
            'channel.open("allslots") channel.close("1A01,2A01,3A01,4A01,5A01,6A01") '
            'channel.exclusiveslotclose("3A03") print(channel.getclose("allslots"))',
            "1A01;2A01;3A03;4A01;5A01;6A01\n",
        ),
        (  # channel.getclose()
            'channelList = "1A01:1H12" channel.close("1A01") print(channel.getclose(channelList)) '
            'channel.close("1C03") print(channel.getclose(channelList))',
            "1A01\n1A01;1C03\n",
        ),
        (  # channel.setlabel()
            'channel.setlabel("1A01", "start") channel.close("start") '
            'print(channel.getclose("allslots"), channel.getlabel("1A01")) '
            'channel.setlabel("1A01", " ") print(channel.getlabel("1A01"))',
            "1A01\tstart\n1A01\n",
        ),
        (  # channel.pattern.getimage()
            'channel.pattern.setimage("1A01:1A05", "myPattern") '
            'channel.pattern.setimage("1B01,1B03,1B05", "myRoute") '
            'print(channel.pattern.getimage("myRoute, myPattern"))',
            "1B01,1B03,1B05;1A01,1A02,1A03,1A04,1A05\n",
        ),
        (  # channel.clearforbidden()
            'channel.reset("slot1") channel.setforbidden("1A01:1A05") '
            'channel.clearforbidden("1A02,1A03") print(channel.getforbidden("slot1"))',
            "1A01,1A04,1A05\n",
        ),
        (  # channel.setforbidden(): patterns with such a channel are gone
            'channel.pattern.setimage("1A01,1A02", "patternA") '
            'channel.pattern.setimage("1C01,1C02", "patternC") '
            'channel.setforbidden("1A02, 1B01") '
            'for name in channel.pattern.catalog() do print(name .. " = " .. '
            "channel.pattern.getimage(name)) end",
            "patternC = 1C01,1C02\n",
        ),
        (  # channel.setdelay(), rounded to 10 ms
            'channel.setdelay("slot1", 3.104) print(channel.getdelay("1A07,2B05,1C03"))',
            "3.10000e+00,0.00000e+00,3.10000e+00\n",
        ),
        (  # channel.getstate()
            'channel.close("3C03") if bit.bitand(channel.IND_CLOSED, '
            'tonumber(channel.getstate("3C03"))) == 1 then print(channel.getstate("3C02:3C04")) '
            "end",
            "0,1,0\n",
        ),
        (  # channel.getcount()
            'channel.close("1A01") channel.close("1A01") channel.open("1A01") '
            'channel.close("1A01,1B01") print(channel.getcount("1A01,1B01,1C01"))',
            "2,1,0\n",
        ),
        (  # channel.reset(): what else it forgets
            'channel.close("1A01,1B02") channel.pattern.snapshot("now") '
            'channel.setlabel("1A01", "x") channel.reset("1A01") '
            'print(channel.getclose("allslots"), channel.getlabel("1A01"))',
            "1B02\t1A01\n",
        ),
    ],
)
def test_examples_of_the_manual(matrix, sent, answered):
    assert ask(matrix, sent) == answered
    assert error_codes(matrix) == []


def test_pseudocards(station):
    """The manual's example, and that nothing is switched by what is not there."""
    matrix = EmulatedKeithley707B(station, cards={2: "7173"})
    assert ask(
        matrix,
        "slot[1].pseudocard = 0 print(slot[1].idn)",
        "slot[1].pseudocard = 7072 print(slot[1].idn, slot[1].pseudocard)",
    ) == ("Empty Slot\n7072,Pseudo 8x12 SemiMatrix,00.00a,????????\t7.07200e+03\n")
    assert ask(matrix, 'channel.close("1A05,1C01") print(channel.getclose("slot1"))') == (
        "1A05;1C01\n"
    )
    assert station.measured_cell is None
    ask(matrix, "slot[1].pseudocard = 0")
    assert ask(matrix, 'print(channel.getclose("slot2"))') == "nil\n"
    assert error_codes(matrix) == []
    ask(matrix, "slot[2].pseudocard = 7072")
    ask(matrix, "slot[1].pseudocard = 7174 slot[1].pseudocard = 7072")
    ask(matrix, "slot[3].pseudocard = 7070")
    assert error_codes(matrix) == [-221, -221, 1115]


def test_a_708b_has_one_slot(station):
    matrix = EmulatedKeithley707B(station, model="708B")
    assert ask(matrix, "print(slot[1].idn)").startswith("7174,8x12")
    ask(matrix, 'channel.close("2A01")')
    ask(matrix, "print(slot[2].idn)")
    assert error_codes(matrix) == [1115, -286]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ('channel.close("slot1")', 1115),
        ('channel.close("1A05, allslots")', 1115),
        ('channel.exclusiveclose("slot1")', 1115),
        ('channel.exclusiveslotclose("")', 1115),
        ('channel.close("1A05, 1A13")', 1115),
        ('channel.close("1A05, 1I01")', 1115),
        ('channel.close("1A05, 7A01")', 1115),
        ('channel.close("1A05,,1A06")', 1115),
        ('channel.close("1A05 1A06")', 1115),
        ('channel.close("1A06:1A05")', 1115),
        ('channel.close("1A05:")', 1115),
        ('channel.close("1A05, noname")', 1115),
        ('channel.exclusiveclose("1A05,1B01")', 1115),
        ('channel.getclose("")', 1115),
        ("channel.close(nil)", -104),
        ("channel.close(101)", -104),
        ("channel.close({})", -104),
        ("channel.close()", 1400),
        ('channel.close("1A05", 1)', 1105),
        ("channel.closed('1A05')", -286),
        ("channel.connectrule = 3", 1101),
        ("channel.connectrule = 'OFF'", -104),
        ("channel.IND_CLOSED = 2", -286),
        ('channel.setdelay("1A05", -1)', 1115),
        ('channel.setdelay("known", 1)', 1115),
        ('channel.setforbidden("known")', 1115),
        ('channel.pattern.setimage("1A05", "1path")', 1115),
        ('channel.pattern.setimage("1A05", "slot1")', 1115),
        ('channel.pattern.setimage("1A05", "a2345678901234567890")', 1115),
        ('channel.pattern.setimage("1A05", "label")', -221),
        ('channel.pattern.setimage("1B01", "banned")', 1115),
        ('channel.pattern.delete("unknown")', 1115),
        ('channel.setlabel("1A05", "known")', -221),
        ('channel.setlabel("1A05,1A06", "two")', 1115),
        ("channel.createspecifier(1, 9, 1)", 1115),
        ("print(slot[7].idn)", -286),
        ("slot[1].pseudocard = 7072", -221),
        ("slot[1].pseudocard = 0", -221),
        ("slot[1].idn = 'x'", -286),
        ("bit.test(1, 33)", -286),
        ("SOUR:VOLT 1", -285),
        ("while true do end", -286),
    ],
)
def test_errors(matrix, sent, code):
    """A refused command moves nothing and answers nothing."""
    ask(
        matrix,
        'channel.pattern.setimage("1H12", "known") channel.setlabel("1H11", "label") '
        'channel.setforbidden("1B01") channel.close("1H10")',
    )
    assert error_codes(matrix) == []
    assert ask(matrix, sent) == ""
    assert error_codes(matrix) == [code]
    assert ask(matrix, 'print(channel.getclose("allslots"))') == "1H10\n"


@given(data=st.binary(max_size=60))
def test_no_channel_list_is_too_strange(data):
    """Whatever is in the quotes: at most one error, and the instrument goes on."""
    matrix = EmulatedKeithley707B(matrix_station())
    content = data.replace(b"\n", b"").replace(b'"', b"").replace(b"\\", b"")
    matrix.receive(b'channel.exclusiveclose("' + content + b'")\n')
    assert len(error_codes(matrix)) <= 1
    assert ask(matrix, "print(1)") == "1.00000e+00\n"


@pytest.mark.parametrize("command", ["*RST", "reset()", "localnode.reset()"])
def test_a_reset_opens_and_forgets(matrix, station, command):
    ask(
        matrix,
        'channel.close("1A05,1C01") channel.connectrule = 0 channel.setforbidden("1B01") '
        'channel.pattern.snapshot("now") channel.setlabel("1A01", "x")',
    )
    assert station.measured_cell == 0
    ask(matrix, command)
    assert station.measured_cell is None
    ask(matrix, 'channel.close("now")')
    assert error_codes(matrix) == [1115]
    assert ask(matrix, 'print(channel.getclose("allslots"), channel.connectrule)') == (
        "nil\t1.00000e+00\n"
    )
    assert ask(matrix, 'print(channel.getforbidden("1B01"), channel.getlabel("1A01"))') == (
        "\t1A01\n"
    )


def test_prompts_and_scripts(matrix):
    """The language is the 2600B's; here only that it is wired up."""
    assert ask(matrix, "localnode.prompts = 1", "x = 1", "foo()") == "TSP>\nTSP>\nTSP?\n"
    assert ask(matrix, "localnode.prompts = 0 errorqueue.clear()") == ""
    assert ask(matrix, "loadandrunscript", "print(2)", "endscript") == "2.00000e+00\n"
    matrix.receive(b"loadscript open\n")
    matrix.clear()
    assert ask(matrix, "print(3)") == "3.00000e+00\n"
    assert matrix.status_byte() & 0x04 == 0
    ask(matrix, "foo()")
    assert matrix.status_byte() & 0x04
    assert ask(matrix, "*CLS", "*STB?") == "0.00000e+00\n"


def test_a_question_that_is_refused_is_answered_with_nil(matrix):
    """As the manual says of ``channel.getcount()``; a command has no result at all."""
    assert ask(matrix, 'print(channel.getcount("9A01"))') == "nil\n"
    assert ask(matrix, 'x = {channel.close("1A01")} print(table.getn(x))') == "0.00000e+00\n"
    assert error_codes(matrix) == [1115]


def test_what_is_closed_can_be_opened_by_its_own_list(matrix):
    """As the manual says of ``channel.exclusiveclose("")``."""
    ask(matrix, 'channel.close("1A05,1C01") channel.open(channel.getclose("allslots"))')
    assert ask(matrix, 'print(channel.getclose("allslots"))') == "nil\n"
    assert error_codes(matrix) == []


def test_the_data_queue(matrix):
    """The manual's example of ``delay()``."""
    assert ask(
        matrix,
        "dataqueue.clear() dataqueue.add(35) timer.reset() delay(0.5) dt = timer.measure.t() "
        'print("Delay time was " .. dt) print(dataqueue.count, dataqueue.next())',
    ) == ("Delay time was 0.5\n1.00000e+00\t3.50000e+01\n")
    ask(matrix, "for i = 1, dataqueue.CAPACITY + 1 do last = dataqueue.add(i) end")
    assert ask(matrix, "print(last, dataqueue.count)") == "false\t1.28000e+02\n"


def test_another_makers_messages_are_taken(matrix):
    """All of one session, ended by CR as that program ends them; rows may be digits."""
    sent = rows("sweepme_keithley_707b_commands")
    for row in sent:
        matrix.receive(row["message"].encode() + b"\r", end=True)
        assert bool(matrix.replies) == (row["reply-expected"] == "yes"), row
        assert error_codes(matrix) == [], row
        if "getclose" in row["message"]:
            assert matrix.replies[0] == b"1B01;1C01\n"
        matrix.replies.clear()
    assert len(sent) == 12
