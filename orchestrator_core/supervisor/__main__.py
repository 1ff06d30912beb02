"""The process that `spawn` and the service start: `python -m orchestrator_core.supervisor [--stay]`."""

from __future__ import annotations

import logging
import os
import sys

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError, TmorchError
from orchestrator_core.supervisor.control import run
from orchestrator_core.supervisor.logs import log_to
from orchestrator_core.supervisor.spawn import LOG_NAME, STAY

log = logging.getLogger("orchestrator_core.supervisor")


def main() -> int:
    """Be the supervisor; a second one says so in the log and ends without a fuss."""
    paths = Paths.from_env(os.environ)
    try:
        run(paths, stays=STAY in sys.argv[1:])
    except RefusedError as error:
        log_to(paths.logs / LOG_NAME, rotates=False)
        log.info("process %d ends: %s, %s", os.getpid(), error.title, error.cause)
    except TmorchError as error:
        log.error("%s: %s\n%s", error.title, error.cause, error.remedy)  # noqa: TRY400  # explained: no traceback
        return int(error.exit_code)
    except Exception:
        log.exception("the supervisor fails: this is a fault of tmorch, please report it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
