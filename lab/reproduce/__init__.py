"""Papers done again: one file a paper, what they give back, and the page that shows it."""
