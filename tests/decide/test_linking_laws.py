"""Laws of links: how long they take, how often they come and who decides them changes nothing in the end; no link goes on for ever."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.decide.linked import HOPS_MOST
from stream.records.instants import HOUR
from stream.records.output import Kind
from tests.decide.chains import START, Chain, final, region_with, warned
from tests.decide.test_linking import BACK, DELTA, SHORT

if TYPE_CHECKING:
    from stream.records.journal import Linked

HOURS = 30
ALARMS = {"lan-dam/seepage": 100.0, "shuikou/stage": 5.5, "hecheng/stage": 5.5, "shuikou/ammonia": 6.0, "shuikou/pm25": 200.0}
MINUTES_MOST = 10
REGION = region_with({**SHORT, **DELTA}, {"cascades/waterborne-flood.toml": BACK})
"""With a ring in it, and a station of two domains."""

stories = st.dictionaries(st.sampled_from(sorted(ALARMS)), st.tuples(st.integers(0, HOURS), st.integers(1, HOURS)), max_size=3)
"""By series: when its alarm begins (h), and how long it lasts."""
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(tale: Chain, story: dict[str, tuple[int, int]], restarts: frozenset[int] = frozenset()) -> Chain:
    for hour in range(HOURS):
        at = START + hour * HOUR
        tale.run(
            at, at + HOUR, lambda _, hour=hour: {one: ALARMS[one] for one, (first, lasts) in story.items() if first <= hour < first + lasts}
        )
        if hour in restarts:
            tale.restart()
    return tale


def some_delays(seed: int):
    """From nothing to ten minutes, up to three times each, the same for the same link and seed."""

    def delays(link: Linked) -> list[int]:
        digest = sha256(f"{seed} {link.link_id} {link.revision}".encode()).digest()
        return [int.from_bytes(digest[at : at + 4], "big") % (MINUTES_MOST * 60_000) for at in range(0, 4 * (1 + digest[31] % 3), 4)]

    return delays


@given(stories, st.integers(0, 1000))
@SLOW
def test_a_live_run_comes_to_where_all_domains_decided_together_are(story, seed):
    live = play(Chain(REGION, partitions=7, delays_ms=some_delays(seed)), story)
    together = live.together()
    assert final(live.outputs) == final(together)
    standing = {one for one in warned(live.outputs).values() if one[2] in ("alert", "update")}
    assert standing == {one for one in warned(together).values() if one[2] in ("alert", "update")}


@given(stories, st.frozensets(st.integers(0, HOURS - 1), max_size=3))
@SLOW
def test_restarts_in_between_change_nothing(story, restarts):
    usual, again = play(Chain(REGION, partitions=7), story), play(Chain(REGION, partitions=7), story, restarts)
    assert [(one.kind, one.key, one.value) for one in again.outputs] == [(one.kind, one.key, one.value) for one in usual.outputs]


@given(stories)
@SLOW
def test_it_does_not_matter_which_domains_share_a_partition(story):
    def told(partitions: int) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for one in play(Chain(REGION, partitions=partitions), story).outputs:
            if one.kind is Kind.CITY and one.warning_id:
                found.setdefault(one.warning_id, []).append(one.value)
        return found

    assert told(1) == told(7)


@given(stories)
@SLOW
def test_chains_end_and_no_link_comes_back_to_where_it_began(story):
    tale = play(Chain(REGION, partitions=7), story)
    links = tale.links()
    assert all(1 <= one.hop <= HOPS_MOST and one.hop == len(one.chain) for one in links)
    for domains in (state.core.domains for state in tale.states.values()):
        for domain_id, domain in domains.items():
            for hazard, state in domain.hazards.items():
                assert all((domain_id, hazard) not in [link[1:] for link in one.link.chain] for one in state.links.taken.values())
    assert len(links) <= 40 * len(story)
