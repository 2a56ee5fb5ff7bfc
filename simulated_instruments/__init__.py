"""The simulated bench: one byte-level emulator per driver, all wired to one simulated wafer."""
