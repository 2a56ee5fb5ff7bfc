"""What pages of the manual have in common, whatever the family of their instruments."""

from collections.abc import Iterable
from typing import Any

import pytest

Message = tuple[str, str | None]
"""What is sent, and the reply."""


def cases(pages: Iterable[Any], field: str) -> list[Any]:
    """A test's parameters: every entry of this field of every page, behind its page."""
    return [
        pytest.param(page, *case, id="-".join([page.name, *_words(case)]))
        for page in pages
        for case in getattr(page, field)
    ]


def _words(case: Iterable[Any]) -> list[str]:
    return [str(value) for value in case if isinstance(value, str | float)][:2]
