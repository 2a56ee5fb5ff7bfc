"""Everything that can go wrong, as one tree.

::

    LabError                      anything this program says to its user in one clear message
      ConfigurationError          bench.toml, a command line or a parameter is wrong
      LimitError                  a stimulus is out of bounds; nothing was sent
      InstrumentError             an instrument is not as it should be
        NotConnectedError         it does not answer at its address
        WrongInstrumentError      something else answers there
        NoReplyError              a reply did not come in time: what it was doing is unknown
        ReplyError                a reply came, but makes no sense
        ReportedError             the instrument put an entry into its error queue
      ContactError                the needles do not touch the die
      EndOfWaferError             the prober has no further die
      StorageError                the database cannot be opened, read or written
      DataError                   a file with data is missing, damaged or of another format

A message says what was asked, what is allowed, who said so and what to do next.
``EXIT_CODE`` is the process's exit status when the error ends a command.
"""


class LabError(Exception):
    """Anything this program says to its user in one clear message, without a traceback."""

    EXIT_CODE = 1


class ConfigurationError(LabError):
    """A configuration file, a command line or a protocol parameter is wrong."""

    EXIT_CODE = 2


class LimitError(LabError):
    """A stimulus is out of bounds. Raised before anything is sent."""

    EXIT_CODE = 3


class InstrumentError(LabError):
    """An instrument is not as it should be."""

    EXIT_CODE = 4


class NotConnectedError(InstrumentError):
    """The instrument does not answer at its address."""


class WrongInstrumentError(InstrumentError):
    """Another instrument answers at this address."""


class NoReplyError(InstrumentError):
    """A reply did not come in time. Whatever was asked for may or may not have happened."""


class ReplyError(InstrumentError):
    """A reply came that makes no sense."""


class ReportedError(InstrumentError):
    """The instrument put an entry into its error queue."""


class ContactError(LabError):
    """The needles do not touch the die."""

    EXIT_CODE = 5


class EndOfWaferError(LabError):
    """The prober has no further die on its route."""


class StorageError(LabError):
    """The database cannot be opened, read or written."""

    EXIT_CODE = 6


class DataError(LabError):
    """A file with data is missing, damaged or of another format."""

    EXIT_CODE = 7
