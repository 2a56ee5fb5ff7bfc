"""The pages that begin with a wish: every command on them works, in a fresh folder, in order."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "wishes").glob("*.md"))
BLOCK = re.compile(r"<!-- (run|prints) -->\n```(python|text|)\n(.+?)\n```", re.DOTALL)
FRAME = re.compile(r"[│┃┏┓┗┛┡┩└┘├┤┬┴┼╇━─┳┻╋╈╞╡]")
NUMBER = re.compile(r"-?\d[\d,.e+-]*")


def words(line: str) -> str:
    """A line of output without frames and blanks, its numbers replaced: machines differ."""
    return " ".join(NUMBER.sub("#", FRAME.sub(" ", line)).split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_works(page, lab, tmp_path, monkeypatch):
    """And prints what the page says, but for the numbers."""
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    blocks = BLOCK.findall(page.read_text())
    for kind, language, text in blocks:
        if kind == "prints":
            found = {words(line) for line in printed}
            expected = [line for line in text.splitlines() if line != "..."]
            missing = [line for line in expected if words(line) not in found]
            assert not missing, "\n".join([*missing, "--- printed:", *printed])
        elif language == "python":
            caught = io.StringIO()
            with contextlib.redirect_stdout(caught):
                exec(compile(text, page.name, "exec"), {})
            printed += caught.getvalue().splitlines()
        else:
            printed += said_by(text, lab)

    elsewhere = re.findall(r"<!-- run by (\S+) -->", page.read_text())
    assert all((ROOT / test).exists() for test in elsewhere)
    assert elsewhere or {kind for kind, *_ in blocks} == {"run", "prints"}


def said_by(text: str, lab) -> list[str]:
    """Run the commands of a block, one a line; every line that they printed."""
    printed = []
    for line in text.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "lab", line
        done = lab(*arguments)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        printed += [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return printed


def test_every_wish_has_a_page_and_a_row():
    """Ten of them, each linked from the index, with the threads that asked for it."""
    index = (ROOT / "docs" / "wishes.md").read_text()

    assert len(PAGES) == 10
    for page in PAGES:
        assert f"(wishes/{page.name})" in index
        assert "Asked for in:" in page.read_text()
