"""images.toml: which images a project wants, for which platforms, and which files they are rendered into.

People write it, so it is read strictly: a misspelled key is an error with a guess, and one run reports every problem
with its line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import field
from posixpath import normpath
from typing import TYPE_CHECKING

from imagelock.errors import ImagelockError, ImagesFileError, did_you_mean, join_problems
from imagelock.images_file.declaration import Alias, Defaults, ImageDeclaration, is_alias, read_declaration
from imagelock.images_file.external import NOTHING_EXTERNAL, ExternalDeclaration, read_external
from imagelock.images_file.pins import PinDeclaration, read_pins
from imagelock.images_file.toml import (
    Path,
    Problem,
    Problems,
    TableReader,
    find_lines,
    nearest_line,
    refuse_control_characters,
    split_position,
)
from imagelock.model.conflict_markers import find_conflict
from imagelock.model.frozen import frozen
from imagelock.model.reference import AnyRepository
from imagelock.model.selector import Selector

if TYPE_CHECKING:
    from imagelock.documents.context import DocumentRules  # 30 ms that only [kinds] and [paths] need
    from imagelock.images_file.exports import ExportTarget  # 1 ms that only [export] needs
    from imagelock.images_file.registries import RegistryDeclaration  # as above

IMAGES_FILE_NAME = "images.toml"
_OWN_FILES = (IMAGES_FILE_NAME, "images.lock")
_NOT_AN_OUTPUT = "is written by people and by `imagelock lock`, not by `imagelock render`"


@frozen
class RenderTarget:
    """A file that ``render`` writes, and the template that it is made from; relative to the folder of images.toml."""

    output: str
    template: str


@frozen
class ImagesFile:
    """The whole of images.toml, sorted by alias and by output."""

    images: tuple[ImageDeclaration, ...]
    targets: tuple[RenderTarget, ...] = ()
    registries: tuple[RegistryDeclaration, ...] = ()
    pins: PinDeclaration = field(default_factory=PinDeclaration)
    external: ExternalDeclaration = NOTHING_EXTERNAL
    exports: tuple[ExportTarget, ...] = ()
    documents: DocumentRules | None = None
    """What ``[kinds]`` and ``[paths]`` say; ``None`` where neither is there."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """All files that ``render`` writes whole, relative to the folder of images.toml."""
        return (*(target.output for target in self.targets), *(target.output for target in self.exports))


def parse_images_file(text: str, *, file_name: str = IMAGES_FILE_NAME) -> ImagesFile:
    """Read images.toml; ``ImagesFileError`` lists every problem in it, in the order of the lines."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the parser lets both out for huge numbers and deep arrays
        raise _unreadable(error, text, file_name) from error
    problems = Problems()
    images_file = _read_document(TableReader(document, (), problems))
    refuse_control_characters(document, problems)
    if problems.found:
        raise images_file_error(text, problems.found, file_name)
    return images_file


def _unreadable(error: Exception, text: str, file_name: str) -> ImagesFileError:
    conflict = find_conflict(text)
    if conflict:
        return ImagesFileError(
            f"{file_name} has conflict markers",
            details=[f"{file_name}:{conflict}: a merge left both sides here, and only you can choose"],
            hint=f"edit {file_name}, then run `imagelock lock`: it merges images.lock itself",
        )
    sentence, line = split_position(error, text)
    return ImagesFileError(f"cannot read {file_name}", details=[f"{file_name}:{line}: {sentence}"])


def _read_document(document: TableReader) -> ImagesFile:
    problems = document.problems
    defaults = Defaults.read(document)
    declarations = (read_declaration(*item, defaults, problems) for item in document.table("images").items())
    images = sorted(filter(None, declarations), key=lambda image: image.alias)
    _refuse_second_names(images, problems)
    targets = sorted(
        _read_targets(TableReader(document.table("render"), ("render",), problems)), key=lambda target: target.output
    )
    _refuse_circles(targets, problems)
    registries = _read_registries(document) if document.has("registries") else ()
    pins = read_pins(document.table("pin"), problems)
    external = read_external(document.table("external"), images, problems)
    exports = _read_exports(document, images) if document.has("export") else ()
    _refuse_outputs_twice(targets, exports, pins, problems)
    rules = _read_rules(document)
    document.refuse_other_keys()
    return ImagesFile(tuple(images), tuple(targets), registries, pins, external, exports, rules)


def _read_rules(document: TableReader) -> DocumentRules | None:
    kinds, paths = document.table("kinds"), document.table("paths")
    if not kinds and not paths:
        return None
    from imagelock.images_file.document_rules import read_document_rules  # noqa: PLC0415  30 ms of reading documents

    return read_document_rules(kinds, paths, document.problems)


def _read_targets(table: TableReader) -> Iterable[RenderTarget]:
    outputs: dict[str, str] = {}
    for output, template in table.items():
        if not isinstance(template, str) or not template or not output:
            table.add(output, 'must name a template, as in `"Dockerfile" = "Dockerfile.in"`')
        elif normpath(output) == normpath(template):
            table.add(output, "is its own template")
        elif normpath(output) in _OWN_FILES:
            table.add(output, _NOT_AN_OUTPUT)
        elif normpath(output) in outputs:
            table.add(output, f"is the same file as `{outputs[normpath(output)]}`")
        else:
            outputs[normpath(output)] = output
            yield RenderTarget(output, template)


def _read_registries(document: TableReader) -> tuple[RegistryDeclaration, ...]:
    from imagelock.images_file.registries import read_registries  # noqa: PLC0415  only [registries] needs it

    return read_registries(document.table("registries"), document.problems)


def _read_exports(document: TableReader, images: Iterable[ImageDeclaration]) -> tuple[ExportTarget, ...]:
    from imagelock.images_file.exports import read_exports  # noqa: PLC0415  1 ms that only [export] needs

    return read_exports(document.table("export"), (image.alias for image in images), document.problems)


def _refuse_circles(targets: Iterable[RenderTarget], problems: Problems) -> None:
    """Note outputs that are rendered from themselves, through templates that are outputs."""
    templates = {normpath(target.output): normpath(target.template) for target in targets}
    for target in targets:
        output = normpath(target.output)
        steps = [output]
        while (step := templates.get(steps[-1])) is not None and step not in steps:
            steps.append(step)
        if step == output:
            chain = " from ".join(f"`{each}`" for each in (*steps, output))
            problems.add(("render", target.output), f"is made from itself: {chain}")


def _refuse_outputs_twice(
    targets: Iterable[RenderTarget], exports: Iterable[ExportTarget], pins: PinDeclaration, problems: Problems
) -> None:
    """Note exports to images.toml, images.lock, a template, an output of a template or a file of ``[pin]``."""
    rendered = {normpath(target.output) for target in targets}
    for export in exports:
        path = normpath(export.output)
        if path in _OWN_FILES:
            problems.add(("export", export.output), _NOT_AN_OUTPUT)
        elif path in rendered:
            problems.add(("export", export.output), "is an output of [render] as well: keep one of the two")
        elif path in (*pins.files, *pins.digest_only):
            problems.add(("export", export.output), "is a file of [pin] as well: its digests are those of the lock")


def _refuse_second_names(images: Iterable[ImageDeclaration], problems: Problems) -> None:
    """Note two aliases for one image: a reference in a file could mean either."""
    first_alias: dict[tuple[AnyRepository, Selector], Alias] = {}
    for image in images:
        first = first_alias.setdefault((image.repository, image.selector), image.alias)
        if first != image.alias:
            problems.add(("images", image.alias), f"is the same image as `{first}`: keep one of the two")


def images_file_error(text: str, found: Iterable[Problem], file_name: str) -> ImagesFileError:
    """Return an error that lists each problem with its line in the text of images.toml."""
    lines = find_lines(text)
    by_line = sorted(((nearest_line(lines, problem.path), problem) for problem in found), key=lambda pair: pair[0])
    details, hint = join_problems(
        (f"{file_name}:{line}: {_dotted(problem.path)}: {problem.sentence}", problem.details, problem.hint)
        for line, problem in by_line
    )
    return ImagesFileError(f"cannot use {file_name}", details=details, hint=hint)


def _dotted(path: Path) -> str:
    return ".".join(key if is_alias(key) else f'"{key}"' for key in path)


def refuse_unknown_images(names: Iterable[str], images_file: ImagesFile) -> None:
    """Raise ``ImagesFileError`` for names that images.toml does not have, each with the most similar one."""
    aliases = [image.alias for image in images_file.images]
    unknown = [name for name in names if name not in aliases]
    if unknown:
        guesses = [f"{IMAGES_FILE_NAME} has no image `{name}`{did_you_mean(name, aliases)}" for name in unknown]
        raise ImagelockError(guesses[0], details=guesses[1:])
