"""The physics of memory cells, batched over cells, in float64."""
