"""The embedded database: one repository per noun.

`Store` and `open_store` load peewee when they are asked for; `store.quick` is the road without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator_core.store.store import Store, open_store

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from orchestrator_core.store import store

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
