"""`lab fit` on imported files: fits with intervals, what is contradicted, and extrapolations."""

import json

import numpy as np
import pytest


def counted(seed=1, width=0.03, attempts=200):
    """A CSV of counts that fall as a logistic curve with its middle at 0.9 V."""
    amplitude = np.linspace(0.8, 1.0, 9)
    rate = 1 / (1 + np.exp((amplitude - 0.9) / width))
    errors = np.random.default_rng(seed).binomial(attempts, rate)
    lines = [f"0,{v:.3f},10,{attempts},{k}" for v, k in zip(amplitude, errors, strict=True)]
    return "\n".join(["cell,amplitude (V),width (ns),attempts,errors", *lines]) + "\n"


def cycled(seed=1):
    """Twelve cells, thirty cycles, in the format of the HfOx files."""
    random = np.random.default_rng(seed)
    log_r = np.tile([11.4, 8.5], 30) + np.tile([0.7, 0.06], 30) * random.normal(size=(12, 60))
    return "".join(
        "\t".join([f"{200 + cell}.000", *(f"{r:.3f}" for r in np.exp(row))]) + "\n"
        for cell, row in enumerate(log_r)
    )


def rows(result, kind):
    """The fits of one kind that a command printed as JSON."""
    assert result.returncode == 0, result.stderr
    return [fit for fit in json.loads(result.stdout)["fits"] if fit["kind"] == kind]


def test_an_extrapolation_carries_its_interval_and_grounds(lab, tmp_path):
    """The true curve's interval holds the truth; the envelope those of all curves that fit."""
    (tmp_path / "w.csv").write_text(counted())
    assert lab("import", "csv", "w.csv").returncode == 0
    result = lab("fit", "1", "--extrapolate", "1e-6", "--json")
    (row,) = rows(result, "WER 1e-06 at 10 ns")

    _, low, high = row["parameters"]["logistic"]
    truth = 0.9 + 0.03 * np.log(1e6)
    assert low < truth < high
    assert row["p_values"]["logistic"] > 0.05
    _, least, most = row["parameters"]["all that fit"]
    for name, p_value in row["p_values"].items():
        if p_value > 0.05:
            assert least <= row["parameters"][name][1] <= row["parameters"][name][2] <= most
    assert rows(result, "switching")

    shown = lab("fit", "1", "--extrapolate", "1e-6", "--width", "10 ns").stdout
    assert "all that fit" in shown
    assert "holds" in shown
    other = lab("fit", "1", "--extrapolate", "1e-6", "--width", "20 ns")
    assert other.returncode == 7
    assert "no write errors at 20 ns" in other.stderr


def test_cycling_is_fitted_as_one_population(lab, tmp_path):
    """Spreads with intervals, claims with p-values, the same each time."""
    (tmp_path / "c.csv").write_text(cycled())
    assert lab("import", "hfox-cycling", "c.csv").returncode == 0
    first, second = (lab("fit", "1", "--json") for _ in range(2))
    (row,) = rows(first, "cycling")

    assert first.stdout == second.stdout
    assert row["cell"] is None
    _, low, high = row["parameters"]["high_cycle_to_cycle"]
    assert low < 0.75
    assert high > 0.6
    assert set(row["p_values"]) == {
        f"{state}_{claim}" for state in ("low", "high") for claim in ("log_normal", "independent")
    }


def test_trains_of_ones_own_table_are_fitted_as_what_they_are(lab, tmp_path):
    """Alternating pulses in a CSV are cycling; three steps of one cell suffice for nothing."""
    lines = ["cell,pulses,amplitude,width,resistance"]
    for row in cycled().splitlines():
        cell, *readings = row.split("\t")
        lines += [f"{float(cell):g},1,{(-1, 1)[k % 2]},1e-7,{r}" for k, r in enumerate(readings)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    (tmp_path / "short.csv").write_text("\n".join(lines[:4]))
    assert lab("import", "csv", "t.csv", "--set", "technology=hfox").returncode == 0
    assert lab("import", "csv", "short.csv").returncode == 0

    (row,) = rows(lab("fit", "1", "--json"), "cycling")
    assert row["parameters"]["low_median"][0] == pytest.approx(np.exp(8.5), rel=0.05)
    short = lab("fit", "2")
    assert short.returncode == 7
    assert "Run 2 holds nothing that can be fitted" in short.stderr


def test_what_is_not_fitted_says_so(lab, tmp_path):
    """A single condition makes no curve; a run that does not exist; a rate that is none."""
    name = "pulse width_0.750 ns  V_SOT 880.0 mV.txt"
    (tmp_path / name).write_text("1\t4000\t8100\t1\n2\t4010\t4020\t0\n")
    assert lab("import", "mtj-shots", name).returncode == 0

    shots = lab("fit", "1")
    assert shots.returncode == 7
    assert "Run 1 (imported mtj-shots) on a wafer of mtj cells is not fitted" in shots.stderr
    assert lab("fit", "9").returncode == 6
    wrong = lab("fit", "1", "--extrapolate", "tiny")
    assert wrong.returncode == 2
    assert "'tiny' is not a quantity" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "pattern", "kind", "contradicted", "held"),
    [
        ("hfox-cycling", "hfox-1t1r-sweeps/cycling-*.csv", "cycling", 4, 0),
        ("hfox-reset-sweep", "hfox-1t1r-sweeps/reset-*.csv", "RESET sweeps", 0, 1),
        ("rram-drift", "rram-skywater/1T4R_*.csv", "drift", 1, 0),
    ],
)
def test_published_cells_contradict_what_docs_say_they_do(
    name, pattern, kind, contradicted, held, lab, data_dir
):
    """The verdicts of docs/real-cells.md."""
    (path,) = (data_dir / "measured-cells").glob(pattern)
    assert lab("import", name, str(path)).returncode == 0
    (row,) = rows(lab("fit", "1", "--json"), kind)

    assert len(row["flags"]) == contradicted
    assert len(row["p_values"]) == contradicted + held


def test_published_switching_is_extrapolated_with_all_that_is_open(lab, data_dir):
    """Cell B towards P: three curves describe 50 trials a point, and 1e-9 lies between 0.9 and
    1.3 V; cell A towards AP contradicts all four.
    """
    path = str(data_dir / "measured-cells" / "mtj-sot" / "measured_0p75ns.csv")
    corrected = ("--set", "attempts=50", "--set", "swap_directions=true")
    assert lab("import", "mtj-switching-table", path, *corrected).returncode == 0
    result = lab("fit", "1", "--extrapolate", "1e-9", "--json")
    found = {(fit["cell"], fit["target"]): fit for fit in rows(result, "WER 1e-09 at 750 ps")}

    assert found[1, "low"]["flags"] == ["exponential tail"]
    _, low, high = found[1, "low"]["parameters"]["all that fit"]
    assert 0.9 < low < 1.0
    assert 1.2 < high < 1.3
    assert len(found[0, "high"]["flags"]) == 4
    assert "all that fit" not in found[0, "high"]["parameters"]


def test_the_report_shows_imported_counts(lab, tmp_path):
    """Write errors that others counted stand on the page like our own, and say so."""
    (tmp_path / "w.csv").write_text(counted())
    assert lab("import", "csv", "w.csv").returncode == 0
    assert lab("report").returncode == 0

    page = (tmp_path / "report.html").read_text()
    assert "1,800 attempts, counted by others and imported" in page
    assert "Wafer w" in page
