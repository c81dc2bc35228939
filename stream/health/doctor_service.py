"""What `tocsin doctor` looks at in the service itself: regions, keys, workers, how fresh each partition is, the canary, the clock.

It only asks where topics end and when their newest record was appended, which needs no more than the permission to describe them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from stream.health.findings import Group
from stream.records.instants import DAY, SECOND, to_text
from stream.region.key_expiry import WARN_DAYS, endings
from stream.runtime.clocks import AGREE_MS, wall_ms
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from confluent_kafka.admin import AdminClient

    from stream.health.findings import Finding
    from stream.region.model import Region
    from stream.settings import Settings

TIMEOUT_S = 15.0
LOOK_S = 0.1
CLOCK_NOTE_MS = 1 * SECOND
CHECKPOINT_MS = 60 * SECOND
SNAPSHOT_MS = 2 * DAY
ROUNDS = 3
"""So many rounds a canary may miss."""
TICKS = 5
"""So many ticks a partition may be without any record: a worker writes one each `tick_s`."""


class Newest(NamedTuple):
    """When the newest record of each partition was appended (ms by the broker's clock); partitions without any are not in it."""

    at: Mapping[int, int]
    partitions: int

    @property
    def last_at(self) -> int | None:
        """Of all partitions."""
        return max(self.at.values(), default=None)

    def stale(self, before_at: int) -> list[int]:
        """Partitions whose newest record is older, or that have none."""
        return [number for number in range(self.partitions) if self.at.get(number, 0) < before_at]


def newest(admin: AdminClient, topic: str, partitions: int) -> Newest:
    """Ask the broker; KafkaException when it does not say."""
    wanted = {TopicPartition(topic, number): OffsetSpec.max_timestamp() for number in range(partitions)}
    answers = admin.list_offsets(wanted, request_timeout=TIMEOUT_S)
    found = {one.partition: answer.result(TIMEOUT_S).timestamp for one, answer in answers.items()}
    return Newest({number: at for number, at in found.items() if at >= 0}, partitions)


def active(settings: Settings, regions: Sequence[Region]) -> Iterator[Finding]:
    """Which regions are active, and until when keys are valid."""
    here, now = Group("regions"), wall_ms()
    if not regions:
        yield here.bad("no region is active: every measurement is refused", f"tocsin region activate REGION --prefix '{settings.prefix}'")
        return
    yield here.ok(", ".join(f"{one.name} {one.region_hash} ({len(one.cities)} cities, {len(one.series.row_of)} series)" for one in regions))
    soon = [(region.name, one) for region in regions for one in endings(region.principals, now) if one.days_left(now) < WARN_DAYS[0]]
    for name, one in soon:
        left = one.days_left(now)
        fix = f"`tocsin gateway token {one.principal_id}` (or key), the new lines beside the old ones in {name}'s gateways.toml, activate"
        said = (
            f"{one.principal_id}'s last key ends {to_text(one.ends_at)}, in {left:.1f} days"
            if left
            else f"{one.principal_id} has no valid key"
        )
        yield (here.bad if left < WARN_DAYS[-1] else here.note)(f"{said}: nothing from it is heard then", fix)
    if not soon:
        yield here.ok(f"no key ends within {WARN_DAYS[0]} days")


def workers(settings: Settings, admin: AdminClient) -> Iterator[Finding]:
    """Who is in the workers' group; KafkaException when the broker does not say."""
    here, group = Group("workers"), f"{settings.prefix}{settings.group}"
    fix = "`tocsin worker` with these settings; the log of one that ends says why (exit code 75: start it again, 1: it was refused)"
    found = admin.describe_consumer_groups([group], request_timeout=TIMEOUT_S)[group].result(TIMEOUT_S)
    names = sorted((one.group_instance_id or one.client_id).removeprefix(f"{group}-") for one in found.members)
    yield here.judge(
        bool(names),
        f"none is in the group {group}: nothing is decided, nobody is warned",
        fix,
        good=f"{len(names)}: {', '.join(names)} ({found.state.name.lower()})",
    )


def fresh(settings: Settings, admin: AdminClient) -> Iterator[Finding]:
    """How new the journal, checkpoints and snapshots are, by partition; our clock; and the canary. KafkaException when the broker does not say."""
    here, topics, width = Group("freshness"), Topics.of(settings), settings.journal_width
    limit = int(TICKS * settings.tick_s * SECOND)
    journal, skew = _watched(settings, admin, limit / SECOND)
    yield _clock(skew, written=journal.last_at is not None)
    now = broker_now(journal, skew, limit)
    silent = journal.stale(now - limit)
    said = f"nothing was written to journal partitions {_numbers(silent)} for {limit / SECOND:.0f} s: nothing of their domains is decided"
    yield here.judge(
        not silent,
        said,
        "a worker that holds them hangs or is away: look at the workers' logs and /readyz",
        good=f"all {width} journal partitions are written to",
    )
    checkpoints = newest(admin, topics.checkpoints, width)
    old = checkpoints.stale(now - CHECKPOINT_MS)
    if old:
        yield here.note(
            f"checkpoints of partitions {_numbers(old)} are older than a minute",
            "a restart takes longer, nothing is lost; if workers run, look at their logs",
        )
    else:
        yield here.ok("every partition has a checkpoint of the last minute")
    snapshots = newest(admin, topics.snapshots, width)
    if snapshots.at and (late := snapshots.stale(now - SNAPSHOT_MS)):
        yield here.note(f"snapshots of partitions {_numbers(late)} are older than two days", "workers write them daily; look at their logs")
    yield canary(settings, newest(admin, topics.warnings_canary, 1).last_at if settings.canary_s else None, now)


def broker_now(journal: Newest, skew_ms: int | None, watched_ms: int) -> int:
    """The broker's time (ms). Where nothing was appended while we watched it is at least so much later than the newest record, whatever our clock says.

    >>> broker_now(Newest({0: 10**15, 1: 1_000}, 2), None, watched_ms=10_000)  # our clock is far behind
    1000000000010001
    """
    if skew_ms is not None:
        return wall_ms() - skew_ms
    return max(wall_ms(), (journal.last_at or 0) + watched_ms + 1)


def _watched(settings: Settings, admin: AdminClient, for_s: float) -> tuple[Newest, int | None]:
    """The journal's newest records; and own minus broker (ms), seen at the moment something was appended, None if nothing was for `for_s`."""
    topic, width = Topics.of(settings).journal, settings.journal_width
    first = found = newest(admin, topic, width)
    until = time.monotonic() + for_s
    while first.at and time.monotonic() < until:
        time.sleep(LOOK_S)
        found = newest(admin, topic, width)
        if found.last_at != first.last_at and found.last_at is not None:
            return found, wall_ms() - found.last_at
    return found, None


def _clock(skew_ms: int | None, *, written: bool) -> Finding:
    here = Group("clock")
    if skew_ms is None:
        why = "nothing is being written to the journal" if written else "the journal is empty"
        return here.note(f"cannot be compared with the broker's: {why}", "start a worker and ask again")
    said = f"this machine's is {abs(skew_ms) / SECOND:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} the broker's"
    if abs(skew_ms) <= CLOCK_NOTE_MS:
        return here.ok(f"{said} (seen as the journal was written)")
    fix = "chronyd or systemd-timesyncd, here and on the brokers: `chronyc tracking` says which one is wrong"
    return (here.bad if abs(skew_ms) > AGREE_MS else here.note)(said, fix)


def canary(settings: Settings, last_at: int | None, now: int) -> Finding:
    """How long ago the canary last came back, through whatever door and partition. Instants are the broker's (ms), None = it never did."""
    here = Group("canary")
    if not settings.canary_s:
        return here.note(
            "none is expected (canary_s = 0): nobody measures whether a warning would come",
            "run `tocsin canary`, and set canary_s = 30 in everybody's settings",
        )
    limit = ROUNDS * settings.canary_s
    fix = "is `tocsin canary` running? Then its /readyz says which door and which journal partition does not answer"
    if last_at is None:
        return here.bad("it never came back", fix)
    age = (now - last_at) / SECOND
    good = f"it came back {max(age, 0):.0f} s ago; whether through every door and partition, its own /readyz says"
    return here.judge(age <= limit, f"it last came back {age:.0f} s ago, {limit:.0f} s are too long", fix, good=good)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
