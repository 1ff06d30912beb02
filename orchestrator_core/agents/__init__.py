"""A driver per kind of agent, and the way from evidence to a status."""
