"""`python -m orchestrator_core.agents.demo`."""

from __future__ import annotations

import sys

from orchestrator_core.agents.demo.program import main

if __name__ == "__main__":
    sys.exit(main())
