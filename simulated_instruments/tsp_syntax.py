"""What a Lua 5.1 compiler accepts and the instrument's Lua 5.0 does not."""

import re

STRINGS_AND_COMMENTS = re.compile(
    r"""--\[\[.*?\]\] | --[^\n]* | \[\[.*?\]\] | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)
NEWER_THAN_50 = re.compile(r"[#%]|\[=+\[")
BYTECODE = "\x1b"


def newer_syntax(source: str) -> str | None:
    """Say what in this source Lua 5.0 does not know, as "<line>: <problem>"; None if nothing.

    Lua 5.1 brought the operators ``#`` and ``%`` and the long bracket ``[=[``. Precompiled code is
    refused as well: it could step around the sandbox.
    """
    if source.startswith(BYTECODE):
        return "1: precompiled code is not accepted"
    if not NEWER_THAN_50.search(source):
        return None
    bare = STRINGS_AND_COMMENTS.sub(lambda match: "\n" * match[0].count("\n"), source)
    found = NEWER_THAN_50.search(bare)
    if found is None:
        return None
    line = bare.count("\n", 0, found.start()) + 1
    return f"{line}: unexpected symbol near `{found[0]}'"
