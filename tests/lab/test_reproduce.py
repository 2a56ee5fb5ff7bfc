"""`lab reproduce`: a paper done again, its page, and what happens when it is cut short."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossbar.errors import ConfigurationError, DataError, StorageError
from db.store import Store
from lab.chosen_bench import chosen_bench
from lab.cli import app
from lab.reproduce.catalog import PAPERS, paper_named
from lab.reproduce.reproducing import Reproduction, reproduce, seeds_for
from tests.lab import reproduced_paper
from tests.lab.reproduced_paper import PAPER

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def coin(monkeypatch):
    """The catalog with one paper more."""
    monkeypatch.setitem(PAPERS, "coin", "tests.lab.reproduced_paper:PAPER")


@pytest.fixture
def reproduced(tmp_path):
    """Run ``lab reproduce coin --quick`` in the test's folder; returns click's result."""

    def run(*options: str):
        base = ["--database", str(tmp_path / "lab.sqlite"), "--page", str(tmp_path / "papers.md")]
        return CliRunner().invoke(app, ["reproduce", "coin", "--quick", *base, *options])

    return run


def asked(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "asked.txt").read_text().split()]


def test_every_paper_of_the_catalog_is_there_and_on_the_page():
    """Under its own name, with a time to expect; docs/papers.md has a place for its section."""
    page = (DOCS / "papers.md").read_text()
    for name in PAPERS:
        paper = paper_named(name)
        assert paper.name == name
        assert paper.minutes[True] < paper.minutes[False]
        if paper is not PAPER:
            assert page.count(f"<!-- {name} -->") == page.count(f"<!-- /{name} -->") == 1


def test_a_paper_can_be_done_again_without_a_command_line(tmp_path):
    """What comes back is its result and its core time."""
    database = str(tmp_path / "lab.sqlite")
    with Store.open(database) as store:
        reproduction = Reproduction(
            paper="coin",
            store=store,
            database=database,
            bench=chosen_bench(None, True),
            quick=True,
            seeds=(1, 2, 3),
        )
        done = reproduce(PAPER, reproduction)

    assert done.result.findings[0].holds is True
    assert 0 < reproduction.swept <= done.core_time
    assert asked(tmp_path) == [1, 2, 3]


def test_the_command_tells_and_writes_a_page(reproduced, tmp_path):
    """Claim, time, verdicts; the page has findings, tables, pictures, and how to make it again."""
    ended = reproduced("--seeds", "2")

    assert ended.exit_code == 0, ended.output
    assert "Half of the throws are heads." in ended.output
    assert "not decided" not in ended.output
    page = (tmp_path / "papers.md").read_text()
    for part in (
        "<!-- coin -->\n## A fair coin\n\nJ. Bernoulli",
        "Made by `lab reproduce coin --quick --seeds 2`: seeds 1, 2; the built-in simulated bench",
        "| edges \\| sides | 1 % | 0 % | none | no |",
        "- *edges | sides*: no edge is simulated",
        "### Throws\n\nOf one coin.\n\nEvery seed:\n\n| seed | heads |\n| --- | --- |\n| 1 | 0.",
        "![Heads over the seeds](pictures/paper-coin-1.png)",
        "| throws | 100 | time | not tried |",
        "- The coin is simulated.\n<!-- /coin -->\n",
    ):
        assert part in page
    assert (tmp_path / "pictures" / "paper-coin-1.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_command_changes_nothing_and_computes_nothing(reproduced, tmp_path):
    """Not a byte of the page or a picture, but for the time; --fresh computes again."""
    files = {}
    for options in ([], [], ["--fresh"]):
        assert reproduced(*options).exit_code == 0
        found = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
        text = (tmp_path / "papers.md").read_text()
        found["page"] = re.sub(r"[\d.]+ minutes", "", text)
        assert found == (files := files or found)

    assert asked(tmp_path) == [1, 2, 3, 1, 2, 3]


def test_only_the_papers_own_section_and_pictures_are_replaced(reproduced, tmp_path):
    """What stands around it stays, and so do other papers' pictures."""
    (tmp_path / "pictures").mkdir()
    others = ["paper-coin-toss-1.png", "paper-coins-1.png"]
    for name in [*others, "paper-coin-9.png"]:
        (tmp_path / "pictures" / name).write_text("")
    (tmp_path / "papers.md").write_text(
        "Before.\n\n<!-- coin -->\nobsolete\n<!-- /coin -->\n\n"
        "<!-- dice -->\nDice.\n<!-- /dice -->\n"
    )

    assert reproduced().exit_code == 0

    page = (tmp_path / "papers.md").read_text()
    assert page.startswith("Before.\n\n<!-- coin -->\n## A fair coin")
    assert page.endswith("<!-- /coin -->\n\n<!-- dice -->\nDice.\n<!-- /dice -->\n")
    assert "obsolete" not in page
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {*others, "paper-coin-1.png"}


def test_a_damaged_page_is_left_alone(reproduced, tmp_path):
    """What would be replaced is unknown; said before hours of work."""
    (tmp_path / "papers.md").write_text("<!-- coin -->\nobsolete\n")

    ended = reproduced()

    assert isinstance(ended.exception, DataError)
    assert "1 and 0 times. Mend the page" in str(ended.exception)
    assert (tmp_path / "papers.md").read_text() == "<!-- coin -->\nobsolete\n"
    assert not (tmp_path / "asked.txt").exists()


def test_a_page_that_is_none_says_so(reproduced, tmp_path):
    """A folder, for instance."""
    (tmp_path / "papers.md").mkdir()

    ended = reproduced()

    assert isinstance(ended.exception, StorageError)
    assert "cannot be read" in str(ended.exception)


def test_pictures_that_cannot_be_written_lose_nothing(reproduced, tmp_path):
    """What was computed is stored; with the obstacle gone, the same command only writes."""
    (tmp_path / "pictures").write_text("a file, where a folder should be")

    ended = reproduced()

    assert isinstance(ended.exception, StorageError)
    assert "worked out is in the database" in str(ended.exception)
    (tmp_path / "pictures").unlink()
    assert reproduced().exit_code == 0
    assert asked(tmp_path) == [1, 2, 3]


def test_after_an_interruption_the_same_command_goes_on(reproduced, tmp_path):
    """With what is stored."""
    (tmp_path / "interrupt").touch()
    assert reproduced().exit_code == 130
    assert asked(tmp_path) == [1, 2]
    (tmp_path / "interrupt").unlink()

    assert reproduced().exit_code == 0
    assert asked(tmp_path) == [1, 2, 2, 3]


def test_programs_get_json(reproduced):
    """Findings, tables, seeds and the page."""
    ended = reproduced("--json", "--seeds", "4")

    found = json.loads(ended.stdout)
    assert found["seeds"] == [1, 2, 3, 4]
    assert [finding["holds"] for finding in found["findings"]] == [True, False]
    assert [row[0] for row in found["tables"][0]["rows"]] == [1, 2, 3, 4]
    assert Path(found["page"]).name == "papers.md"


def test_full_and_quick_take_the_papers_own_number_of_seeds():
    """Unless told."""
    assert list(seeds_for(PAPER, True, None)) == [1, 2, 3]
    assert list(seeds_for(PAPER, False, None)) == [1, 2, 3, 4, 5]
    assert list(seeds_for(PAPER, False, 2)) == [1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bench", "hfox"], "coin is about mtj cells.* a wafer of hfox cells"),
        (["--cluster", "nowhere"], "write dask://HOST:PORT"),
        (["--torch-device", "abacus"], "torch cannot compute there"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    reproduced, tmp_path, options, message
):
    """In one message."""
    ended = reproduced(*options)

    assert isinstance(ended.exception, ConfigurationError)
    assert re.search(message, str(ended.exception))
    assert not (tmp_path / "asked.txt").exists()


def test_an_unknown_paper_is_named_with_those_that_are_known():
    """And the one that was probably meant."""
    with pytest.raises(ConfigurationError, match=r"no paper 'coim' .*coin\. Did you mean coin\?"):
        paper_named("coim")


def test_the_technology_chooses_the_built_in_bench(monkeypatch, reproduced, tmp_path):
    """A paper about HfOx gets HfOx cells."""
    import dataclasses

    hfox = dataclasses.replace(PAPER, technology="hfox")
    monkeypatch.setattr(reproduced_paper, "PAPER", hfox)

    assert reproduced().exit_code == 0
    assert isinstance(reproduced("--bench", "mtj").exception, ConfigurationError)
