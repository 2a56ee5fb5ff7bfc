"""What stands in for a maker's own Python package has the package's methods."""

import inspect

import pytest

from simulated_instruments.arc_two import EmulatedArcTwo
from simulated_instruments.nist_daffodil import EmulatedNistDaffodil
from tests.simulated_instruments.transcripts import rows


@pytest.mark.parametrize(
    ("stand_in", "package"), [(EmulatedArcTwo, "pyarc2"), (EmulatedNistDaffodil, "daffodillib")]
)
def test_signatures_are_the_published_ones(stand_in, package):
    """Every method of the stand-in has the parameters of the package's, in their order."""
    published = {row["method"]: row["parameters"].split() for row in rows(f"{package}_signatures")}
    own = {
        name: list(inspect.signature(method).parameters)[1:]
        for name, method in inspect.getmembers(stand_in, inspect.isfunction)
        if not name.startswith("_")
    }

    assert len(own) > 15
    assert own == {name: published[name] for name in own}
