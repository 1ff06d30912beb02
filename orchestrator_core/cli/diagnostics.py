"""The only writer to stderr: narration, warnings, questions and errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orchestrator_core.cli.output import Look, look_of, paint, printable
from orchestrator_core.errors import StoreError, TmorchError

if TYPE_CHECKING:
    from orchestrator_core.config.paths import Paths

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""
READER_GONE = 141
"""What a shell reports for a program whose reader closed the pipe."""


class Diagnostics:
    """Tells the person what happens, and what went wrong, in calm lines."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._environ = environ

    @property
    def look(self) -> Look:
        """How to lay narration out now."""
        return look_of(self._stream, self._environ)

    def say(self, text: str = "") -> None:
        """Write one line of narration."""
        self._write(text + "\n")

    def say_all(self, lines: Iterable[str]) -> None:
        """Write several lines of narration."""
        for line in lines:
            self.say(line)

    def step(self, mark: str, style: str, text: str) -> None:
        """Write one finished step: its mark in colour, then what it was."""
        self.say(f"{paint(mark, style, color=self.look.color)} {printable(text)}")

    def warn(self, text: str) -> None:
        """Write one line about something that is not as it should be, but stops nothing."""
        self.step("!", "warn", text)

    @contextmanager
    def progress(self, every_s: float = 15.0) -> Iterator[Callable[[str, float], None]]:
        """Give a call that says how something goes, and after how many seconds.

        On a terminal it is one line that changes and is gone at the end; elsewhere, and on one that cannot do that, a
        line at first and after each `every_s`.
        """
        if not self._stream.isatty() or self._environ.get("TERM") == "dumb":
            yield self._sparsely(every_s)
            return
        try:
            yield lambda text, seconds: self._write(f"\r\x1b[K{_cut(printable(text), self.look.width)}")
        finally:
            self._write("\r\x1b[K")

    def _sparsely(self, every_s: float) -> Callable[[str, float], None]:
        due = 0.0

        def say(text: str, seconds: float) -> None:
            nonlocal due
            if seconds >= due:
                due = seconds + every_s
                self.say(printable(text))

        return say

    def error(self, error: TmorchError) -> None:
        """Write title, cause and remedy, a line each; what is empty is left out."""
        self._part(paint("tmorch:", "bad", color=self.look.color), error.title)
        self._part("  why: ", error.cause)
        self._part("  do:  ", error.remedy)

    def _part(self, label: str, text: str) -> None:
        """Write a labelled text; lines after its first, such as a program's last output, are indented."""
        first, *more = text.strip().splitlines() or [""]
        if first:
            self.say(f"{label} {printable(first)}")
            self.say_all(f"        {printable(line)}".rstrip() for line in more)

    def ask(self, question: str) -> None:
        """Write a question and leave the cursor behind it."""
        self._write(question + " ")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            # Nobody reads the narration: the command's work and its exit code still count.
            self._stream = Path(os.devnull).open("w")  # noqa: SIM115  # lives as long as the process


def _cut(text: str, width: int | None) -> str:
    from orchestrator_core.cli.tables import shorten

    return shorten(text, (width or 80) - 1)  # the last column would wrap


def explained(error: BaseException) -> TmorchError | None:
    """Return the error of ours that `error` is, or that a group of concurrent errors holds; else None."""
    if isinstance(error, TmorchError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for part in error.exceptions if (found := explained(part))), None)
    return None


def fault(error: Exception, paths: Paths) -> TmorchError:
    """Return what to tell the person of an error nobody foresaw; its traceback goes to a file."""
    kept = _keep_traceback(error, paths)
    where = f"the traceback is in {kept}; please report it" if kept else "no traceback could be written"
    return TmorchError(
        "tmorch failed in a way it did not foresee",
        cause=f"{type(error).__name__}: {error}".rstrip(": "),
        remedy=where,
        code="fault",
    )


def _keep_traceback(error: Exception, paths: Paths) -> Path | None:
    import tempfile
    import time
    import traceback

    text = "".join(traceback.format_exception(error))
    name = f"fault-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    with suppress(StoreError):  # then it goes to the temporary folder
        paths.ensure()
    for folder in (paths.logs, Path(tempfile.gettempdir())):
        file = folder / name
        try:
            file.touch(mode=0o600, exist_ok=False)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return file
    return None
