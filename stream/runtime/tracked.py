"""What is worked on says in log and traces what it is: a batch its stage, topic, partitions and first offset, a warning its own and its incident's id."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from stream.health.logs import about
from stream.health.tracing import span
from stream.runtime.journey import raises

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.records.output import Output
    from stream.runtime.transport import Run

log = logging.getLogger(__name__)


@contextmanager
def tracked(stage: str, topic: str, runs: Sequence[Run]) -> Iterator[None]:
    """Around the work on these runs. `offset`: the first of the first run's."""
    partitions = ",".join(str(one.partition) for one in runs)
    facts = {"stage": stage, "topic": topic, "partition": partitions, "offset": runs[0].records[0].offset}
    read = (record for one in runs for record in one.records)
    with about(**facts), span(stage, read, **facts, records=sum(len(one.records) for one in runs)):
        yield


class _Of(msgspec.Struct):
    """What is read of a warning for the log."""

    incident_id: str = ""


_incident_of = msgspec.json.Decoder(_Of).decode


def log_raise(output: Output) -> None:
    """A line about a warning if it tells a city of a danger for the first time, or of a worse one."""
    if not raises(output) or not log.isEnabledFor(logging.INFO):
        return
    incident_id = _incident_of(output.value or b"{}").incident_id
    with about(city_id=output.city_id, warning_id=output.warning_id, incident_id=incident_id):
        log.info("%s is told of %s: level %d, revision %d, %s", output.city_id, output.hazard, output.level, output.revision, output.reason)
