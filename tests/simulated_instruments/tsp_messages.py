"""Messages to an emulated instrument that runs scripts, and its answers."""

BUFFERED = (
    "smua.nvbuffer1.clear() smua.nvbuffer1.appendmode = 1 smua.nvbuffer1.collectsourcevalues = 1",
    "smua.trigger.measure.i(smua.nvbuffer1) smua.trigger.measure.action = 1",
    "smua.trigger.source.action = 1 smua.measure.nplc = 0.01 smua.measure.delay = 0",
    "smua.source.output = 1",
)
"""A sweep of the first channel: its readings go to its first buffer, with the levels."""


def ask(instrument, *messages) -> str:
    """Send messages; all that was answered, line by line."""
    for message in messages:
        instrument.receive(message.encode() + b"\n")
    answer = b"".join(instrument.replies).decode("latin-1")
    instrument.replies.clear()
    return answer


def numbers(instrument, *messages) -> list[float]:
    """The numbers of an answer."""
    return [float(text) for text in ask(instrument, *messages).replace(",", " ").split()]


def error_codes(instrument) -> list[int]:
    """Empty the error queue."""
    codes = [entry.code for entry in instrument.errors.entries]
    instrument.errors.clear()
    return codes
