"""The demo agent: a scripted stand-in for a coding agent, for `tmorch demo` and for tests.

Everything the program itself imports is from the standard library, so that a hundred of them start quickly and
stay small; only `driver` belongs to the rest of tmorch.
"""
