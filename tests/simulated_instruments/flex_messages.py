"""Messages to an emulated mainframe that speaks FLEX, and its replies."""

NO_ERROR = '+0,"No Error."'


def ask(mainframe, message):
    """The reply, without the end of its line."""
    mainframe.receive(message.encode() + b"\r\n")
    reply = b"".join(mainframe.replies)
    mainframe.replies.clear()
    return reply.decode().rstrip("\r\n")


def say(mainframe, message):
    """Send what must be accepted."""
    assert ask(mainframe, message) == ""
    assert ask(mainframe, "ERRX?") == NO_ERROR
