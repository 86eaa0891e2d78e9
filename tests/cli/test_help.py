"""The help: every command says what it does in the words of the list, in one form, in 80 columns."""

from __future__ import annotations

import re

import click
import pytest

from imagelock.cli.help import GROUPS
from imagelock.cli.main import cli
from tests.support.project import Project

_SUMMARIES = {name: summary for commands in GROUPS.values() for name, summary in commands.items()}
_METAVARS = frozenset(
    "DIGEST DIR FILE FORMAT IMAGE N NAME OUTPUT PATH PATTERN PLATFORM RANGE REPOSITORY SCHEME TAG VARIANT".split()
    + "COMMAND HOST NEW OLD PORT oci".split()
)
_LONGEST_SUMMARY_WORDS = 8


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _options(name: str) -> list[click.Option]:
    return [option for option in _command(name).params if isinstance(option, click.Option)]


def test_every_command_is_in_a_group() -> None:
    assert sorted(_SUMMARIES) == cli.list_commands(click.Context(cli))


@pytest.mark.parametrize("name", sorted(_SUMMARIES))
def test_a_command_begins_its_help_with_its_summary(name: str) -> None:
    text = _command(name).help or ""
    assert text.splitlines()[0] == f"{_SUMMARIES[name]}."
    assert len(_SUMMARIES[name].split()) <= _LONGEST_SUMMARY_WORDS


@pytest.mark.parametrize("name", sorted(_SUMMARIES))
def test_options_say_what_they_do_and_take_words_of_one_set(name: str) -> None:
    for option in _options(name):
        text = option.help or ""
        assert re.fullmatch(r"[A-Z][a-z]+( .*)?\.", text, re.DOTALL), (option.name, text)
        has_value = not (option.is_flag or option.count)
        shown = option.make_metavar(click.Context(_command(name))) if has_value else ""
        words = set(re.findall(r"[A-Za-z]+", shown)) if not isinstance(option.type, click.Choice) else set()
        assert words <= _METAVARS, (option.name, shown)


@pytest.mark.parametrize("name", ["", *sorted(_SUMMARIES), "cache dir"])
def test_80_columns_hold_and_variables_stay_whole(
    workshop: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = workshop.run(*name.split(), "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if re.search(r"\[(env|default):$", line)]
    assert name == "" or "Exit codes:" in lines


@pytest.mark.parametrize("name", sorted(_SUMMARIES))
def test_every_command_has_an_example(workshop: Project, name: str) -> None:
    shown = workshop.run("help", name).stdout
    assert f"  {'source <(' if name == 'completion' else ''}imagelock {name}" in shown.partition("Examples:\n")[2]
    assert shown == workshop.run(name, "--help").stdout
