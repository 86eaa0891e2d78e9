"""Running the steps of a lock that ask (kept apart: start-up, with nothing stale these imports take 12 ms)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from imagelock.cli.options import Settings
from imagelock.cli.progress import watch
from imagelock.cli.sources import open_sources
from imagelock.errors import BatchError, ImagelockError, ImageNotFoundError, PlatformNotFoundError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import ImagesFile
from imagelock.locking.plan import LockResult, run_steps
from imagelock.locking.update_step import Step
from imagelock.model.selector import ExactDigest
from imagelock.project.project import Project
from imagelock.registry.sources import Sources


def run_with_questions(
    settings: Settings, project: Project, images_file: ImagesFile, steps: Sequence[Step], sources: Sources | None
) -> LockResult:
    """Run the steps, on sources that are open already or on new ones."""
    with (
        nullcontext(sources)
        if sources is not None
        else open_sources(settings, project.folder, images_file.registries) as source
    ):
        repositories = {str(step.declaration.alias): step.declaration.repository for step in steps}
        try:
            return run_steps(steps, source, watcher=watch(settings.console, "Locking", repositories))
        except BatchError as error:
            raise BatchError(error.summary, _with_hints(error, images_file), action=error.action) from error


def _with_hints(error: BatchError, images_file: ImagesFile) -> Iterator[tuple[str, ImagelockError]]:
    """Yield the failures; those of declared digests that are gone get a hint on what to declare instead."""
    by_digest = {image.alias: image.selector for image in images_file.images if isinstance(image.selector, ExactDigest)}
    for alias, failure in error.failures:
        selector = by_digest.get(Alias(alias))
        is_gone = isinstance(failure, ImageNotFoundError) and not isinstance(failure, PlatformNotFoundError)
        if selector is None or not is_gone:
            yield alias, failure
            continue
        hint = "name a tag in images.toml, or a digest that is served"
        if selector.tag is not None:
            hint = "run `imagelock scan --write --follow-tags` to declare tags instead of digests that are gone"
        yield alias, ImageNotFoundError(failure.message, details=failure.details, hint=hint)
