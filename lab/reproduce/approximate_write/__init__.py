"""Locatelli et al. 2018: training whose weights are written to MRAM by pulses that may fail."""
