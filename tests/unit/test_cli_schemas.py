"""The schemas are data that can be asked for, and strict enough to catch a changed shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator_core.cli import schemas
from orchestrator_core.cli.commands import SUMMARIES
from orchestrator_core.cli.schemas import DOCUMENTS, schema_of
from tests.fakes.cli import FakeContext
from tests.fakes.json_shape import faults


@pytest.mark.parametrize("name", sorted(SUMMARIES.keys() - {"tui", "hook"}))
def test_every_command_documents_its_json(name: str) -> None:
    context = FakeContext("help", name, "--json")
    assert context.run() == 0
    assert context.json == schema_of(name)
    assert context.json["additionalProperties"] is False
    assert name in context.json["description"]


@pytest.mark.parametrize("form", [name for name in DOCUMENTS if " " in name])
def test_a_form_with_a_document_of_its_own_documents_it(form: str) -> None:
    context = FakeContext("help", *form.split(), "--json")
    assert context.run() == 0
    assert context.json == schema_of(form)
    assert context.json["additionalProperties"] is False
    assert form in context.json["description"]


def test_any_other_form_is_documented_with_its_command() -> None:
    context = FakeContext("help", "schedule", "list", "--json")
    assert context.run() == 0
    assert context.json == schema_of("schedule")


def test_every_file_is_the_schema_of_something() -> None:
    folder = Path(schemas.__file__).parent
    assert {file.stem for file in folder.glob("*.json")} == set(DOCUMENTS.values())
    for file in folder.glob("*.json"):
        assert json.loads(file.read_text())["title"] == file.stem


def test_a_command_without_json_has_an_empty_schema() -> None:
    assert schema_of("tui") == schema_of("hook") == {}


def test_the_check_finds_what_is_wrong() -> None:
    """The check itself: a check that finds nothing would let everything pass."""
    receipt = {"id": 7, "target": {"agent": "a", "pane": None}, "state": "queued", "reason": ""}
    schema = schema_of("send")
    assert faults(receipt, schema) == []
    assert faults({**receipt, "id": "7"}, schema) == ["$.id: '7' is not integer"]
    assert faults({**receipt, "id": True}, schema) == ["$.id: True is not integer"]
    assert faults({**receipt, "state": "lost"}, schema) != []
    assert faults({**receipt, "more": 1}, schema) == ["$: more is not known"]
    assert faults({**receipt, "target": {"agent": "a"}}, schema) == ["$.target: pane is missing"]
