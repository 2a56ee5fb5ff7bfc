"""One file a migration, numbered; a file is never changed once a release has run it."""
