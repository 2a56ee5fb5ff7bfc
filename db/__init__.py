"""The database: every measurement of every die, durable before the next pulse goes out."""
