"""Which words of a Dockerfile name a build stage instead of an image."""

from __future__ import annotations

import re

from imagelock.documents.digest_position import find_digest_position, find_position_in_text
from imagelock.documents.dockerfile.arguments import ArgumentScope
from imagelock.documents.dockerfile.instructions import Command
from imagelock.documents.dockerfile.lexer import parse_word
from imagelock.documents.dockerfile.lines import DockerfileError
from imagelock.documents.references import Image, NotEditable, Scratch, Stage, Target, Unresolved, image_or_unresolved
from imagelock.documents.spans import SourceText
from imagelock.documents.variables import Word, WordError, expand, find_empty_variable
from imagelock.model.frozen import frozen

_SCRATCH = "scratch"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_STAGE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NO_VARIABLES_HINT = "name a stage after the image, `FROM IMAGE AS NAME`, and use that name"
_NO_VALUE_HINT = "give the ARG a default before the first FROM"
_DEPENDS_ON_BUILD = NotEditable(
    "the platform or the target of the build decides the image", "name one stage per platform, each with its own FROM"
)
_MAY_BE_A_STAGE = NotEditable(
    "it may be a stage of the build that this image is the base of", "write a tag, as no stage has one"
)


@frozen
class BuildStage:
    """One ``FROM`` instruction."""

    word: SourceText
    name: str
    """In lower case; empty for a stage without a name."""


class NoVariables:
    """The scope of ``COPY --from``, in which nothing is set."""

    def find(self, name: str) -> None:  # noqa: ARG002  the protocol names it
        """Nothing, whatever the name."""
        return


class Stages:
    """All stages of a file. ``FROM`` sees those before it, by their exact names; others see all, whatever the case."""

    def __init__(self, stages: tuple[BuildStage, ...]) -> None:
        self._all = frozenset(stage.name for stage in stages if stage.name)
        self._count = len(stages)
        self._earlier: set[str] = set()

    def begin(self, stage: BuildStage) -> None:
        """Add the name of a stage, for all instructions after its ``FROM``."""
        if stage.name:
            self._earlier.add(stage.name)

    def resolve_from(self, source: SourceText, scope: ArgumentScope, *, escape: str) -> Target:
        """Return the target of ``FROM``."""
        try:
            word = parse_word(source, escape=escape)
            text = expand(word, scope)
        except WordError as error:
            return Unresolved("", str(error), "give the variable a default that is a whole reference")
        if not text:
            return Unresolved(text, "the variable has no value here", _NO_VALUE_HINT)
        if text in self._earlier:
            return Stage(text)
        if text == _SCRATCH:
            return Scratch(text)
        return self._image_of_from(text, word, scope)

    def resolve_copy(self, source: SourceText, *, escape: str) -> Target:
        """Return the target of ``COPY --from=``, where a number may mean a stage."""
        text = source.text
        try:
            is_plain = expand(parse_word(source, escape=escape), NoVariables()) == text
        except WordError:
            is_plain = False
        if not is_plain:
            return Unresolved(text, "BuildKit expands no variables in --from", _NO_VARIABLES_HINT)
        if _STAGE_NUMBER.fullmatch(text):
            if 0 <= int(text) < self._count:
                return Stage(text)
            return Unresolved(text, f"there is no stage number {text}")
        return self._stage_or_image(source)

    def resolve_mount(self, source: SourceText) -> Target:
        """Return the target of ``RUN --mount=from=``."""
        if "$" in source.text[:-1]:
            return Unresolved(source.text, "BuildKit expands no variables in from=", _NO_VARIABLES_HINT)
        return self._stage_or_image(source)

    @staticmethod
    def outside(target: Target) -> Target:
        """Return the target of a reference in the build that triggers it, whose stages are unknown here."""
        if isinstance(target, Image) and _STAGE_NAME.fullmatch(target.text):
            return Image(target.text, target.reference, _MAY_BE_A_STAGE)
        return target

    @staticmethod
    def _image_of_from(text: str, word: Word, scope: ArgumentScope) -> Target:
        if scope.depends_on_build(word):
            return image_or_unresolved(text, _DEPENDS_ON_BUILD)
        target = image_or_unresolved(text, find_digest_position(word, scope))
        if isinstance(target, Unresolved) and (name := find_empty_variable(word, scope)):
            return Unresolved(text, f"`{name}` has no value here", _NO_VALUE_HINT)
        return target

    def _stage_or_image(self, source: SourceText) -> Target:
        if source.text.lower() in self._all:
            return Stage(source.text)
        if source.text == _SCRATCH:
            return Scratch(source.text)
        return image_or_unresolved(source.text, find_position_in_text(source))


def parse_stage(command: Command) -> BuildStage:
    """Read ``FROM IMAGE [AS NAME]``, the only two forms: what trails is an error, comments included."""
    match tuple(command.words()):
        case (word,):
            return BuildStage(word, "")
        case (word, keyword, name) if keyword.text.lower() == "as":
            if not _STAGE_NAME.fullmatch(name.text.lower()):
                raise DockerfileError(name.span.start, f"`{name.text}` is not a name for a build stage")
            return BuildStage(word, name.text.lower())
        case _:
            raise DockerfileError(command.offset, "FROM takes one word, or three as in `FROM IMAGE AS NAME`")
