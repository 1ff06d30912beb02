"""The process that `spawn` starts: `python -m orchestrator_core.supervisor`."""

from __future__ import annotations

import os
import sys

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.supervisor.control import run


def main() -> int:
    """Be the supervisor; a second one ends at once without a fuss."""
    try:
        run(Paths.from_env(os.environ))
    except RefusedError:
        return 0
    except TmorchError as error:
        sys.stderr.write(f"{error.title}: {error.cause}\n{error.remedy}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
