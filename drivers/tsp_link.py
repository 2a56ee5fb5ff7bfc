"""The link to a TSP instrument, brought back in step: whatever was left on it is dropped."""

from collections.abc import Callable

from crossbar.errors import ReplyError

IN_STEP = "in step"
MAX_STALE_REPLIES = 1000


def synchronize(write: Callable[[str], object], read: Callable[[], str], instrument: str) -> None:
    """Stop a running script, drop unread replies and old errors, and silence prompts.

    Afterwards the next reply answers the next query, whatever an earlier program or a timeout left
    behind. Raises ReplyError if the instrument does not stop replying.
    """
    write("abort")  # also ends a script whose endscript never came
    write("*CLS")
    write(f'localnode.prompts = 0 localnode.showerrors = 0 print("{IN_STEP}")')
    for _ in range(MAX_STALE_REPLIES):
        if read().strip() == IN_STEP:
            return
    raise ReplyError(
        f"The {instrument} kept sending other replies ({MAX_STALE_REPLIES} of them) when asked to "
        "print a mark. Power it down and up again."
    )
