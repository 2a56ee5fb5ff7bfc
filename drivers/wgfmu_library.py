"""The WGFMU instrument library ``wgfmu.dll``: its functions' signatures, and how it is loaded.

Its maker ships the library for Windows; there is none in C source or for other systems. Signatures
and constants after public programs that call it: rfebbo/WGFMU_python_bindings (commit 01c9c54) and
SweepMe's driver (`tests/reference/wgfmu_signatures.csv`). Results come back through pointers; a
one-element array serves for each, which real functions and stand-ins both write to.
"""

import ctypes
import ctypes.util
import sys
from typing import Any

from crossbar.errors import NotConnectedError, ReportedError

NAME = "Keysight WGFMU"
LIBRARY = "wgfmu"
Text, Real, Whole = ctypes.c_char_p, ctypes.c_double, ctypes.c_int
Reals, Wholes, Characters = (
    ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_int),
    ctypes.POINTER(ctypes.c_char),
)
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "WGFMU_openSession": (Text,),
    "WGFMU_closeSession": (),
    "WGFMU_initialize": (),
    "WGFMU_setTimeout": (Real,),
    "WGFMU_getChannelIdSize": (Wholes,),
    "WGFMU_getChannelIds": (Wholes, Wholes),
    "WGFMU_getErrorSummarySize": (Wholes,),
    "WGFMU_getErrorSummary": (Characters, Wholes),
    "WGFMU_setOperationMode": (Whole, Whole),
    "WGFMU_getOperationMode": (Whole, Wholes),
    "WGFMU_setForceVoltageRange": (Whole, Whole),
    "WGFMU_getForceVoltageRange": (Whole, Wholes),
    "WGFMU_setMeasureMode": (Whole, Whole),
    "WGFMU_getMeasureMode": (Whole, Wholes),
    "WGFMU_setMeasureCurrentRange": (Whole, Whole),
    "WGFMU_getMeasureCurrentRange": (Whole, Wholes),
    "WGFMU_setMeasureEnabled": (Whole, Whole),
    "WGFMU_connect": (Whole,),
    "WGFMU_disconnect": (Whole,),
    "WGFMU_clear": (),
    "WGFMU_createPattern": (Text, Real),
    "WGFMU_addVector": (Text, Real, Real),
    "WGFMU_addVectors": (Text, Reals, Reals, Whole),
    "WGFMU_setMeasureEvent": (Text, Text, Real, Whole, Real, Real, Whole),
    "WGFMU_addSequence": (Whole, Text, Real),
    "WGFMU_getPatternForceValueSize": (Text, Wholes),
    "WGFMU_getPatternForceValues": (Text, Whole, Wholes, Reals, Reals),
    "WGFMU_execute": (),
    "WGFMU_abortChannel": (Whole,),
    "WGFMU_getChannelStatus": (Whole, Wholes, Reals, Reals),
    "WGFMU_waitUntilCompleted": (),
    "WGFMU_getMeasureValueSize": (Whole, Wholes, Wholes),
    "WGFMU_getMeasureValues": (Whole, Whole, Wholes, Reals, Reals),
    "WGFMU_dcforceVoltage": (Whole, Real),
    "WGFMU_dcmeasureValue": (Whole, Reals),
}
"""Parameters of each function, in their order; every one returns an int, 0 where it succeeded."""

DC, FAST_IV, PG = 2000, 2001, 2002
FORCE_AUTOMATIC, FORCE_3V, FORCE_5V, FORCE_MINUS_10V, FORCE_PLUS_10V = range(3000, 3005)
MEASURES_CURRENT = 4001
CURRENT_RANGES = {6001: 1e-6, 6002: 10e-6, 6003: 100e-6, 6004: 1e-3, 6005: 10e-3}
COMPLETED, DONE = 10000, 10001
AVERAGED = 12000
CODES = (
    "no error", "parameter out of range", "illegal string", "context error",
    "function not supported", "communication error", "firmware error", "library error", "error",
    "channel not found", "pattern not found", "event not found", "pattern already exists",
    "sequencer not running", "result not ready", "result out of date",
)  # fmt: skip
"""By the negative of a return code. Names and order are published; of the numbers only -9 is."""


def load_library() -> Any:
    """The maker's library with its signatures declared. Raises NotConnectedError if it is absent.

    A missing DLL of the VISA library that it calls counts as absent, too.
    """
    try:
        if sys.platform == "win32":
            library = ctypes.WinDLL(f"{LIBRARY}.dll")
        else:
            library = ctypes.CDLL(ctypes.util.find_library(LIBRARY) or f"lib{LIBRARY}.so")
        return declared(library)
    except (OSError, AttributeError) as error:
        raise NotConnectedError(
            f"The {NAME} cannot be reached: its maker's library {LIBRARY} cannot be loaded "
            f"({error}). Install Keysight's B1530A Instrument Library and a VISA library on this "
            "computer, which must run Windows, in the same width (32 or 64 bit) as Python."
        ) from error


def declared(library: Any) -> Any:
    """The library, its functions told their parameters. Raises AttributeError for a missing one."""
    for name, parameters in SIGNATURES.items():
        function = getattr(library, name)
        function.argtypes = list(parameters)
        function.restype = ctypes.c_int
    return library


def error_summary(library: Any) -> str:
    """All that the library has noted since it was asked last; "" where there is nothing."""
    size = (ctypes.c_int * 1)()
    library.WGFMU_getErrorSummarySize(size)
    if size[0] <= 0:
        return ""
    length = (ctypes.c_int * 1)(size[0] + 1)
    text = ctypes.create_string_buffer(size[0] + 1)
    library.WGFMU_getErrorSummary(text, length)
    return text.value.decode("latin-1").strip()


def call(library: Any, name: str, *arguments: Any) -> None:
    """Call a function by its name without ``WGFMU_``; texts are encoded. Raises ReportedError."""
    converted = [a.encode("ascii") if isinstance(a, str) else a for a in arguments]
    code = getattr(library, f"WGFMU_{name}")(*converted)
    if code != 0:
        meaning = CODES[-code] if 0 < -code < len(CODES) else "unknown"
        raise ReportedError(
            f"The {NAME} reported {code} ({meaning}) for {name}: "
            f"{error_summary(library) or 'no further words'}. What was asked for was refused or "
            "not completed, and is not repeated."
        )


def whole_from(library: Any, name: str, *arguments: Any) -> int:
    """What a function answers through its last pointer. Raises ReportedError."""
    answer = (ctypes.c_int * 1)()
    call(library, name, *arguments, answer)
    return int(answer[0])
