"""Frozen values and ids that every layer speaks of. No I/O."""
