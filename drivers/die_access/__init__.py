"""From "this cell, this many volts" to closed paths and settings of instruments."""
