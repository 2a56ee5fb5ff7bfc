import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_instruments.scpi import ScpiInstrument, Setting, scpi
from simulated_instruments.scpi_grammar import (
    ScpiError,
    as_block,
    block,
    boolean,
    header_pattern,
    integer,
    number,
    one_of,
    split,
    word,
)


class Oven(ScpiInstrument):
    """A made-up instrument that uses every part of the language."""

    IDENTITY = "Maker,Oven,7,1.0"

    high = Setting("[SOURce:]VOLTage{1-2}:HIGH", number("V", -5.0, 5.0), 1.0)
    low = Setting("[SOURce:]VOLTage{1-2}:LOW", number("V", -5.0, 5.0), 0.0)
    enabled = Setting("OUTPut[:STATe]", boolean, False)
    fired = 0

    def check_settings(self):
        if self.high < self.low:
            raise ScpiError(-221, "high is below low")

    def trigger(self):
        self.fired += 1

    @scpi("DATA:UPLoad", integer(0, 9), block)
    def upload(self, slot, data):
        self.uploaded = (slot, data)

    @scpi("DATA:UPLoad?")
    def download(self):
        return as_block(self.uploaded[1])


@pytest.fixture
def oven():
    instrument = Oven()
    instrument.receive(b"*CLS\n")
    return instrument


def ask(instrument, message):
    instrument.receive(message.encode("latin-1") if isinstance(message, str) else message)
    instrument.receive(b"\n")
    replies = b"".join(instrument.replies).decode("latin-1")
    instrument.replies.clear()
    return replies


@pytest.mark.parametrize(
    "header",
    ["VOLT:HIGH", ":volt1:high", "VOLTAGE1:HIGH", "sour:VOLT2:HIGH", "SOURCE:VOLTage:HIGH"],
)
def test_long_and_short_forms_optional_nodes_and_suffixes_are_one_command(oven, header):
    """In either case of letters."""
    ask(oven, f"{header} 2.5")

    assert oven.high == 2.5


@pytest.mark.parametrize("header", ["VOLTA:HIGH 1", "VOLTAG:HIGH 1", "HIGH 1", "VOLT:HIG 1"])
def test_other_abbreviations_are_undefined(oven, header):
    """SCPI knows two forms and nothing in between."""
    assert ask(oven, f"{header};:SYST:ERR?").startswith('-113,"Undefined header')


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("NONSENSE", -113),
        ("VOLT3:HIGH 1", -114),
        ("VOLT:HIGH", -109),
        ("VOLT:HIGH 1,2", -108),
        ("VOLT:HIGH much", -104),
        ("VOLT:HIGH 1S", -131),
        ("VOLT:HIGH 5.1", -222),
        ("VOLT:HIGH 1e999", -222),
        ("VOLT:HIGH nan", -104),
        ("VOLT:HIGH -1", -221),
        ("OUTP maybe", -104),
        ("DATA:UPL 1,abc", -161),
        ("DATA:UPL 1.5,#10", -104),
        ("*ESE 256", -222),
    ],
)
def test_each_mistake_has_its_number(oven, message, error):
    """Nothing changes, and the error queue says what was wrong."""
    reply = ask(oven, f"{message}\n:SYST:ERR?")

    assert re.match(rf'{error},"', reply)
    assert (oven.high, oven.low, oven.enabled) == (1.0, 0.0, False)


@pytest.mark.parametrize(
    ("text", "volts"),
    [("1.2V", 1.2), ("600MV", 0.6), ("600 mv", 0.6), ("1e-1", 0.1), (".5", 0.5), ("+2.", 2.0)],
)
def test_numbers_may_carry_units(oven, text, volts):
    """With multipliers, with and without a space."""
    ask(oven, f"VOLT:HIGH {text}")

    assert oven.high == pytest.approx(volts, rel=1e-15)


def test_m_means_mega_before_hertz_only():
    """SCPI's one irregular prefix."""
    assert number("HZ", 0, 1e9)(b"3MHZ") == 3e6
    assert number("S", 0, 1e9)(b"3MS") == 3e-3
    assert number("S", 0, 1e9)(b"100NS") == pytest.approx(100e-9, rel=1e-15)


def test_a_unit_of_a_message_inherits_the_path_before_it(oven):
    """A leading colon goes back to the root; a common command does not."""
    ask(oven, ":VOLT:HIGH 3;LOW 2;*CLS;LOW 1.5;:OUTP ON")

    assert (oven.high, oven.low, oven.enabled) == (3.0, 1.5, True)


def test_several_queries_are_answered_by_one_reply(oven):
    """Joined by semicolons, with one terminator."""
    oven.receive(b"VOLT:HIGH?;LOW?;:OUTP?;*IDN?\n")

    assert list(oven.replies) == [b"+1.000000000E+00;+0.000000000E+00;0;Maker,Oven,7,1.0\n"]


def test_after_an_error_only_status_is_answered(oven):
    """A trigger does not follow a setting that was refused."""
    reply = ask(oven, "VOLT:HIGH 99;*TRG;:OUTP?;:SYST:ERR?")

    assert reply == '-222,"Data out of range;99 is not -5 to 5 V"\n'
    assert oven.fired == 0


def test_settings_and_triggers_act_in_order(oven):
    """Without an error everything in a message happens."""
    ask(oven, "VOLT:HIGH 2;*TRG;*TRG")

    assert (oven.high, oven.fired) == (2.0, 2)


def test_reset_restores_defaults(oven):
    """Of every setting."""
    ask(oven, "VOLT:HIGH 3;:OUTP ON;*RST")

    assert (oven.high, oven.enabled) == (1.0, False)


def test_blocks_travel_unharmed_both_ways(oven):
    """Whatever they hold: separators, quotes, line feeds."""
    data = bytes(range(256)) * 3 + b"\n;,#\"'"
    reply = ask(oven, b"DATA:UPL 3," + as_block(data) + b";UPL?;:SYST:ERR?")

    assert oven.uploaded == (3, data)
    assert reply.encode("latin-1") == as_block(data) + b';+0,"No error"\n'


def test_the_error_queue_is_first_in_first_out_and_overflows(oven):
    """The newest entry gives way to -350."""
    for _ in range(19):
        ask(oven, "BAD")
    ask(oven, "VOLT:HIGH 99")
    ask(oven, "OUTP 7")

    assert ask(oven, "SYST:ERR:COUN?") == "20\n"
    entries = [ask(oven, "SYST:ERR?") for _ in range(21)]
    assert entries[0] == '-113,"Undefined header;BAD"\n'
    assert entries[19:] == ['-350,"Queue overflow"\n', '+0,"No error"\n']


def test_status_registers_follow_the_errors(oven):
    """Command errors set bit 5, execution errors bit 4; reading clears them."""
    ask(oven, "*ESE 48;*SRE 32;:BAD")
    ask(oven, "VOLT:HIGH 99")

    assert oven.status_byte() == 0x04 | 0x20 | 0x40
    assert ask(oven, "*ESR?;*ESR?") == "48;0\n"
    assert ask(oven, "*ESE?;*SRE?;*OPC?;*TST?") == "48;32;1;0\n"
    ask(oven, "*CLS;*OPC")
    assert ask(oven, "*ESR?;*STB?") == "1;0\n"


def test_words_and_choices_refuse_everything_else():
    """With the list of what is allowed."""
    assert word("IMMediate", "EXTernal")(b" imm ") == "IMM"
    assert word("IMMediate", "EXTernal")(b"EXTERNAL") == "EXT"
    with pytest.raises(ScpiError, match="one of IMMediate EXTernal"):
        word("IMMediate", "EXTernal")(b"IMME")
    assert one_of(1e-3, 2e-3)(b"2e-3") == 2e-3
    with pytest.raises(ScpiError, match=r"one of 0\.001 0\.002"):
        one_of(1e-3, 2e-3)(b"1.5e-3")


@given(pieces=st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_splitting_respects_blocks(pieces):
    """Blocks joined by any separator come apart where they were joined."""
    framed = [as_block(piece) for piece in pieces]

    for separator in (b";", b","):
        assert split(separator.join(framed), separator) == framed


def test_quoted_separators_do_not_split():
    """Strings may hold anything but their own quote."""
    assert split(b"A \"x;y\";B 'a;b';C", b";") == [b'A "x;y"', b"B 'a;b'", b"C"]


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=80))
def test_random_bytes_never_raise(data):
    """They end in the error queue at worst."""
    oven = Oven()
    oven.receive(data, end=True)
    oven.clear()
    oven.receive(b"*CLS;*IDN?\n")

    assert b"".join(oven.replies).endswith(b"Maker,Oven,7,1.0\n")


def test_declarations_read_as_in_the_manual():
    """Capitals, optional nodes, suffixes."""
    pattern, suffixes = header_pattern("[SOURce:]PULSe:WIDTh{1-2}?")

    assert pattern.fullmatch(b"SOUR:PULSE:WIDT2?")[1] == b"2"
    assert suffixes == [range(1, 3)]


def test_known_headers_are_looked_up_once_and_unknown_ones_not_kept(oven):
    """A flood of nonsense does not fill the memory."""
    for index in range(100):
        ask(oven, f":VOLT{index % 2 + 1}:LOW 0;:NONSENSE{index}?")

    known = set(oven._known_headers)
    assert {b"VOLT1:LOW", b"VOLT2:LOW"} <= known
    assert not [header for header in known if header.startswith(b"NONSENSE")]
