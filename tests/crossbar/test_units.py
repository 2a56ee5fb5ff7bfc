import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crossbar.errors import ConfigurationError
from crossbar.units import Seconds, Volts, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [
        ("30 ns", "s", 3e-8),
        ("1.2V", "V", 1.2),
        ("-450 mV", "V", -0.45),
        ("5 kOhm", "Ohm", 5e3),
        ("5 kΩ", "Ohm", 5e3),
        ("100 µS", "S", 1e-4),
        ("1e-9 s", "s", 1e-9),
        ("4.5 %", "", 0.045),
        ("0.3", "", 0.3),
    ],
)
def test_quantities_are_read_as_si_floats(text, symbol, value):
    """What people write becomes the very float that the program would write."""
    assert parse_quantity(text, symbol) == value


@pytest.mark.parametrize("text", ["30", "30 V", "ns", "", "1e999 s", "nan s", "3 xs"])
def test_a_wrong_quantity_is_refused_with_its_text(text):
    """Missing, wrong or senseless units never become a number of seconds."""
    with pytest.raises(ConfigurationError, match="unit s"):
        parse_quantity(text, "s")


@given(value=st.floats(1e-14, 1e9), sign=st.sampled_from([-1, 1]))
def test_formatting_and_parsing_agree(value, sign):
    """What the program prints, it can read: to the digits printed."""
    text = format_quantity(sign * value, "V", digits=12)

    assert parse_quantity(text, "V") == pytest.approx(sign * value, rel=1e-10)


def test_pydantic_reads_the_unit_in_the_type():
    """The same type checks files, command lines and protocol parameters."""
    assert TypeAdapter(Seconds).validate_python("20 ns") == 2e-8
    assert TypeAdapter(Volts).validate_python(0.5) == 0.5
    with pytest.raises(ValidationError, match="wrong unit"):
        TypeAdapter(Volts).validate_python("20 ns")


def test_zero_and_infinity_can_be_shown():
    """Nothing on a report crashes the formatting."""
    assert format_quantity(0.0, "V") == "0 V"
    assert "inf" in format_quantity(math.inf, "V")


@pytest.mark.parametrize("value", [math.inf, math.nan, True])
def test_what_is_no_quantity_is_refused_without_a_unit_too(value):
    """A limit of infinity is no limit, and "true" no volt."""
    with pytest.raises(ValidationError, match="unit V"):
        TypeAdapter(Volts).validate_python(value)
