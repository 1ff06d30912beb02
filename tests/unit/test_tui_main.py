"""`tmorch-tui` as a command: help, version, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator_core import __version__
from orchestrator_core.errors import ExitCode
from tui.__main__ import main


def test_help_and_version_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == ExitCode.DONE
    assert "usage: tmorch-tui" in capsys.readouterr().out
    assert main(["--version"]) == ExitCode.DONE
    assert capsys.readouterr().out == f"tmorch-tui {__version__}\n"


def test_an_unknown_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--nonsense"]) == ExitCode.USAGE
    output = capsys.readouterr()
    assert output.out == ""
    assert "--nonsense" in output.err


def test_without_a_terminal_it_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.USAGE
    assert "needs a terminal" in capsys.readouterr().err


def test_a_broken_settings_file_is_said_on_stderr(
    isolated_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = isolated_home / ".config/tmorch"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[tui]\nthemes = 1\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main([]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "tui.themes" in error
    assert "config.toml" in error
