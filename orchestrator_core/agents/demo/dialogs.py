"""The dialogs of the demo agent: what they look like, and what a key does to them. Pure.

They look like Claude Code's, so that what reads those reads these, and they have the same traps: Enter takes the
choice under the cursor, a digit takes its choice at once, and all other text is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.cells import cut, wrap

DASH = "╌"
CONFIRM = "Enter to confirm · Esc to cancel"


class Answer(NamedTuple):
    """How a dialog was answered."""

    choice: int
    """Counted from 0; -1 for Escape."""
    label: str


class Dialog:
    """An open dialog."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.cursor = form.default

    @property
    def name(self) -> str:
        """What kind of dialog it is."""
        return self.form.name

    def move(self, by: int) -> None:
        """Move the cursor up or down; it stops at the ends."""
        self.cursor = min(max(self.cursor + by, 0), len(self.form.choices) - 1)

    def turn(self, by: int) -> None:
        """Turn to another page, where there are any."""

    def confirm(self) -> Answer | None:
        """Take the choice under the cursor; None when there is more to be answered."""
        return Answer(self.cursor, self.form.choices[self.cursor])

    def take(self, text: str, *, pasted: bool) -> Answer | None:
        """Take the choice that `text` begins with the number of, where choices have numbers; all else is lost."""
        if not self.form.numbered or not text[:1].isdecimal():
            return None
        at = int(text[0]) - 1
        return Answer(at, self.form.choices[at]) if 0 <= at < len(self.form.choices) else None

    def rows(self, columns: int) -> Iterator[str]:
        """Yield the dialog as rows with colours."""
        form = self.form
        yield f"{form.ink}{form.rule * columns}{c.RESET}"
        indent = " " * form.indent
        for line in form.head:
            yield from (f"{indent}{row}" if row else "" for row in _styled(line, columns - form.indent, form.ink))
        yield from self._body(columns)
        yield from self._choices(columns, indent)
        if form.foot:
            yield ""
            yield f"{indent}{c.GREY}{cut(form.foot, columns - form.indent)}{c.RESET}"

    def _body(self, columns: int) -> Iterator[str]:
        if not self.form.body:
            return
        yield f"{c.DASHES}{DASH * columns}{c.RESET}"
        for line in self.form.body:
            yield from (f" {row}" for row in wrap(line, columns - 2))
        yield f"{c.DASHES}{DASH * columns}{c.RESET}"
        for line in self.form.after:
            yield from (f" {row}" for row in wrap(line, columns - 2))

    def _choices(self, columns: int, indent: str) -> Iterator[str]:
        for at, label in enumerate(self.form.choices):
            if self.form.apart and at == len(self.form.choices) - 1:
                yield f"{self.form.ink}{self.form.rule * columns}{c.RESET}"
            number = f"{c.GREY}{at + 1}.{c.RESET} " if self.form.numbered else ""
            text = cut(label, columns - self.form.indent - 6)
            if at == self.cursor:
                yield f"{indent}{c.BLUE}❯{c.RESET} {number}{c.BLUE}{text}{c.RESET}"
            else:
                yield f"{indent}  {number}{text}"


class Form(NamedTuple):
    """What a dialog consists of. A line of `head` that begins with `*` is bold."""

    name: str
    head: tuple[str, ...]
    choices: tuple[str, ...]
    ink: str = c.AMBER
    rule: str = "─"
    indent: int = 2
    default: int = 0
    numbered: bool = False
    body: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    foot: str = CONFIRM
    apart: bool = False
    """A rule parts the last choice from the others."""
    fatal: tuple[int, ...] = ()
    """The choices that end the program with exit code 1; -1 is Escape."""


def _styled(line: str, columns: int, ink: str) -> Iterator[str]:
    if not line.startswith("*"):
        yield from wrap(line, columns)
        return
    for row in wrap(line[1:], columns):
        yield f"{c.BOLD}{ink}{row}{c.RESET}"


def trust(folder: str) -> Form:
    """Return the dialog about the folder it was started in."""
    return Form(
        "trust",
        (
            "*Accessing workspace:", "", f"*{folder}", "",
            "Quick safety check: Is this a project you created or one you trust? (Like your own code, a well-known "
            "open source project, or work from your team). If not, take a moment to review what's in this folder "
            "first.",
            "", "This demo agent'll be able to read, edit, and execute files here.", "", "Security guide", "",
        ),
        ("No, exit", "Yes, I trust this folder"),
        indent=1,
        fatal=(0, -1),
    )  # fmt: skip


BYPASS = Form(
    "bypass",
    (
        "*WARNING: Claude Code running in Bypass Permissions mode", "",
        "In Bypass Permissions mode, the demo agent will not ask for your approval before running potentially "
        "dangerous commands.",
        "This mode should only be used in a sandboxed container/VM that has restricted internet access and can "
        "easily be restored if damaged.",
        "",
        "By proceeding, you accept all responsibility for actions taken while running in Bypass Permissions mode.",
        "",
    ),
    ("No, exit", "Yes, I accept"),
    ink=c.RED,
    fatal=(0, -1),
)  # fmt: skip

MCP = Form(
    "mcp",
    (
        "*New MCP server found in this project: demo", "",
        "MCP servers may execute code or access system resources. All tool calls require approval. Learn more in "
        "the MCP documentation.",
        "",
    ),
    (
        "Use this MCP server",
        "Use this and all future MCP servers in this project",
        "Continue without using this MCP server",
    ),
    default=2,
)  # fmt: skip

API_KEY = Form(
    "apikey",
    (
        "*Detected a custom API key in your environment", "", "ANTHROPIC_API_KEY: sk-ant-...demo", "",
        "Do you want to use this API key?", "",
    ),
    ("Yes", "No (recommended)"),
    default=1,
)  # fmt: skip

AUTO_MODE = Form(
    "auto_nudge",
    ("*Make auto mode your default permission mode?", "", "Auto mode handles permission prompts automatically.", ""),
    ("Yes, set auto mode as my default permission mode", "No, keep manual mode"),
    ink=c.BLUE,
    foot="",
)

SETTINGS = Form(
    "settings",
    (
        "*Settings Error", "", "settings.json", "└ Invalid or malformed JSON (line 1, column 3)", "",
        "Files with errors are skipped entirely, not just the invalid settings.", "",
    ),
    ("Fix with the demo agent", "Exit and fix manually", "Continue without these settings"),
    numbered=True,
    fatal=(1, -1),
)  # fmt: skip

LOGIN = Form(
    "login",
    ("*Login", "", "Select login method:", ""),
    ("Demo account with subscription", "Demo console account · API usage billing"),
    ink=c.BLUE,
    rule="▔",
    numbered=True,
    foot="Esc to cancel",
)


CONTINUE_AFTER_LIMIT = 1
"""The choice of the menu at a usage limit that goes on by itself."""


def usage_limit(until: str) -> Form:
    """Return the menu at a usage limit, for somebody who has not chosen to go on by themselves."""
    return Form(
        "usage_limit",
        ("*What do you want to do?", ""),
        (
            "Stop and wait for limit to reset",
            f"Wait here, then continue automatically at {until}",
            "Upgrade your plan",
        ),
        ink=c.BLUE,
        rule="▔",
        numbered=True,
    )


def permission(command: str, purpose: str) -> Form:
    """Return the prompt before a command is run."""
    return Form(
        "permission",
        ("*Bash command", *((purpose,) if purpose else ())),
        ("Yes", f"Yes, and don't ask again for {command.split(' ')[0]} commands in this folder", "No"),
        ink=c.BLUE,
        indent=1,
        numbered=True,
        body=tuple(command.split("\n")),
        after=("This command requires approval", "", "Do you want to proceed?"),
        foot="Esc to cancel · Tab to amend",
    )


def named(name: str, folder: str, until: str = "3:04pm") -> Form:
    """Return the dialog called `name`.

    Raises:
        ValueError: there is none.

    """
    forms = (trust(folder), BYPASS, MCP, API_KEY, AUTO_MODE, SETTINGS, LOGIN, usage_limit(until))
    for form in forms:
        if form.name == name:
            return form
    known = ", ".join(form.name for form in forms)
    raise ValueError(f"no dialog is called {name!r}; there are {known}")
