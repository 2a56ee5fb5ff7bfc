"""Measurement recipes: each an order of pulses and reads, a generator of records over the ports."""
