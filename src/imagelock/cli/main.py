"""The group of all commands, and the one place that prints errors and chooses exit codes."""

from __future__ import annotations

import importlib
import os
import re
import sys

import click

from imagelock import __version__
from imagelock.cli.console import Console
from imagelock.cli.options import add_shared_options, console_of
from imagelock.cli.streams import (
    emit,
    failure_of_stdout,
    flush_streams,
    give_up_stdout,
    is_of_click,
    reset_streams,
)
from imagelock.errors import ExitCode, ImagelockError, did_you_mean
from imagelock.model.secrets import forget_secrets
from imagelock.project.interrupts import written_files

_NAMES = frozenset(
    "add cache check completion diff digest explain export help init inspect list lock mirror outdated provenance"
    " remove render scan schema tags unpin update verify".split()
)


class _HelpfulGroup(click.Group):
    """A group of commands below the first one, whose help has its commands and examples."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections below the description."""
        from imagelock.cli.help import write_subcommands  # noqa: PLC0415  only help needs it

        write_subcommands(self, ctx, formatter)


class _HelpfulCommand(click.Command):
    """A command whose help has its own options, one line for the common ones, exit codes and examples."""

    @classmethod
    def of(cls, command: click.Command) -> click.Command:
        """Return a copy of the command, and of the commands of a group, with this help."""
        if isinstance(command, click.Group):
            commands = {name: cls.of(each) for name, each in command.commands.items()}
            return _HelpfulGroup(command.name, commands, callback=command.callback, help=command.help)
        return cls(
            command.name,
            context_settings=command.context_settings,
            callback=command.callback,
            params=command.params,
            help=command.help,
            epilog=command.epilog,
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections below the description."""
        from imagelock.cli.help import write_command_sections  # noqa: PLC0415  only help needs it

        write_command_sections(self, ctx, formatter)


class _LazyGroup(click.Group):
    """Imports a command's module when that command is called: the others cost no time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in _NAMES:
            return None
        module = importlib.import_module(f"imagelock.cli.commands.{cmd_name}")
        command: click.Command = module.command
        _name_variables(command)
        return _HelpfulCommand.of(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _NAMES and not args[0].startswith("-"):
            guess = "; did you mean `render --pin`?" if args[0] == "pin" else did_you_mean(args[0], _NAMES)
            raise click.UsageError(f"there is no command `{args[0]}`{guess}", ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups, then the options that all of them have."""
        from imagelock.cli.help import write_common_options, write_groups  # noqa: PLC0415  only help needs it

        write_groups(formatter)
        write_common_options(ctx, formatter)


def _name_variables(command: click.Command) -> None:
    """Set each option's environment variable by its long name; click would use the name of the parameter."""
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None:
            long_name = max(option.opts, key=len).removeprefix("--").replace("-", "_")
            option.envvar = f"IMAGELOCK_{command.name}_{long_name}".upper()


@click.group(
    cls=_LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "IMAGELOCK",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, "-V", "--version", message="imagelock %(version)s")
@add_shared_options
def cli() -> None:
    """Pin container images to digests with a lockfile."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code, which says what happened even where nothing can be printed."""
    reset_streams()
    forget_secrets()
    exit_code = _run(sys.argv[1:] if arguments is None else arguments)
    Console.end_progress()
    flush_streams()
    lost = failure_of_stdout()
    if lost is None or exit_code != ExitCode.DONE:
        return exit_code
    error = ImagelockError("cannot write to standard output", details=[lost.strerror or str(lost)])
    if written_files():
        Console().warn(f"{error.message}: {', '.join(error.details)}; the files are written")
        return exit_code
    return _fail(None, error)


def _run(arguments: list[str]) -> int:
    if instruction := os.environ.get("_IMAGELOCK_COMPLETE"):
        from imagelock.cli.completion import answer_shell  # noqa: PLC0415  only a shell's completion needs it

        return answer_shell(cli, instruction)
    context = None
    Console.has_printed_json = False
    try:
        with cli.make_context("imagelock", arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        emit(error.format_message(), err=True)
        return ExitCode.CANNOT
    except click.ClickException as error:
        return _fail(context, _from_click(error))
    except ImagelockError as error:
        return _fail(context, error)
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except OSError as error:
        if not is_of_click(error):
            return _fail(context, _from_system(error))
        give_up_stdout(error)  # click prints help and versions itself
    return ExitCode.DONE


def _fail(context: click.Context | None, error: ImagelockError) -> int:
    context = context or click.Context(cli)
    console = console_of(context)
    match (context.obj or {}).get("output_format"):
        case "json":
            console.json_error(error)
        case "sarif" if not Console.has_printed_json:
            from imagelock.cli.reports.sarif import failure_document  # noqa: PLC0415  only code scanning needs it

            console.plain_json(failure_document(error, console.complete))
        case _:
            pass  # what reads the other formats would take a report for an answer
    console.error(error)
    return error.exit_code


def _from_click(error: click.ClickException) -> ImagelockError:
    message = _message_of_click(error)
    hint = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"run `{error.ctx.command_path} --help`"
    return ImagelockError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _message_of_click(error: click.ClickException) -> str:
    """Return what click says, with backticks where it quotes, and in our words where it has too few."""
    message = error.format_message()
    match error:
        case click.NoSuchOption():
            return (
                f"there is no option `{error.option_name}`{did_you_mean(error.option_name, error.possibilities or ())}"
            )
        case click.MissingParameter() if error.ctx is not None and error.param is not None:
            return f"`{error.ctx.command_path}` needs {error.param.make_metavar(error.ctx)}"
        case click.BadOptionUsage():
            return f"`{error.option_name}` {'needs a' if 'requires' in message else 'takes no'} value"
        case click.BadParameter():
            return re.sub("'([^']*)'", r"`\1`", message)
        case click.UsageError() if extra := re.match(r"Got unexpected extra arguments? \((.*)\)", message):
            return f"unexpected argument: `{extra[1]}`"
        case _:
            return message


def _from_system(error: OSError) -> ImagelockError:
    """Return the error for an `OSError` that no command has handled."""
    where = "" if error.filename is None else f" {error.filename}"
    return ImagelockError(f"the system refused{where}: {error.strerror or error}")
