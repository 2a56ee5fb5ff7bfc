"""Documentation that would rot if nobody ran it."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from crossbar.defect_map import CellClass
from crossbar.units import format_quantity
from drivers.catalog import DRIVERS, load_driver
from drivers.pulse_range import PulseRange
from lab.cli import app
from lab.configuration import BenchConfiguration, built_in_text

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_docs(name):
    """A command that nobody can find might as well not exist."""
    assert COMMANDS[name].help
    assert f"lab {name}" in (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("name", DRIVERS)
def test_every_instrument_has_its_line(name):
    """Written by ``pytest --instruments-table=docs/instruments.md``."""
    table = (ROOT / "docs" / "instruments.md").read_text()
    assert f"| [`{name}`](instruments/{name}.md) |" in table


@pytest.mark.parametrize("name", DRIVERS)
def test_every_instrument_has_its_page(name):
    """What a page tells to write into bench.toml is a bench, and its ranges are the driver's."""
    text = (ROOT / "docs" / "instruments" / f"{name}.md").read_text()
    assert f"`{name}`" in text.splitlines()[0]

    (block,) = re.findall(r"```toml\n(.+?)```", text, re.DOTALL)
    fragment, bench = tomllib.loads(block), tomllib.loads(built_in_text())
    for table, keys in fragment.items():
        bench[table] |= keys
    role = DRIVERS[name].role
    assert BenchConfiguration.model_validate(bench).instruments[role].driver == name
    assert fragment["instruments"][role]["address"] == DRIVERS[name].address

    driver = load_driver(name)
    for reach in (getattr(driver, key, None) for key in ("reach", "pulse_range")):
        if isinstance(reach, PulseRange):
            assert f"{reach.largest:g} V" in text
            assert format_quantity(reach.shortest, "s") in text


def test_the_readme_shows_the_two_commands():
    """One installs and runs the main job, one installs and passes the tests."""
    blocks = re.findall(r"<!-- (run|test) -->\n```\n(.+?)\n```", README, re.DOTALL)

    assert [kind for kind, _ in blocks] == ["run", "test"]
    assert "lab demo" in blocks[0][1]
    assert "pytest" in blocks[1][1]


def test_links_between_pages_lead_somewhere():
    """Every relative link in README and docs names a file that exists."""
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_glossary_knows_every_defect_class():
    """Words on reports and in code are the same words."""
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    for kind in CellClass:
        if kind is not CellClass.HEALTHY:
            assert kind.name.replace("_", " ").lower() in glossary


def test_the_page_on_wires_prints_what_it_says(capsys):
    """Its programs run, and the second one's figures are those on the page."""
    page = (ROOT / "docs" / "wires.md").read_text()
    for program in re.findall(r"```python\n(.+?)```", page, re.DOTALL):
        exec(program, {})

    assert capsys.readouterr().out in page


def test_the_license_and_version_are_declared():
    """What PyPI would show."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "MIT"
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
