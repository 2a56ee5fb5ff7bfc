"""Binary blocks and reading buffers, against the manual and against the emulator."""

import struct

import pytest
from pymeasure.test import expected_protocol

from crossbar.errors import ConfigurationError, ReplyError
from drivers.keithley_2600b import Keithley2600B
from drivers.keithley_2600b_buffers import ask_block, read_buffer
from drivers.visa import connect

CELL = 12
ADDRESS = "GPIB0::26::INSTR"


@pytest.fixture
def bench(bench_with):
    return bench_with("keithley_2600b", ADDRESS, CELL)


@pytest.fixture
def smu(bench) -> Keithley2600B:
    driver = Keithley2600B(connect(ADDRESS, role="smu", visa_library=bench.visa_library))
    driver.check_identity()
    driver.prepare(1e-3, nplc=0.01)
    return driver


@pytest.mark.parametrize("tcp", [False, True])
def test_binary_blocks_may_hold_line_feeds(bench, tcp):
    """Every byte of these numbers looks like the end of the answer."""
    line_feeds = struct.unpack("<d", b"\n" * 8)[0]
    with bench.serve() as addresses:
        address, library = (addresses[ADDRESS], "@py") if tcp else (ADDRESS, bench.visa_library)
        adapter = connect(address, role="smu", visa_library=library, timeout=2.0)
        driver = Keithley2600B(adapter)
        driver.write(f"x = {line_feeds!r}")

        assert ask_block(driver, "printnumber(x, 1, x)", 3).tolist() == [line_feeds, 1, line_feeds]
        assert float(driver.ask("print(7)")) == 7
        adapter.close()


@pytest.mark.parametrize("reply", [b"1.0e+00, 2.0e+00\n", b"#0" + bytes(8) + b"x"])
def test_what_is_no_block_raises(reply):
    """Text, or a block without its end."""
    reply = reply.ljust(11, b" ")[:11]
    sent = (
        b"format.data = format.REAL64 format.byteorder = format.LITTLEENDIAN "
        b"printnumber(1) format.data = format.ASCII"
    )
    with (
        expected_protocol(Keithley2600B, [(sent, reply)]) as driver,
        pytest.raises(ReplyError, match="block of 1 binary numbers"),
    ):
        ask_block(driver, "printnumber(1)", 1)


def test_buffers_of_other_programs(smu):
    """Empty, absent, and without what is needed."""
    smu.write("b = smua.makebuffer(5) b.collectsourcevalues = 1")
    assert len(read_buffer(smu, "b")) == 0
    smu.write("smua.source.levelv = 0.1 smua.measure.i(b) smua.source.levelv = 0")
    assert read_buffer(smu, "b").source_values.tolist() == [0.1]
    smu.write("c = smua.makebuffer(5)")
    with pytest.raises(ConfigurationError, match="collect"):
        read_buffer(smu, "c")
    with pytest.raises(ReplyError, match=r"no reading buffer smua\.absent"):
        read_buffer(smu, "smua.absent")
    with pytest.raises(ConfigurationError, match="name of a reading buffer"):
        read_buffer(smu, "c) reset(")
