"""Bodies within bounds: what is too large is noticed before it is held."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.gateways.http_answers import Refusal
from stream.gateways.http_body import Budget, Share, read, unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Pieces:
    """A body in pieces, and how many of them were asked for."""

    def __init__(self, *pieces: bytes, wait_s: float = 0.0) -> None:
        self._pieces, self._wait_s, self.asked = pieces, wait_s, 0

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:  # noqa: ARG002
        for piece in self._pieces:
            await asyncio.sleep(self._wait_s)
            self.asked += 1
            yield piece


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(0, 400))
def test_gzip_of_any_members_unpacks_to_what_it_was_or_is_refused_by_size(parts: list[bytes], most: int) -> None:
    whole = b"".join(parts)
    packed = b"".join(gzip.compress(part) for part in parts)
    if len(whole) <= most:
        assert unpack(packed, "gzip", most) == whole
    else:
        with pytest.raises(Refusal, match="413"):
            unpack(packed, "gzip", most)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_said_to_be_gzip_are_unpacked_or_refused(body: bytes, headed: bool) -> None:
    whole = gzip.compress(b"")[:10] + body if headed else body
    status = 202
    try:
        unpack(whole, "gzip", 1_000)
    except Refusal as refusal:
        status = refusal.status
    assert status in {202, 400, 413}
    assert status == 400 or headed or not body


@given(st.integers(0, 200))
def test_gzip_that_ends_too_early_is_refused(cut: int) -> None:
    packed = gzip.compress(bytes(range(256)))
    if 0 < cut < len(packed):
        with pytest.raises(Refusal, match="400"):
            unpack(packed[:cut], "gzip", 1_000)


def test_a_bomb_costs_no_more_than_the_bound() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    tracemalloc.start()
    with pytest.raises(Refusal, match="413"):
        unpack(bomb, "gzip", 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


async def test_reading_stops_at_the_bound_and_gives_its_share_back() -> None:
    budget = Budget(1_000, 1)
    body = Pieces(*[b"x" * 100] * 50)
    with Share(budget) as share, pytest.raises(Refusal, match="413"):
        await read(body, None, 300, 5.0, share)
    assert (body.asked, budget.held) == (4, 0)


async def test_a_length_that_is_said_is_enough_to_refuse() -> None:
    body = Pieces(b"x")
    with Share(Budget(1_000, 1)) as share, pytest.raises(Refusal, match="413"):
        await read(body, 301, 300, 5.0, share)
    assert body.asked == 0


async def test_all_requests_together_hold_no_more_than_the_budget() -> None:
    budget = Budget(500, 7)
    with Share(budget) as one, Share(budget) as other:
        assert await read(Pieces(b"x" * 400), None, 1_000, 5.0, one) == b"x" * 400
        with pytest.raises(Refusal, match="429") as refused:
            await read(Pieces(b"x" * 200), None, 1_000, 5.0, other)
    assert (refused.value.retry_after_s, budget.held) == (7, 0)


async def test_a_body_that_drips_is_given_up() -> None:
    with Share(Budget(500, 1)) as share, pytest.raises(Refusal, match="408"):
        await read(Pieces(*[b"x"] * 100, wait_s=0.01), None, 1_000, 0.1, share)
