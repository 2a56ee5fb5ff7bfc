"""Training around what was measured on 36 dies: Borders et al., and beyond."""
