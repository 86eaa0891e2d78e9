"""``imagelock tags``: a repository's tags, and what a range would make of them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from imagelock.cli.console import Console
from imagelock.cli.layout import columns
from imagelock.cli.options import Settings, format_option, with_settings
from imagelock.cli.sources import open_sources_outside_project
from imagelock.cli.text import count
from imagelock.errors import ImagelockError, InvalidSelectorError, NoTagError, NoTagReason
from imagelock.model.artifacts import is_referrer_tag
from imagelock.model.reference import AnyRepository, parse_repository
from imagelock.model.selector import selector_fields
from imagelock.model.tags.guess import find_longer_pattern
from imagelock.model.tags.selection import Chosen, TagMatch, choose_tag, remarks_on, review_tags, sort_tags
from imagelock.model.tags.specifier import ANY_VERSION
from imagelock.model.tags.version_range import VersionRange, parse_version_range


@click.command("tags")
@click.argument("repository", metavar="REPOSITORY")
@click.option("--version", metavar="RANGE", help="Show which tag a range such as `>=20.11,<21` takes.")
@click.option("--variant", metavar="VARIANT", help="Read versions of a variant: short for `--tag {version}-VARIANT`.")
@click.option("--tag", "pattern", metavar="PATTERN", help="Read versions by a pattern such as `{version}-slim`.")
@click.option("--precision", type=int, metavar="N", help="Take versions of N numbers only, floating tags included.")
@click.option("--prereleases", is_flag=True, help="Take pre-releases as well.")
@format_option
@with_settings
def command(  # noqa: PLR0913  click hands over each option as an argument
    settings: Settings,
    *,
    repository: str,
    version: str | None,
    variant: str | None,
    pattern: str | None,
    precision: int | None,
    prereleases: bool,
    output_format: str,
) -> None:
    """List the tags of a repository.

    Newest version first. With a range, shows which tag it takes and why not the others; `-v` also lists tags that do
    not fit the pattern.
    """
    asked = parse_repository(repository)
    if version is None and (precision is not None or prereleases):
        version = ANY_VERSION
    wanted = _parse_range(version=version, variant=variant, tag=pattern, precision=precision, prereleases=prereleases)
    with open_sources_outside_project(settings) as sources:
        listed = sources.list_tags(asked)
    tags = [tag for tag in listed if not is_referrer_tag(tag)]
    kin = sorted(set(listed).difference(tags))
    if wanted is None:
        _show_list(settings.console, asked, sort_tags(tags), kin, output_format=output_format)
    else:
        _show_review(settings.console, asked, wanted, tags, output_format=output_format)


def _parse_range(
    *, version: str | None, variant: str | None, tag: str | None, precision: int | None, prereleases: bool
) -> VersionRange | None:
    try:
        wanted = parse_version_range(
            version=version, variant=variant, tag=tag, precision=precision, prereleases=prereleases
        )
    except InvalidSelectorError as error:
        raise ImagelockError(f"--{error.field}: {error.message}", details=error.details, hint=error.hint) from error
    if wanted is None and tag is not None:
        raise ImagelockError(f"--tag: `{tag}` is not a pattern", hint="write `{version}` in the place of the version")
    return wanted


def _show_list(
    console: Console, repository: AnyRepository, tags: Sequence[str], kin: Sequence[str], *, output_format: str
) -> None:
    """Print the tags, and apart from them what cosign and others have written as tags of digests."""
    if output_format == "json":
        console.json({"repository": str(repository), "tags": [{"tag": tag} for tag in tags], "of_digests": list(kin)})
        return
    for tag in tags:
        console.data(tag)
    console.say(f"{count(len(tags), 'tag')} of {repository}")
    if kin:
        rest = "" if console.verbosity else "; `-v` lists them"
        console.note(f"{count(len(kin), 'tag')} of digests set apart: signatures, attestations and the like{rest}")
        if console.verbosity:
            for tag in kin:
                console.item(tag)


def _show_review(
    console: Console, repository: AnyRepository, wanted: VersionRange, tags: Sequence[str], *, output_format: str
) -> None:
    verdicts = review_tags(wanted, tags)
    taken = next((verdict.tag for verdict in verdicts if not verdict.mismatches), None)
    if output_format == "json":
        document = {"repository": str(repository), "range": selector_fields(wanted), "chosen": taken}
        console.json({**document, "tags": [_verdict_document(verdict) for verdict in verdicts]})
    else:
        _print_verdicts(console, verdicts, taken)
    chosen = _choose(wanted, tags, repository)
    fitting = sum(verdict.version is not None for verdict in verdicts)
    console.say(f"{chosen.tag} is what {wanted} takes; {fitting} of {count(len(verdicts), 'tag')} fit the pattern")
    longer = find_longer_pattern(wanted.pattern, chosen.tag, tags)
    if longer is not None:
        console.note(str(longer))
    for remark in remarks_on(wanted, chosen.tag, tags):
        console.note(remark)


def _choose(wanted: VersionRange, tags: Sequence[str], repository: AnyRepository) -> Chosen:
    try:
        return choose_tag(wanted, tags, repository=repository)
    except NoTagError as error:
        # Its reader has just run the command that its hint may name, and sees the tags.
        hint = None if error.reason is NoTagReason.NONE else error.hint
        raise NoTagError(error.message, reason=error.reason, hint=hint) from error


def _print_verdicts(console: Console, verdicts: Sequence[TagMatch], taken: str | None) -> None:
    shown = [verdict for verdict in verdicts if verdict.version is not None or console.verbosity]
    rows = [(verdict.tag, verdict.version or "", _remark(verdict, taken)) for verdict in shown]
    for line in columns(rows, width=console.stdout_width, prose=2) if rows else ():
        console.data(line)


def _remark(verdict: TagMatch, taken: str | None) -> str:
    if verdict.tag == taken:
        return "chosen"
    return " and ".join(verdict.mismatches) or "in the range"


def _verdict_document(verdict: TagMatch) -> dict[str, object]:
    return {"tag": verdict.tag, "version": verdict.version, "reasons": list(verdict.mismatches)}
