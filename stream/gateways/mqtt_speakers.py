"""Who speaks on an MQTT topic, and for what. The broker knows its users; here only topics arrive, so the topic must say who wrote it.

The broker's acl lets a user write below `tocsin/<user>/` and nowhere else (`pattern write tocsin/%u/#`), and the user is a principal of
`gateways.toml` by the same name. Topics of network servers are written by those alone, and speak for the devices that the mapping names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.gateways.http_identity import Binding
from stream.gateways.judging import HEALTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.records.lanes import Lane
    from stream.region.principals import Principal

OURS = "tocsin"


class Speaker(NamedTuple):
    """Who it is ("" = a network server), and what it may speak for (series, family); None = everything, for nobody has to say.

    `cases`: whether what it says may be case counts, for all that is known of it.
    """

    name: str
    may: Callable[[str, str], bool] | None = None
    cases: bool = True

    @property
    def principal(self) -> str:
        """The name of the principal that it has shown to be by its topic, "" where nobody has to."""
        return "" if self.may is None else self.name


class Speakers:
    """The principals of the active regions. While there are none, whoever the broker lets in may speak for everything."""

    def __init__(self, principals: Iterable[Principal], lane: Lane) -> None:
        found: dict[str, list[Principal]] = {}
        for one in principals:
            here = found.setdefault(one.principal_id, [])
            if not one.revoked and lane.value in one.lanes:
                here.append(one)
        self._speakers = {
            name: Speaker(name, Binding(some), not some or any(HEALTH in one.families for one in some)) for name, some in found.items()
        }

    def of(self, topic: str) -> Speaker:
        """Who speaks on this topic.

        >>> from stream.records.lanes import Lane
        >>> from stream.region.principals import Principal
        >>> one = Principal("agency", "kafka", ("rs-*",), ("water",), ("live",), "danube")
        >>> may = Speakers([one], Lane.LIVE).of("tocsin/agency/level").may
        >>> may("rs-7/stage", "water"), may("vienna/stage", "water"), Speakers([one], Lane.LIVE).of("tocsin/other").may("rs-7/stage", "water")
        (True, False, False)
        """
        first, _, rest = topic.partition("/")
        if first != OURS:
            return Speaker("")
        name = rest.partition("/")[0]
        if not self._speakers:
            return Speaker(name)
        return self._speakers.get(name) or Speaker(name, _nothing)


def _nothing(_series: str, _family: str) -> bool:
    return False
