"""The application: configuration, the opened bench, runs, command line and reports."""
