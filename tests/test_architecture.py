"""Rules that a reviewer would otherwise have to remember."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.catalog import DRIVERS
from simulated_instruments.catalog import EMULATORS

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "analysis",
    "crossbar",
    "db",
    "drivers",
    "lab",
    "physics",
    "protocols",
    "simulated_instruments",
    "training",
)
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
VAGUE = {"utils", "helpers", "common", "manager", "base", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_for_what_it_holds(path):
    """400 lines is the wall, and a module says in its first line what it is for."""
    text = path.read_text()

    assert len(text.splitlines()) <= 400
    assert path.stem not in VAGUE
    assert ast.get_docstring(ast.parse(text)) or "versions" in path.parts


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(path):
    """50 lines is the wall for a function, its docstring not counted; migrations are history."""
    if "versions" in path.parts:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 50, f"{node.name} has {length} lines"


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_is_complete(name):
    """Driver, emulator, a test of each, and the verbs that the bench relies on."""
    module, _, class_name = DRIVERS[name].target.partition(":")
    driver = getattr(importlib.import_module(module), class_name)

    assert name in EMULATORS
    assert (ROOT / "tests" / "drivers" / f"test_{name}.py").exists()
    assert (ROOT / "tests" / "simulated_instruments" / f"test_{name}.py").exists()
    for verb in ("identity", "check_identity", "check_errors", "protections", "off"):
        assert hasattr(driver, verb), f"{class_name} lacks {verb}"


@pytest.mark.parametrize(
    "module",
    ["lab.cli", "lab.session", "lab.runs", "lab.bench", "db.store", "protocols.catalog"]
    + [entry.target.partition(":")[0] for entry in DRIVERS.values()],
)
def test_torch_is_not_imported_on_the_measuring_path(module):
    """A bench computer measures without waiting for torch."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.stem)
def test_every_benchmark_finds_what_it_imports(path):
    """Nobody runs them all after a change of names; peers they import only where they use them."""
    importlib.import_module(f"benchmarks.{path.stem}")
