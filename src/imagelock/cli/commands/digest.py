"""``imagelock digest``: the digests that references have now, one line each, for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.progress import watch
from imagelock.cli.sources import open_sources_outside_project
from imagelock.cli.text import count
from imagelock.errors import BatchError
from imagelock.locking.parallel import run_all
from imagelock.locking.resolve import resolve_image, select_platforms
from imagelock.locking.source import ManifestSource
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform
from imagelock.model.reference import UnnormalizedReference, split_image


@click.command("digest")
@click.argument("references", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--full-ref", is_flag=True, help="Print REPOSITORY@DIGEST, as it can be pulled.")
@click.option("--platform", "platform_text", metavar="PLATFORM", help="Print the digest of one platform's manifest.")
@format_option
@with_settings
def command(
    settings: Settings, *, references: tuple[str, ...], full_ref: bool, platform_text: str | None, output_format: str
) -> None:
    """Print the digests of references.

    The digest is that of the image index, which serves every platform, or of the manifest if there is no index.
    """
    platform = None if platform_text is None else Platform.parse(platform_text)
    written = {text: split_image(text) for text in references}
    with open_sources_outside_project(settings) as source:
        source.prepare(reference.repository for reference in written.values())
        questions = {text: partial(_find_digest, reference, platform, source) for text, reference in written.items()}
        repositories = {text: reference.repository for text, reference in written.items()}
        answers = run_all(questions, watcher=watch(settings.console, "Asking about", repositories))
    if answers.failures:
        message = f"cannot resolve {len(answers.failures)} of {count(len(written), 'reference')}"
        raise BatchError(message, answers.failures, action="cannot resolve")
    if output_format == "json":
        settings.console.json(
            {
                "digests": [
                    {
                        "reference": text,
                        "digest": str(answers.found[text]),
                        "pinned": f"{written[text].name}@{answers.found[text]}",
                        "platform": platform and str(platform),
                    }
                    for text in references
                ]
            }
        )
        return
    for text in references:
        digest = answers.found[text]
        settings.console.data(f"{written[text].name}@{digest}" if full_ref else str(digest))
    if platform is not None:
        _note_platform(settings, platform, references)


def _find_digest(reference: UnnormalizedReference, platform: Platform | None, source: ManifestSource) -> Digest:
    if platform is None:
        return source.fetch_digest(reference.meaning)
    resolved = resolve_image(reference.meaning, source)
    [entry] = select_platforms([platform], resolved, reference.meaning)
    return entry.digest


def _note_platform(settings: Settings, platform: Platform, references: Sequence[str]) -> None:
    subject = "this digest serves" if len(references) == 1 else "these digests serve"
    settings.console.note(f"{subject} {platform} only; without --platform you get the one that serves all")
