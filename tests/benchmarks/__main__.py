"""Run the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import sys

from tests.benchmarks.budgets import BUDGETS


def main() -> int:
    names = [name.upper() for name in sys.argv[1:]] or list(BUDGETS)
    unknown = [name for name in names if name not in BUDGETS]
    if unknown:
        print(f"no such budget: {', '.join(unknown)}; there are {', '.join(BUDGETS)}", file=sys.stderr)
        return 2
    for name in names:
        BUDGETS[name]()
    return 0


sys.exit(main())
