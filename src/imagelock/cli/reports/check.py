"""How `check` reports problems to people, and everything to scripts, code scanning and CI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagelock.cli.console import Console
from imagelock.cli.reports.annotations import annotate
from imagelock.cli.reports.finding_report import annotation, document, hints, lines, markdown_lines
from imagelock.cli.reports.findings import FREEZE_EXPIRED, UNREAD_FILE, UNREAD_PLACE, Report
from imagelock.cli.reports.search_notes import joined, unread_document
from imagelock.cli.text import count
from imagelock.errors import CheckFailedError
from imagelock.locking.freshness import Mismatch
from imagelock.project.project import Project


def tell(
    console: Console, project: Project, report: Report, mismatches: Sequence[Mismatch], *, output_format: str
) -> None:
    """Print what was found in a format, and annotate it in CI; ``CheckFailedError`` if anything is wrong."""
    match output_format:
        case "json":
            console.json(_document(console, report))
        case "markdown":
            console.data("\n".join(markdown_lines(report)))
        case "sarif":
            from imagelock.cli.reports.sarif import sarif_document  # noqa: PLC0415  only code scanning needs it

            console.plain_json(sarif_document(report.wrong, report.listed))
        case "gitlab":
            from imagelock.cli.reports.code_quality import code_quality_issues  # noqa: PLC0415  only GitLab needs it

            console.plain_json(code_quality_issues(report.wrong, report.listed))
        case _:
            pass  # text is the error below, or the last line of the command
    if report.wrong:
        annotate(console, [annotation(each) for each in report.wrong])
        raise _failure(project, report, mismatches, width=console.details_width)


def _document(console: Console, report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {"ok": not report.wrong}
    found["problems"] = [document(each, console.complete) for each in report.wrong]
    if report.listed:
        found["listed"] = [document(each, console.complete) for each in report.listed]
    if report.uncarried:
        found["written_nowhere"] = report.uncarried
    return found | unread_document(joined(report.unread))


def _failure(
    project: Project, report: Report, mismatches: Sequence[Mismatch], *, width: int | None
) -> CheckFailedError:
    if mismatches:
        message = project.stale_message(mismatches)
    elif all(each.kind == FREEZE_EXPIRED for each in report.wrong):
        verb = "has" if len(report.wrong) == 1 else "have"
        return CheckFailedError(
            f"{count(len(report.wrong), 'freeze')} {verb} expired",
            details=[f"{each.path}:{each.line}: {each.name}: {each.reason}" for each in report.wrong],
            hint=report.wrong[0].way_out,
        )
    elif all(each.reference for each in report.wrong):
        message = f"{count(len(report.wrong), 'reference')} not as locked"
    elif all(each.kind in (UNREAD_FILE, UNREAD_PLACE) for each in report.wrong):
        message = f"{count(len(report.wrong), 'place')} may have images and cannot be read"
    else:
        message = "files are not as locked"
    details, told = lines(report.wrong, width=width), hints(report.wrong)
    return CheckFailedError(message, details=details, hint=next(iter(told), None), further_hints=told[1:])
