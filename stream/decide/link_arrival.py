"""A link reaches its domain: it is kept until it takes effect, at once where its time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide import taking_links
from stream.decide.advance import advance
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import Linked
    from stream.records.output import Output


def take_link(partition: Partition, at: int, link: Linked) -> list[Output]:
    """Take a link that was appended at `at`, after every deadline due before it. What is refused changes nothing but a count.

    On replay lanes it moves no time: only what is observed there does.
    """
    domain_id = link.to_domain
    domain = partition.core.domains[domain_id]
    outputs: list[Output] = []
    if not partition.observed:
        outputs += advance(partition, domain_id, at)
        domain.now = max(domain.now, at)
    refused = taking_links.remember(partition, link, domain.now)
    if refused is not None:
        counts = partition.core.counts.links_refused
        counts[refused.value] = counts.get(refused.value, 0) + 1
    elif link.effective_at <= domain.now:
        outputs += _settle(partition, domain_id, link.to_hazard, domain.now)
    outputs += review(partition, domain_id, domain.now)
    partition.wind(domain_id)
    return outputs


def _settle(partition: Partition, domain_id: str, hazard: str, at: int) -> list[Output]:
    outputs: list[Output] = []
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        if scene.hazard.hazard == hazard:
            changed, withdrawn = taking_links.settle(scene, at)
            if changed:
                outputs += evaluate(scene, Moment(at, partition.settled(at), withdrawn))
    return outputs
