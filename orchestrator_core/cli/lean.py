"""What keeps the start of every `tmorch` command short."""

from __future__ import annotations

import sys


def import_msgspec() -> None:
    """Import msgspec, which every model needs, without typing_extensions.

    msgspec prefers typing_extensions where it is installed, and that import alone takes as long as the rest of
    `tmorch whoami`. The standard library's `typing` has everything our models use.
    """
    if "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    # None is the import system's own word for "this cannot be imported"; typeshed does not list it.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
