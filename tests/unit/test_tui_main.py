"""`tmorch-tui` as a command: help, version, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator_core import __version__
from orchestrator_core.errors import ExitCode
from tui.__main__ import Arguments, main, read_arguments


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
    be_at_a_terminal(monkeypatch)
    assert main([]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "tui.themes" in error
    assert "config.toml" in error


def be_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], Arguments()),
        (["--new"], Arguments(new_team=True)),
        (["--proposal", "3"], Arguments(proposal=3)),
        (["--proposal", "3", "--start", "--read"], Arguments(proposal=3, is_errand=True, by_claude=True)),
        (["--read", "--proposal", "3"], Arguments(proposal=3, by_claude=True)),
    ],
)
def test_what_it_begins_with(words: list[str], expected: Arguments) -> None:
    assert read_arguments(words) == expected


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--proposal"], "needs a number"),
        (["--proposal", "three"], "'three'"),
        (["--proposal", "0"], "'0'"),
        (["--proposal", "-1"], "'-1'"),
        (["--proposal", "٣"], "'٣'"),
        (["--proposal", "9" * 30], "is not the number"),
        (["--new", "--proposal", "1"], "do not go together"),
        (["--start"], "--proposal N"),
        (["--read", "--new"], "--proposal N"),
    ],
)
def test_what_it_cannot_begin_with(words: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == ExitCode.USAGE
    assert named in capsys.readouterr().err


def test_a_number_that_is_not_saved_is_said_before_there_is_a_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    be_at_a_terminal(monkeypatch)
    assert main(["--proposal", "7"]) == ExitCode.NOT_FOUND
    output = capsys.readouterr()
    assert "there is no saved proposal 7" in output.err
    assert "\x1b" not in output.out
