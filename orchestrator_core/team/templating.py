"""Text from templates: jinja2 in a sandbox, since a project's own templates are the work of strangers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from orchestrator_core.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(folders: tuple[Path, ...], name: str, values: Mapping[str, object]) -> str:
    """Return the template `name` of the first of `folders` that has it, filled in, without blank ends.

    Raises:
        UsageError: a template is wrong, or does what templates may not; names the file and the line.

    """
    from jinja2 import TemplateError

    environment = _environment(folders)
    try:
        return environment.get_template(name).render(values).strip()
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _explained(error, folders) from error


@lru_cache(maxsize=8)
def _environment(folders: tuple[Path, ...]) -> Environment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        autoescape=False,  # Markdown for an agent, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": code, "block": _block, "below": _below, "sentence": _sentence}
    environment.globals["range"] = _range
    return environment


def _explained(error: Exception, folders: tuple[Path, ...]) -> UsageError:
    file, line = _place(error, folders)
    where = f"{file}, line {line}" if line else file
    return UsageError(
        f"{where}: this template cannot be used",
        cause=" ".join(str(error).split()) or type(error).__name__,
        remedy="correct it, or remove it: the one that tmorch brings is used then",
        code="template",
    )


def _place(error: Exception, folders: tuple[Path, ...]) -> tuple[str, int]:
    """Return the template's file and line that an error comes from: the innermost place in our folders."""
    frames = [each for each in extract_tb(error.__traceback__) if Path(each.filename).parent in folders]
    file = getattr(error, "filename", None)
    if file:
        return str(file), int(getattr(error, "lineno", 0) or 0)
    if frames:
        return frames[-1].filename, frames[-1].lineno or 0
    return str(folders[0]), 0


def code(text: str) -> str:
    """Return `text` as inline code, whatever backticks it holds."""
    if "`" not in text:
        return f"`{text}`"
    fence = _fence(text, 2)
    return f"{fence} {text} {fence}"


def _block(text: str) -> str:
    """Return `text` as a code block, whatever code blocks it holds."""
    fence = _fence(text, 3)
    return f"{fence}markdown\n{text}\n{fence}"


def _fence(text: str, least: int) -> str:
    """Return more backticks in a row than `text` has anywhere."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _below(text: str, indent: int) -> str:
    """Return the text of a list item with its further lines indented, so that they stay in the item."""
    return text.replace("\n", "\n" + " " * indent)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _range(base: str, dots: str, branch: str) -> str:
    """Return git's `base..branch` as one word for the shell."""
    return shlex.quote(f"{base}{dots}{branch}")
