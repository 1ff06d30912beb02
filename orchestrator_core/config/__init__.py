"""Where things are, and what the person set."""
