"""Messages to an emulated SCPI instrument, and its replies."""


def ask(instrument, *messages):
    """Send bytes; all that was answered, as text without the last line feed."""
    for message in messages:
        instrument.receive(message + b"\n")
    reply = b"".join(instrument.replies)
    instrument.replies.clear()
    return reply.decode("latin-1").removesuffix("\n")


def numbers(text):
    """Of a reply with several fields."""
    return [float(field) for field in text.split(",")]
