import json
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.defect_map import CellClass
from crossbar.geometry import DieAddress
from crossbar.pulses import Pulse
from db.json_text import dumps

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False).filter(np.isfinite),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_values_come_back_exactly(value):
    """Whatever JSON has words for survives, floats to the last bit."""
    assert json.loads(dumps(value)) == value


def test_our_own_nouns_become_plain():
    """Dataclasses, enums, paths, read-only mappings and NumPy's numbers, one within another."""
    value = {
        "pulse": Pulse(amplitude=np.float32(0.5), width=3e-8),
        "rates": MappingProxyType({CellClass.OPEN: np.array([0.25, 0.5])}),
        "dies": (DieAddress(1, 2),),
        "folder": Path("a/b"),
        "cell": CellClass.WEAK,
    }

    assert json.loads(dumps(value)) == {
        "pulse": {"amplitude": 0.5, "width": 3e-8},
        "rates": {"2": [0.25, 0.5]},
        "dies": [{"x": 1, "y": 2}],
        "folder": "a/b",
        "cell": 5,
    }


@pytest.mark.parametrize(
    ("value", "error"),
    [(float("nan"), ValueError), (float("inf"), ValueError), ({1, 2}, TypeError), (int, TypeError)],
)
def test_what_json_has_no_words_for_is_refused(value, error):
    """Nothing is silently turned into text or null."""
    with pytest.raises(error):
        dumps({"x": value})
