"""An agent's status line: what Claude Code tells is kept, then the person's own status line command takes over.

Run as a file, `python -I -S status_program.py FOLDER`. The settings that tmorch gives an agent come before the
person's, so their command is looked for here, each time, where Claude Code would have found it.
"""

import json
import os
import signal
import sys

KEPT = "status-line.json"
SHELL = "/bin/sh"
CHUNK = 1 << 16


def main(folder: str) -> None:
    """Keep stdin in `folder`, and become the person's command with the same stdin; without one, say nothing."""
    payload = _read()
    told = _source(folder, payload)
    command = _own_command(payload)
    if not command:
        return
    os.dup2(told, 0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is run would inherit that
    os.execv(SHELL, [SHELL, "-c", command])


def _read() -> bytes:
    chunks = []
    while chunk := os.read(0, CHUNK):
        chunks.append(chunk)
    return b"".join(chunks)


def _source(folder: str, payload: bytes) -> int:
    """Keep `payload`, whole or not at all, and return where it can be read again."""
    written = f"{folder}/.{KEPT}.{os.getpid()}"
    try:
        file = os.open(written, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        _write_all(file, payload)
        os.rename(written, f"{folder}/{KEPT}")
        os.lseek(file, 0, os.SEEK_SET)
    except OSError:  # their status line must not suffer from a full disk
        return _piped(payload)
    return file


def _piped(payload: bytes) -> int:
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    try:
        os.write(sink, payload)  # as much as a pipe holds; Claude Code tells a few kilobytes
    finally:
        os.close(sink)
    return source


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _own_command(payload: bytes) -> str:
    for path in _settings_files(_project(payload)):
        line = _table(path).get("statusLine")
        if isinstance(line, dict) and isinstance(line.get("command"), str):
            return str(line["command"])
    return ""


def _settings_files(project: str) -> tuple[str, ...]:
    """Return Claude Code's settings files, the one that counts first."""
    own = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
    return (f"{project}/.claude/settings.local.json", f"{project}/.claude/settings.json", f"{own}/settings.json")


def _project(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["workspace"]["project_dir"])
    except (ValueError, LookupError, TypeError):
        return os.getcwd()


def _table(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    main(sys.argv[1])
