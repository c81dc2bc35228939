"""What the HTTP gateway remembers: answers by key, and what it heard of stations. Both are bounded, whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.accept.refusal import Fault, Refused
from stream.gateways.idempotency import Keys
from stream.gateways.last_seen import LastSeen
from stream.gateways.verdict import Item, Judged, Verdict, Wrong

STEPS = st.lists(st.tuples(st.sampled_from(["begin", "done", "forget"]), st.sampled_from("abcdef"), st.integers(0, 900)), max_size=60)


@given(STEPS)
def test_an_answer_is_given_again_only_to_its_own_key_and_the_memory_stays_bounded(steps: list[tuple[str, str, int]]) -> None:
    keys = Keys(2_000, 10_000)
    running: set[str] = set()
    given_before: dict[str, bytes] = {}
    for now, (step, key, size) in enumerate(steps):
        if step == "begin":
            kept = keys.begin(key, key.encode(), now)
            if kept is None:
                running.add(key)
            elif kept.running:
                assert key in running
            else:
                assert (kept.digest, kept.body) == (key.encode(), given_before[key])
        elif key in running:
            running.discard(key)
            if step == "done":
                given_before[key] = b"x" * size
                keys.done(key, 202, given_before[key], now)
            else:
                keys.forget(key)
                assert keys.begin(key, b"", now) is None
                keys.forget(key)
        assert keys.size <= 2_000 + len(running) * 401
        assert running <= {one for one in "abcdef" if one in keys._kept}


def test_what_is_being_worked_on_is_never_forgotten_and_what_is_old_is() -> None:
    keys = Keys(1, 1_000)
    assert keys.begin("a", b"1", 0) is None
    assert keys.begin("b", b"1", 500_000) is None
    assert keys.begin("a", b"1", 500_000) is not None
    keys.done("b", 202, b"", 500_001)
    assert keys.begin("b", b"1", 500_002) is None


def test_junk_cannot_push_out_what_is_real() -> None:
    seen = LastSeen(100)
    seen.note("g", [Item("$", {"station": "upper", "observed_at": "x"})], [Judged(0, Verdict.ACCEPTED)], 1)
    junk = [Item("$", {"station": f"s{number}"}) for number in range(1_000)]
    seen.note("g", junk, [Judged(at, Verdict.REJECTED, "$", "no") for at in range(1_000)], 2)
    sights = seen.sights()
    assert len(sights) == 11
    assert [one.taken for one in sights if one.station == "upper"] == [1]


def test_counts_are_kept_by_gateway_and_only_ones_own_are_shown() -> None:
    seen = LastSeen(100)
    for gateway in ("a", "b", "a"):
        found = [Item("$[0]", {"series": "upper/stage", "observed_at": 5}), Wrong("$[1]", Fault(Refused.WRONG_TYPE, ""))]
        seen.note(gateway, found, [Judged(0, Verdict.DUPLICATE), Judged(1, Verdict.REJECTED, "$[1]", "why")], 1_000)
    assert [(one.station, one.taken, one.rejected, one.error) for one in seen.sights(seen.places(["a"]))] == [
        ("", 0, 2, "why"),
        ("upper", 2, 0, ""),
    ]
    assert len(seen.sights()) == 4
