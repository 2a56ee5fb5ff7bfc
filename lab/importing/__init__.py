"""Other people's measurements: one file a format, all of them into the tables of our own."""
