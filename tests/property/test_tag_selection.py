from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import Specifier, SpecifierSet

from imagelock.errors import InvalidSelectorError, NoTagError
from imagelock.model.reference import parse_repository
from imagelock.model.tags.guess import guess_pattern
from imagelock.model.tags.selection import Chosen, accepts, choose_tag, review_tags, sort_tags
from imagelock.model.tags.specifier import dump_specifier, parse_specifier
from imagelock.model.tags.version_range import VersionRange, bounded_range_for, parse_version_range, range_fields

NUMBERS = st.lists(st.sampled_from(["0", "1", "2", "3", "04", "10"]), min_size=1, max_size=4).map(".".join)
SUFFIXES = st.sampled_from(["", "", "", "rc1", "-rc", "-beta.2", ".post1", "a0", "-dev"])
VERSIONS = st.builds("{}{}".format, NUMBERS, SUFFIXES)
SERIALS = st.sampled_from(["20240101", "20240606", "20250101", "1234567"])
DATES = st.sampled_from(["2024-06", "2024-06-13", "20240613", "2024.06.13", "2024-06-13T22-53-53Z"])
BUILDS = st.sampled_from(["1", "2", "10", "2.1", "08", "20240101", "20250101"])
ENDINGS = st.sampled_from(["", "", "-slim", "-alpine"])
TAGS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["", "", "v"]), VERSIONS, ENDINGS),
    st.builds("{}_{}{}".format, VERSIONS, BUILDS, ENDINGS),
    st.builds("{}{}".format, st.one_of(SERIALS, DATES), ENDINGS),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True),
    st.sampled_from(["latest", "1a23456", "deadbee"]),
)
TAG_LISTS = st.lists(TAGS, max_size=12)

CLAUSES = st.one_of(
    st.builds("{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!="]), VERSIONS),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), NUMBERS),
    st.builds("{}{}+{}".format, st.sampled_from(["==", "!="]), NUMBERS, BUILDS),
    st.builds("~={}.1".format, NUMBERS),
    st.builds(">={}".format, SERIALS),
)
SPECIFIERS = st.one_of(st.sampled_from(["*", ">=0", ">=1"]), st.lists(CLAUSES, min_size=1, max_size=3).map(",".join))
PATTERNS = st.sampled_from(["{version}", "{version}-slim", "v{version}", "{version}_{build}", "{date}", "{date}-slim"])
PRECISIONS = st.sampled_from([None, None, None, 1, 2, 3])


@st.composite
def ranges(draw: st.DrawFn) -> VersionRange:
    wanted = parse_version_range(
        version=draw(SPECIFIERS), tag=draw(PATTERNS), precision=draw(PRECISIONS), prereleases=draw(st.booleans())
    )
    assert wanted is not None
    return wanted


@st.composite
def fitting_tags(draw: st.DrawFn, wanted: VersionRange) -> list[str]:
    holes = {"{version}": st.one_of(VERSIONS, VERSIONS, SERIALS), "{date}": DATES, "{build}": BUILDS}
    tags = []
    for _ in range(draw(st.integers(1, 8))):
        tag = wanted.pattern.text
        for hole, filling in holes.items():
            tag = tag.replace(hole, draw(filling))
        tags.append(tag)
    return tags


@st.composite
def choices(draw: st.DrawFn) -> tuple[VersionRange, list[str], Chosen]:
    """A range, a list of tags, and the tag that the range takes from them."""
    wanted = draw(ranges())
    tags = draw(fitting_tags(wanted)) + draw(TAG_LISTS)
    chosen = _answer(wanted, tags)
    if not isinstance(chosen, Chosen):
        wanted = replace(wanted, clauses=(), prereleases=True, precision=None)
        chosen = _answer(wanted, tags)
    assume(isinstance(chosen, Chosen))
    assert isinstance(chosen, Chosen)
    return wanted, tags, chosen


def _answer(wanted: VersionRange, tags: list[str]) -> Chosen | tuple[str, ...]:
    try:
        return choose_tag(wanted, tags, repository=parse_repository("x"))
    except NoTagError as error:
        return (error.message, *error.details, error.hint or "")


@given(ranges(), st.data())
def test_the_order_of_the_list_and_doubles_change_nothing(wanted: VersionRange, data: st.DataObject) -> None:
    tags = data.draw(fitting_tags(wanted)) + data.draw(TAG_LISTS)
    shuffled = data.draw(st.permutations(tags + tags[:3]))

    assert _answer(wanted, shuffled) == _answer(wanted, tags)
    assert review_tags(wanted, shuffled) == review_tags(wanted, tags)
    assert sort_tags(shuffled) == sort_tags(tags)


@given(choices(), TAG_LISTS)
def test_tags_that_do_not_fit_the_pattern_never_change_the_choice(
    choice: tuple[VersionRange, list[str], Chosen], others: list[str]
) -> None:
    wanted, tags, chosen = choice
    unfit = [verdict.tag for verdict in review_tags(wanted, others) if verdict.version is None]

    assert _answer(wanted, tags + unfit) == chosen


@given(choices())
def test_the_chosen_version_chooses_the_same_tag_again(choice: tuple[VersionRange, list[str], Chosen]) -> None:
    wanted, tags, chosen = choice
    again = VersionRange(parse_specifier(f"=={chosen.version}"), wanted.pattern, wanted.precision)

    assert _answer(again, tags) == chosen


@given(choices())
def test_a_chosen_tag_is_kept_and_leads_the_review(choice: tuple[VersionRange, list[str], Chosen]) -> None:
    wanted, tags, chosen = choice

    assert accepts(wanted, chosen.tag)
    assert next(verdict.tag for verdict in review_tags(wanted, tags) if not verdict.mismatches) == chosen.tag


@given(ranges())
def test_declared_fields_are_read_back(wanted: VersionRange) -> None:
    assert parse_version_range(**range_fields(wanted)) == wanted  # type: ignore[arg-type]  # the values differ in type


@given(SPECIFIERS)
def test_packaging_reads_what_we_accept_and_prints_it_alike(text: str) -> None:
    ours = parse_specifier(text)
    theirs = {Specifier(str(clause)) for clause in ours}

    assert {str(specifier) for specifier in theirs} <= {str(clause) for clause in ours}
    # Sets of `packaging` drop one of two clauses that are equal though written otherwise, `>=1` or `>=1.0`.
    if len(theirs) == len(ours) > 0:
        assert str(SpecifierSet(text)) == dump_specifier(ours)


@given(TAGS)
def test_the_range_of_a_tag_takes_the_tag_and_ends(tag: str) -> None:
    wanted = bounded_range_for(tag)
    assume(wanted is not None)
    assert wanted is not None

    assert accepts(wanted, tag)
    assert not wanted.is_unbounded


@given(TAGS)
def test_a_guessed_pattern_fits_its_tag(tag: str) -> None:
    reading = guess_pattern(tag)
    assume(reading is not None)
    assert reading is not None

    assert reading.pattern.match(tag) is not None


@given(st.text(max_size=300), st.text(max_size=300), st.booleans())
def test_any_text_is_read_or_refused_with_its_key(version: str, text: str, is_variant: bool) -> None:  # noqa: FBT001  drawn
    keys = {"version": version, "variant" if is_variant else "tag": text}
    try:
        parse_version_range(**keys)  # type: ignore[arg-type]  # the keys' names are drawn
    except InvalidSelectorError as error:
        assert error.field in keys  # noqa: PT017  any other error would be one of ours
