"""One self-contained HTML page from a database: pictures, tables, and how each number was made."""
