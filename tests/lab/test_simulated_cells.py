import pytest

from crossbar.errors import ConfigurationError
from lab.configuration import built_in_text, read_configuration, write_configuration


def configured(tmp_path, text):
    path = tmp_path / "bench.toml"
    path.write_text(built_in_text() + text)
    return read_configuration(path)[0]


def test_the_cells_of_a_simulated_wafer_can_be_described(tmp_path):
    """[simulation.mtj] takes medians, temperature, laws and anomalies, with their units."""
    found = configured(
        tmp_path,
        '[simulation.mtj]\ntemperature = "358 K"\nvc0_low = "0.4 V"\n'
        "laws = { barrier_exponent = 1 }\n[simulation.mtj.anomalies]\nback_hopping = 0.1\n",
    )
    cells = found.simulation.mtj
    assert (cells.temperature, cells.vc0_low, cells.delta) == (358.0, 0.4, 60.0)
    assert cells.laws.barrier_exponent == 1
    assert cells.anomalies.back_hopping == 0.1

    again = tmp_path / "again.toml"
    write_configuration(found, again)
    assert read_configuration(again)[0] == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[simulation.mtj]\nvc0 = 0.4\n", "vc0: unknown key"),
        ('[simulation.mtj]\ntemperature = "2000 K"\n', "Curie"),
        ("[simulation.mtj.laws]\nbarrier_exponent = 4\n", "barrier_exponent"),
        ("[analysis]\nbarrier_exponent = 4\n", "barrier_exponent"),
    ],
)
def test_impossible_cells_are_refused(tmp_path, text, message):
    """One message that names the place."""
    with pytest.raises(ConfigurationError, match=message):
        configured(tmp_path, text)
