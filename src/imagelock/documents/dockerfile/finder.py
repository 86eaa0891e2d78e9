"""Find every image reference of a Dockerfile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imagelock.documents.digest_position import find_position_in_text
from imagelock.documents.dockerfile.arguments import Arguments, split_assignments
from imagelock.documents.dockerfile.directives import Syntax, find_escape, find_syntax
from imagelock.documents.dockerfile.heredocs import find_heredocs, is_json_array
from imagelock.documents.dockerfile.instructions import Command, find_mount_source, split_command
from imagelock.documents.dockerfile.lexer import parse_word
from imagelock.documents.dockerfile.lines import DockerfileError, InstructionReader, split_lines
from imagelock.documents.dockerfile.recognition import other_encoding
from imagelock.documents.dockerfile.stages import BuildStage, Stages, parse_stage
from imagelock.documents.references import Found, ReferenceKind, Scan, image_or_unresolved, make_scan
from imagelock.documents.variables import WordError

_WITH_HEREDOCS = frozenset({"run", "copy", "add"})
_INSTRUCTIONS = frozenset(
    "add arg cmd copy entrypoint env expose from healthcheck label maintainer onbuild run shell stopsignal user "
    "volume workdir".split()
)


def scan_dockerfile(content: bytes) -> Scan:
    """Find the references that BuildKit would see. A file that BuildKit refuses has a problem and no references."""
    found: tuple[Found, ...] = ()
    try:
        found, problems = _scan(content)
    except DockerfileError as error:
        problems = (error,)
    return make_scan(content, found, ((problem.offset, problem.reason) for problem in problems))


def _scan(content: bytes) -> tuple[tuple[Found, ...], tuple[DockerfileError, ...]]:
    if encoding := other_encoding(content):
        raise DockerfileError(0, f"it is {encoding}; save it as UTF-8, which is all that builders read")
    lines = split_lines(content)
    syntax = find_syntax(content, lines)
    found = () if syntax is None else (_found_syntax(syntax),)
    if syntax is not None and not syntax.is_dockerfile:
        return found, ()
    escape = find_escape(content, lines)
    commands = tuple(_read_commands(InstructionReader(content, lines, escape=escape), escape=escape))
    unknown = next((command for command in commands if command.name not in _INSTRUCTIONS), None)
    problems = () if unknown is None else (_unknown_instruction(unknown),)
    return (*found, *_Finder(commands, escape=escape).find()), problems


def _found_syntax(syntax: Syntax) -> Found:
    target = image_or_unresolved(syntax.value.text, find_position_in_text(syntax.value))
    return Found.at(ReferenceKind.SYNTAX, syntax.value, target)


def _unknown_instruction(command: Command) -> DockerfileError:
    name = command.name.upper()
    return DockerfileError(command.offset, f"unknown instruction {name if name.isprintable() else ascii(name)}")


def _read_commands(reader: InstructionReader, *, escape: str) -> Iterator[Command]:
    for instruction in reader:
        command = split_command(instruction, escape=escape)
        yield command
        if b"<<" in instruction.content:
            _skip_heredocs(reader, command, escape=escape)


def _skip_heredocs(reader: InstructionReader, command: Command, *, escape: str) -> None:
    inner = _triggered(command, escape=escape)
    if inner.name not in _WITH_HEREDOCS or is_json_array(inner.arguments.text):
        return
    instruction = command.instruction
    try:
        heredocs = find_heredocs(instruction.text(0, len(instruction.content)))
    except WordError as error:
        raise DockerfileError(command.offset, f"the name of a heredoc can't be read: {error}") from error
    for heredoc in heredocs:
        if not reader.skip_heredoc(heredoc.name, strips_tabs=heredoc.strips_tabs):
            raise DockerfileError(command.offset, "a heredoc is not terminated")


def _triggered(command: Command, *, escape: str) -> Command:
    """Return the instruction behind ``ONBUILD``, or else the instruction itself."""
    if command.name != "onbuild":
        return command
    return split_command(command.instruction, command.start, command.end, escape=escape)


class _Finder:
    """Resolves the references of a file in order, once all of its stages and variables are known."""

    def __init__(self, commands: tuple[Command, ...], *, escape: str) -> None:
        self._commands = commands
        self._escape = escape
        stages = tuple(parse_stage(command) for command in commands if command.name == "from")
        if not stages:
            raise DockerfileError(0, "there is no FROM in it")
        self._stages = Stages(stages)
        self._arguments = Arguments(target_stage=stages[-1].name)
        self._declare()
        self._note_uses(stages)

    def find(self) -> Iterator[Found]:
        for command in self._commands:
            match command.name:
                case "from":
                    yield self._from(parse_stage(command))
                case "copy" | "run":
                    yield from self._sources(command)
                case "onbuild":
                    yield from self._triggered_sources(_triggered(command, escape=self._escape))
                case _:
                    pass

    def _declare(self) -> None:
        """Declare the ARGs before the first FROM, where no other instruction is allowed."""
        for command in self._commands:
            if command.name == "from":
                return
            if command.name == "arg":
                for assignment in split_assignments(command.arguments, escape=self._escape):
                    self._arguments.declare(assignment, escape=self._escape)
            elif command.name in _INSTRUCTIONS:
                raise DockerfileError(command.offset, f"{command.name.upper()} before the first FROM")

    def _note_uses(self, stages: tuple[BuildStage, ...]) -> None:
        platforms = (command.flag_value("platform") for command in self._commands if command.name == "from")
        for source in (*(stage.word for stage in stages), *filter(None, platforms)):
            try:
                self._arguments.note_use(parse_word(source, escape=self._escape))
            except WordError:
                continue

    def _from(self, stage: BuildStage) -> Found:
        target = self._stages.resolve_from(stage.word, self._arguments.scope(), escape=self._escape)
        self._stages.begin(stage)
        return Found.at(ReferenceKind.FROM, stage.word, target)

    def _sources(self, command: Command) -> Iterator[Found]:
        if command.name == "copy":
            source = command.flag_value("from")
            if source:
                target = self._stages.resolve_copy(source, escape=self._escape)
                yield Found.at(ReferenceKind.COPY_FROM, source, target)
        if command.name == "run":
            for mount in command.flag_values("mount"):
                if source := find_mount_source(mount):
                    yield Found.at(ReferenceKind.MOUNT_FROM, source, self._stages.resolve_mount(source))

    def _triggered_sources(self, command: Command) -> Iterator[Found]:
        try:
            sources = tuple(self._sources(command))
        except DockerfileError:  # The build that it is kept for refuses it; this one does not look.
            return
        for found in sources:
            kind = ReferenceKind(f"onbuild-{found.kind}")
            yield replace(found, kind=kind, target=self._stages.outside(found.target))
