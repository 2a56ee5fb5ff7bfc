"""Binarized networks on MRAM without error correction (Hirtzlin et al. 2019)."""
