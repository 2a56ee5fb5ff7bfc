"""Documentation that would rot if nobody ran it."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from crossbar.defect_map import CellClass
from drivers.catalog import DRIVERS
from lab.cli import app

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
    """Written by ``pytest --instruments-table docs/instruments.md``."""
    assert f"| `{name}` |" in (ROOT / "docs" / "instruments.md").read_text()


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


def test_the_license_and_version_are_declared():
    """What PyPI would show."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "MIT"
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
