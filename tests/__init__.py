"""A regular package: one that another program installed as `tests` would hide a mere folder."""
