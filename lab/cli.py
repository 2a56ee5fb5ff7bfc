"""The command `lab`. Start-up imports nothing heavy: each command imports what it uses."""

import sys
import warnings
from errno import EDQUOT, ENOSPC

import typer

from crossbar.errors import LabError
from lab.commands import columns, data, export_weights, fit, learn, measure, reproduce, set_up, show

app = typer.Typer(
    name="lab",
    help="From first touchdown on a wafer of memory dies to a graded neural network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel="Start here")(show.demo)
app.command(rich_help_panel="Start here")(set_up.init)
app.command(rich_help_panel="Bench")(set_up.check)
app.command(rich_help_panel="Bench")(set_up.simulate)
app.command(rich_help_panel="Measure")(measure.plan)
app.command(rich_help_panel="Measure")(measure.run)
app.command(rich_help_panel="Measure")(measure.resume)
app.command(rich_help_panel="Measure")(measure.replay)
app.command(rich_help_panel="Measure")(measure.status)
app.command("import", rich_help_panel="Measure")(data.import_)
app.command(rich_help_panel="Measure")(fit.fit)
app.command(rich_help_panel="Measure")(data.twin)
app.command(rich_help_panel="Learn")(learn.train)
app.command(rich_help_panel="Learn")(columns.assign)
app.command(rich_help_panel="Learn")(learn.program)
app.command(rich_help_panel="Learn")(columns.calibrate)
app.command(rich_help_panel="Learn")(learn.evaluate)
app.command("export-weights", rich_help_panel="Learn")(export_weights.export_weights)
app.command(rich_help_panel="Learn")(reproduce.reproduce)
app.command(rich_help_panel="Show")(show.report)

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM: 128 + SIGINT, by custom."""


def main() -> None:
    """Run a command; end with one clear message, never a traceback, on anything foreseen."""
    # pyvisa-py speaks up about a GPIB library that a LAN bench does not need; an address that
    # needs it ends in an error that says so.
    warnings.filterwarnings("ignore", module="gpib_ctypes")
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a service may have closed them
        # A pipe of another encoding gets the name of a "µ": "?" could be an "m" as well.
        stream.reconfigure(errors="namereplace")
    try:
        app()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.EXIT_CODE)
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        sys.stdout = None  # which would complain once more at the end
        print(
            f"error: {error.strerror}: the output or a file could not be written. What was "
            "measured before is stored. Make room, and give the command again; `lab resume` goes "
            "on with a run.",
            file=sys.stderr,
        )
        sys.exit(LabError.EXIT_CODE)
    except SystemExit as ending:  # typer's way of passing on Ctrl-C, after every `finally`
        if ending.code == INTERRUPTED:
            print(
                "Interrupted. Outputs are off, and what was done is stored: `lab resume` goes on "
                "with a run, the same command with `lab reproduce`.",
                file=sys.stderr,
            )
        raise


if __name__ == "__main__":
    main()
