"""The `tmorch` command: one module per command, loaded on demand."""
