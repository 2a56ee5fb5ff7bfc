"""Cells of known noise, the real protocol and bytes, stored records, fitted intervals."""

from benchmarks.coverage_read_noise import SPECTRUM, coverage


def test_intervals_of_the_noise_cover_the_truth(tmp_path):
    """Of five cells in both states: of the spectrum's 95 % intervals not more than one in six is
    wrong, and not more than one cell without a telegraph is called one.
    """
    counts = coverage(5, 3, tmp_path, readings=384)
    covered, of = (sum(counts[name][place] for name in SPECTRUM) for place in (0, 1))
    assert of >= 12
    assert covered / of >= 5 / 6
    assert counts["false alarm"][0] <= 1
