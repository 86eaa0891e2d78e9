"""Merging what git could not: entries are independent, so most of a conflicted images.lock can be kept."""

from __future__ import annotations

from dataclasses import dataclass

from imagelock.conflict_markers import conflict_sides
from imagelock.declaration import Alias, ImageDeclaration
from imagelock.freshness import compare
from imagelock.images_file import ImagesFile
from imagelock.lockfile import LockedImage, Lockfile
from imagelock.lockfile_text import LOCKFILE_NAME, parse_lockfile


@dataclass(frozen=True, slots=True)
class Repair:
    """What could be kept of both sides, and the images that have to be locked again."""

    lockfile: Lockfile
    lost: tuple[Alias, ...]


def merge_conflict(text: str, images_file: ImagesFile, *, file_name: str = LOCKFILE_NAME) -> Repair:
    """Keep each entry that answers its declaration and on which the sides don't disagree."""
    ours, theirs = (parse_lockfile(side, file_name=file_name).by_alias() for side in conflict_sides(text))
    kept: list[LockedImage] = []
    lost: list[Alias] = []
    for declaration in images_file.images:
        candidates = [side[declaration.alias] for side in (ours, theirs) if declaration.alias in side]
        answers = _distinct_answers(declaration, candidates)
        if len(answers) == 1:
            kept += answers
        elif candidates:
            lost.append(declaration.alias)
    return Repair(Lockfile(tuple(kept)), tuple(lost))


def _distinct_answers(declaration: ImageDeclaration, candidates: list[LockedImage]) -> list[LockedImage]:
    answers: list[LockedImage] = []
    for candidate in candidates:
        if candidate not in answers and not any(compare(declaration, candidate)):
            answers.append(candidate)
    return answers
