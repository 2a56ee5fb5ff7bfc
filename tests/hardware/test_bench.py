"""On real instruments: pytest --bench bench.toml tests/hardware

Connect everything that the bench file names, and load a wafer whose first die may be touched and
read at 0.1 V. Nothing is written to any cell.
"""

from pathlib import Path

import pytest

from lab.bench import opened
from lab.bench_check import check_bench
from lab.configuration import read_configuration


@pytest.fixture
def bench(request):
    """The bench of ``--bench``, opened; without it the test is skipped."""
    path = request.config.getoption("--bench")
    if path is None:
        pytest.skip("no real bench: give --bench bench.toml")
    configuration, source = read_configuration(Path(path))
    with opened(configuration, source) as instruments:
        yield instruments


def test_everything_answers_and_the_first_die_is_touched(bench):
    """Identities were checked on opening; here the bus is timed and 16 cells are read."""
    findings = check_bench(bench)

    assert all(0 < line.round_trip < 1 for line in findings.instruments)
    assert findings.contact.touching
