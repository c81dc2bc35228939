from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stream.records.lanes import Lane
from stream.records.output import Kind, Output
from stream.runtime.edge_rules import DELIVERY_MS, REPEATS, STALE_MS, Verdict, followed, judge, published, read_back

FIRST = Output(Kind.CITY, b"w", b"one", 1_000, "a", (), "w", 1, 2, 100_000, "first", "flood")
SECOND = replace(FIRST, value=b"two", revision=2, level=3)


def verdict(output: Output, before: Output | None, *, now: int | None = 2_000, followed_by: bool = False) -> Verdict:
    return judge(output, None if before is None else published(before), now=now, followed=followed_by)


def test_a_new_revision_is_published() -> None:
    assert verdict(FIRST, None) is verdict(SECOND, FIRST) is Verdict.PUBLISHED


def test_the_same_revision_with_the_same_bytes_is_not_sent_again_unless_it_is_meant_to_be() -> None:
    assert verdict(FIRST, FIRST) is Verdict.REPEATED
    assert {verdict(replace(FIRST, reason=reason), FIRST) for reason in REPEATS} == {Verdict.PUBLISHED}


def test_the_same_revision_with_other_bytes_is_sent_and_alarms() -> None:
    found = verdict(replace(FIRST, value=b"other"), FIRST)
    assert found is Verdict.DIFFERENT
    assert found.sent
    assert found.alarming


def test_a_lower_revision_is_not_sent_unless_its_level_is_higher() -> None:
    assert verdict(FIRST, SECOND) is Verdict.OLDER
    found = verdict(replace(FIRST, level=4), SECOND)
    assert found is Verdict.OLDER_BUT_HIGHER
    assert found.sent
    assert found.alarming


def test_a_warning_that_expired_or_would_on_its_way_goes_to_late() -> None:
    assert verdict(FIRST, None, now=99_999 - DELIVERY_MS) is Verdict.PUBLISHED
    assert verdict(FIRST, None, now=100_000 - DELIVERY_MS) is Verdict.EXPIRED
    assert verdict(FIRST, None, now=100_000).late


def test_a_superseded_warning_goes_to_late_only_when_it_is_old() -> None:
    assert verdict(FIRST, None, now=1_000 + STALE_MS, followed_by=True) is Verdict.PUBLISHED
    assert verdict(FIRST, None, now=1_001 + STALE_MS, followed_by=True) is Verdict.SUPERSEDED
    assert verdict(FIRST, None, now=1_001 + STALE_MS) is Verdict.PUBLISHED


def test_nothing_is_late_where_the_clock_is_not_to_be_trusted_or_on_replay_lanes() -> None:
    assert verdict(FIRST, None, now=None, followed_by=True) is Verdict.PUBLISHED


def test_the_compacted_topic_keeps_the_books_even_of_late_warnings() -> None:
    assert verdict(replace(FIRST, kind=Kind.WARNINGS), None, now=200_000) is Verdict.PUBLISHED


def test_only_a_later_revision_of_the_same_warning_and_kind_supersedes() -> None:
    other = replace(FIRST, warning_id="v")
    assert followed([FIRST, other, replace(SECOND, kind=Kind.WARNINGS), SECOND, FIRST]) == [True, False, False, False, False]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4), st.binary(max_size=2)), max_size=20))
def test_a_sent_revision_is_never_below_the_published_one_without_an_alarm(steps: list[tuple[int, int, bytes]]) -> None:
    before = None
    for revision, level, value in steps:
        output = replace(FIRST, revision=revision, level=level, value=value)
        found = judge(output, before, now=None, followed=False)
        assert not (found.sent and before is not None and revision < before.revision) or found.alarming
        if before is None or revision >= before.revision:
            before = published(output)


def test_what_was_muted_and_so_stands_on_the_compacted_topic_alone_holds_back_no_later_revision() -> None:
    muted = read_back(b'{"revision":1,"level":"yellow","lane":"live","muted_by":["silence:stm-1"]}', Lane.LIVE)
    assert muted is not None
    assert judge(SECOND, muted, now=2_000, followed=False) is Verdict.PUBLISHED
    beside = replace(SECOND, kind=Kind.WARNINGS, revision=3)
    assert followed([FIRST, beside]) == [False, False], "a revision the city is not sent supersedes nothing on its topic"
