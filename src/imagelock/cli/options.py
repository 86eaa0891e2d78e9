"""Options that every command has, before or behind its name, and the values that they become."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from imagelock.cli.console import Console
from imagelock.errors import FileError
from imagelock.model.frozen import frozen

_P = ParamSpec("_P")
_R = TypeVar("_R")


@frozen(kw_only=True)
class Settings:
    """The options of a run that all commands share."""

    console: Console
    images_path: Path | None
    lock_path: Path | None
    offline: bool
    anonymous: bool
    cache_path: Path | None
    """Where to keep content between runs, if an option or a variable says so."""
    uses_cache: bool


def with_settings(function: Callable[Concatenate[Settings, _P], _R]) -> Callable[_P, _R]:
    """Add the shared options to a command, and call its function with the `Settings` made of them."""

    def invoke(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        context = click.get_current_context()
        context.find_root().obj["output_format"] = kwargs.get("output_format")
        return function(_settings(context), *args, **kwargs)

    return add_shared_options(update_wrapper(invoke, function))


def add_shared_options(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Declare the shared options on a command or on the group."""
    for option in reversed(_SHARED_OPTIONS):
        function = option(function)
    return function


def choose_format(*formats: str, text: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Declare ``--format`` with formats beside text, and the text of its help."""
    return click.option("--format", "output_format", type=click.Choice(["text", *formats]), default="text", help=text)


format_option = choose_format("json", text="Choose the output: text, or JSON for scripts.")


def format_option_with_markdown(place: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Declare ``--format`` of a command whose Markdown is meant for a place, such as ``an issue``."""
    return choose_format("json", "markdown", text=f"Choose the output: text, JSON, or Markdown for {place}.")


def _complete_lazily(name: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completer of ``imagelock.cli.completion``, which only a shell's completion imports."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        completion = importlib.import_module("imagelock.cli.completion")
        words: list[str] = getattr(completion, name)(context, parameter, incomplete)
        return words

    return complete


complete_images = _complete_lazily("complete_images")
complete_outputs = _complete_lazily("complete_outputs")
complete_formats = _complete_lazily("complete_formats")


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep a shared option; one behind the command's name overrides one before it.

    The environment was already read before the name: read again behind it, it would win over the command line.
    """
    values: dict[str, Any] = context.find_root().ensure_object(dict)
    name = str(parameter.name)
    is_typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    if name not in values or is_typed:
        values[name] = value
    if is_typed and name in _OF_PROJECT:
        values.setdefault("project_options", {})[parameter.opts[0]] = str(value)


_OF_PROJECT = ("directory", "file", "lockfile")
"""The options that choose a project, by parameter: commands in hints need them as well."""


def _shared(*names: str, **attributes: Any) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:  # noqa: ANN401  click's
    long_name = next(name for name in names if name.startswith("--"))
    variable = f"IMAGELOCK_{long_name.removeprefix('--').replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, expose_value=False, callback=_remember, **attributes)


_SHARED_OPTIONS = (
    _shared("-C", "--directory", metavar="DIR", type=click.Path(path_type=Path), help="Work in this directory."),
    _shared(
        "--file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Use this file instead of the nearest images.toml.",
    ),
    _shared(
        "--lockfile",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Use this file instead of images.lock beside it.",
    ),
    _shared("--offline", is_flag=True, help="Do not use the network; fail where it is needed."),
    _shared("--anonymous", is_flag=True, help="Do not use credentials."),
    _shared("--cache-dir", metavar="DIR", type=click.Path(path_type=Path), help="Keep the cache in this directory."),
    _shared("--no-cache", is_flag=True, help="Do not read or write the cache."),
    _shared("-q", "--quiet", count=True, help="Print data and errors only; twice: data only."),
    _shared("-v", "--verbose", count=True, help="Print reasons; twice: requests as well."),
    _shared(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Choose when to use colors.",
    ),
)


def is_shared(parameter: click.Parameter) -> bool:
    """Whether every command has this option."""
    return parameter.callback is _remember or parameter.name == "help"


def console_of(context: click.Context) -> Console:
    """Return the console for the shared options that were read so far."""
    values: dict[str, Any] = context.find_root().obj or {}
    return Console(
        color=values.get("color", "auto"),
        quietness=values.get("quiet", 0),
        verbosity=values.get("verbose", 0),
        project_options=values.get("project_options", {}),
    )


def _settings(context: click.Context) -> Settings:
    values: dict[str, Any] = context.find_root().obj
    if values["directory"] is not None:
        try:
            os.chdir(values["directory"])
        except OSError as error:
            raise FileError(f"cannot work in {values['directory']}: {error.strerror}") from error
    return Settings(
        console=console_of(context),
        images_path=values["file"],
        lock_path=values["lockfile"],
        offline=values["offline"],
        anonymous=values["anonymous"],
        cache_path=values["cache_dir"],
        uses_cache=not values["no_cache"],
    )
