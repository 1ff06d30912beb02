"""`tmorch-tui`: screens, widgets and messages over the facade. No I/O of its own."""
