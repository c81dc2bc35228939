from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from stream.runtime.follow import Followed
from stream.runtime.marks import MARGIN_MS, Marks, mark
from stream.runtime.positions import Partition, Positions

DOOR = Partition("measurements.water", 0)


@dataclass
class Door:
    """A door partition as the broker has it: append times of its records, and our record on `marks` taken at some time."""

    appended_at: list[int]

    def end(self) -> int:
        return len(self.appended_at)


@given(
    times=st.lists(st.integers(0, 100_000), max_size=30),
    taken_at=st.integers(0, 100_000),
    asked_after=st.integers(0, 5_000),
    position=st.integers(0, 30),
)
def test_everything_appended_up_to_a_mark_is_below_the_position(times: list[int], taken_at: int, asked_after: int, position: int) -> None:
    everything = sorted(times)
    # The end is asked for at taken_at + asked_after: it counts what was appended until then.
    seen = Door([at for at in everything if at <= taken_at + asked_after])
    position = min(position, len(everything))
    last_at = everything[position - 1] if position else None
    found = mark(taken_at=taken_at, position=position, end=seen.end(), last_at=last_at)
    if found is not None:
        assert all(offset < position for offset, at in enumerate(everything) if at <= found)


def test_an_idle_door_is_marked_up_to_the_margin() -> None:
    assert mark(taken_at=10_000, position=0, end=0, last_at=None) == 10_000 - MARGIN_MS


def test_a_position_moves_only_over_runs_that_are_finished_in_order() -> None:
    positions = Positions()
    positions.start_generation(1)
    first = positions.begin(DOOR, 10, 100, 1)
    second = positions.begin(DOOR, 20, 200, 1)
    second.set()
    positions.advance(DOOR)
    assert positions.of(DOOR) is None
    first.set()
    positions.advance(DOOR)
    assert (positions.of(DOOR), positions.last_at(DOOR)) == (20, 200)
    assert positions.beyond({DOOR: 15}, [DOOR]) == {DOOR: 20}
    assert positions.beyond({DOOR: 20}, [DOOR]) == {}
    assert positions.beyond({}, []) == {}


def test_runs_of_an_older_generation_move_nothing() -> None:
    positions = Positions()
    positions.start_generation(1)
    old = positions.begin(DOOR, 10, 100, 1)
    positions.start_generation(2)
    old.set()
    positions.advance(DOOR)
    positions.set(DOOR, 7, 1)
    assert positions.of(DOOR) is None


def one(value: int, at: int) -> Followed:
    return Followed("marks", 0, 0, at, b"measurements.water/0", str(value).encode())


def test_a_mark_never_goes_back_but_one_that_a_wrong_clock_put_into_the_future_is_replaced() -> None:
    marks = Marks.__new__(Marks)
    marks._said = {}
    hour, day = 3_600_000, 86_400_000
    marks.take([one(10 * hour, 10 * hour + 500), one(10 * hour - 5_000, 10 * hour + 600)])
    assert marks.said("measurements.water/0") == 10 * hour
    marks.take([one(10 * hour + day, 10 * hour + day + 900)])
    assert marks.said("measurements.water/0") == 10 * hour + day
    marks.take([one(10 * hour + 2_000, 10 * hour + 4_000)])
    assert marks.said("measurements.water/0") == 10 * hour + 2_000


def test_what_a_broker_ahead_stamped_says_nothing_of_how_far_a_door_is_read() -> None:
    assert mark(taken_at=10_000_000, position=6, end=7, last_at=96_400_000) is None
