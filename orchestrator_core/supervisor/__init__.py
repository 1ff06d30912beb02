"""The background process that types, watches and keeps time."""
