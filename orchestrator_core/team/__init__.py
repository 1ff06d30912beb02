"""From a spec and a project to a team and its briefings."""
