"""The only place that talks to tmux."""
