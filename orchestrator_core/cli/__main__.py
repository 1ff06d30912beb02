"""`python -m orchestrator_core.cli` is `tmorch`."""

from __future__ import annotations

import sys

from orchestrator_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
