"""Binarized networks that learn around what was measured."""
