"""What is written to stdout: JSON that any reader can decode, whatever is in it."""

from __future__ import annotations

import io
import json

import pytest

from orchestrator_core.cli.output import Output
from orchestrator_core.models.agent import AgentStatus


def written(value: object, *, encoding: str = "utf-8", indent: bool = True) -> bytes:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    Output(stream, as_json=True, environ={}).document(value, indent=indent)
    return raw.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_utf_8_in_every_locale(encoding: str) -> None:
    assert json.loads(written({"a": "日本 é"}, encoding=encoding).decode("utf-8")) == {"a": "日本 é"}


def test_a_file_name_that_is_not_utf_8_is_written_escaped() -> None:
    value = {"path": "a\udcff", "status": AgentStatus.IDLE, "list": ["x"]}
    assert json.loads(written(value)) == {"path": "a\udcff", "status": "idle", "list": ["x"]}


def test_away_from_a_terminal_a_document_is_one_line() -> None:
    assert written({"a": [1, 2]}) == b'{"a":[1,2]}\n'


def test_what_was_written_before_stays_before() -> None:
    raw = io.BytesIO()
    out = Output(io.TextIOWrapper(raw, encoding="utf-8"), as_json=True, environ={})
    out.line("first")
    out.document({})
    out.line("last")
    out.flush()
    assert raw.getvalue() == b"first\n{}\nlast\n"
