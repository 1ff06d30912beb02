"""What Claude Code runs for every hook of an agent: the payload goes into the spool, and the supervisor's bell rings.

Run as a file, `python -I -S hook_program.py SPOOL AGENT EVENT [OFFERS]`, because the agent waits for it meanwhile: no
package, no JSON, no database, so that a locked or missing store costs and loses nothing. It exits with 0 and says
nothing whatever happens; what went wrong is noted in the spool, where the supervisor finds it.

A file's name is `<nanoseconds>-<pid>-<pane>-<agent>[+<message>].json`, the agent quoted as in a URL. It is complete
when it is there: it is written elsewhere and renamed.
"""

import os
import sys
import time

TMP, NEW, FAILED = "tmp", "new", "failed"
BELL = "supervisor.bell"
"""Beside the spool."""
TAKEN = "taken"
CHUNK = 1 << 16
FAILED_BYTES = 1 << 16
"""Notes of failures beyond this are not kept."""


def main(argv: list[str]) -> None:
    """Keep the payload on stdin for the supervisor.

    With a folder of offers (`Stop` alone has one), the lowest offer is taken and said to the agent: its number is
    added to the file's name once it has been said.
    """
    spool, agent, event, *offers = argv
    began = time.time_ns()
    try:
        payload = _read()
        said = _hand_over(offers[0], payload) if offers else ""
        pane = os.environ.get("TMUX_PANE", "").removeprefix("%")
        name = f"{began:020d}-{os.getpid()}-{pane if pane.isdigit() else ''}-{agent}{said}.json"
        _keep(spool, name, payload)
    except Exception as error:  # the edge: the agent must not notice
        _note(spool, f"{time.time():.0f} {event} {agent}: {type(error).__name__}: {error}\n")
    _ring(os.path.join(os.path.dirname(spool), BELL))


def _read() -> bytes:
    chunks = []
    while chunk := os.read(0, CHUNK):
        chunks.append(chunk)
    return b"".join(chunks)


def _keep(spool: str, name: str, payload: bytes) -> None:
    written = f"{spool}/{TMP}/{name}"
    try:
        _write(written, payload)
    except FileNotFoundError:
        _make(spool)
        _write(written, payload)
    os.rename(written, f"{spool}/{NEW}/{name}")


def _make(spool: str) -> None:
    """Make the folders of the spool anew, but not the state folder: that was taken away on purpose."""
    for folder in (spool, f"{spool}/{TMP}", f"{spool}/{NEW}"):
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)


def _write(path: str, payload: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write_all(file, payload)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _hand_over(folder: str, payload: bytes) -> str:
    """Say the lowest offer to the agent, and return the end of the file's name that tells which it was.

    Whoever renames an offer has it: the supervisor withdraws one in the same way.
    """
    for number in _offers(folder):
        if _is_going_on(payload):
            return ""
        taken = f"{folder}/{TAKEN}/{number}.json"
        try:
            os.rename(f"{folder}/{number}.json", taken)
        except FileNotFoundError:
            continue
        with open(taken, "rb") as offer:
            _write_all(1, offer.read())
        return f"+{number}"
    return ""


def _offers(folder: str) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(n.removesuffix(".json")) for n in names if n.removesuffix(".json").isdecimal())


def _is_going_on(payload: bytes) -> bool:
    """Whether the agent was kept from stopping just now: how often it lets itself be kept is its own affair."""
    import json  # only where there is an offer: it takes as long as all the rest

    return bool(json.loads(payload).get("stop_hook_active"))


def _note(spool: str, line: str) -> None:
    try:
        file = os.open(f"{spool}/{FAILED}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:  # nowhere to leave a trace
        return
    try:
        if os.fstat(file).st_size < FAILED_BYTES:
            os.write(file, line.encode("utf-8", "replace"))
    except OSError:
        pass
    finally:
        os.close(file)


def _ring(bell: str) -> None:
    try:
        file = os.open(bell, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # nobody listens
        return
    try:
        os.write(file, b".")
    except OSError:  # it is full of rings already
        pass
    finally:
        os.close(file)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    finally:
        os._exit(0)  # what Python would still tidy up takes longer than the rest
