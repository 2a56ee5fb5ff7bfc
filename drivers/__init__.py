"""Instrument drivers on PyMeasure's ``Instrument``, and the way from a cell's address to a path."""
