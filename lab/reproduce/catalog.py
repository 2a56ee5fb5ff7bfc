"""Which papers `lab reproduce` knows. A new one is one file here and one line below."""

import difflib
import importlib
from typing import TYPE_CHECKING

from crossbar.errors import ConfigurationError

if TYPE_CHECKING:
    from lab.reproduce.paper import Paper

PAPERS: dict[str, str] = {
    "approximate-write": "lab.reproduce.approximate_write.paper:PAPER",
    "measured-dies": "lab.reproduce.measured_dies.paper:PAPER",
    "weak-reset": "lab.reproduce.weak_reset.paper:PAPER",
    "no-ecc": "lab.reproduce.no_ecc.paper:PAPER",
}
"""Name to module and variable of its `Paper`, which is imported when asked for."""


def paper_named(name: str) -> "Paper":
    """The paper of that name. Raises ConfigurationError naming those that exist."""
    wanted = name.replace("_", "-").lower()
    if wanted not in PAPERS:
        close = difflib.get_close_matches(wanted, PAPERS, n=1)
        hint = f"Did you mean {close[0]}?" if close else "docs/papers.md describes them."
        raise ConfigurationError(
            f"There is no paper {name!r} to reproduce; there are {', '.join(PAPERS)}. {hint}"
        )
    module, _, attribute = PAPERS[wanted].partition(":")
    found: Paper = getattr(importlib.import_module(module), attribute)
    return found
