"""Looks at everything a service of ours stands on, and says of each part whether it is well and what to do if it is not (`tocsin doctor`).

Nothing is written anywhere. A part that cannot be looked at is a finding, too, and the others are looked at all the same.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from stream.errors import BrokerRefused, TocsinError
from stream.health import doctor_broker, doctor_machine, doctor_mqtt, doctor_permissions, doctor_service
from stream.health.findings import Group, Verdict
from stream.region.administrations import recipients
from stream.region.principals import own_doors
from stream.runtime.holders import Served
from stream.runtime.reach import DENIED
from stream.runtime.topics import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from stream.gateways.mqtt_broker import MqttBroker
    from stream.health.doctor_permissions import For
    from stream.health.findings import Finding
    from stream.region.model import Region
    from stream.settings import Settings


class Asked(NamedTuple):
    """What is to be looked at besides the broker. `role`: what this principal is for."""

    role: For | None = None
    spool: Path | None = None
    mqtt: MqttBroker | None = None


def examine(settings: Settings, asked: Asked, regions_of: Callable[[], Iterable[Region]]) -> Iterator[Finding]:
    """Everything, in the order in which one thing needs the other. `regions_of` reads the active regions."""
    yield from doctor_machine.machine(asked.spool)
    if asked.mqtt is not None:
        yield from doctor_mqtt.mqtt(asked.mqtt)
    try:
        found = list(doctor_broker.reached(settings))
    except TocsinError as error:
        found = [Group("broker").bad(str(error), doctor_broker.NOTHING_ELSE)]
    yield from found
    if any(one.verdict is not Verdict.BAD for one in found):
        yield from _service(settings, asked, regions_of)


def _service(settings: Settings, asked: Asked, regions_of: Callable[[], Iterable[Region]]) -> Iterator[Finding]:
    admin = doctor_broker.admin_of(settings.cluster)
    try:
        cluster = doctor_broker.brokers(admin)
    except KafkaException as error:
        yield Group("broker").bad(f"it lets us in and does not say what it is: {_words(error)}", doctor_broker.NOTHING_ELSE)
        return
    yield doctor_broker.enough(settings, cluster)
    yield from _guarded("broker", partial(doctor_broker.limits, settings, settings.cluster, cluster.ids))
    regions: list[Region] = []
    try:
        regions = list(regions_of())
    except (TocsinError, KafkaError) as error:
        yield Group("regions").unknown(
            f"which are active is not known: {error}", "ask as somebody who may read the topic regions, or create the topics"
        )
    else:
        yield from doctor_service.active(settings, regions)
    cities = {one for region in regions for one in recipients(region)}
    principals = {one for region in regions for one in own_doors(region.principals)}
    wanted = plan(settings, cities, principals)
    yield from _guarded("topics", partial(doctor_broker.topics, settings, wanted, cluster))
    names = [one.name for one in wanted]
    served = Served.by(regions)
    yield from _guarded("permissions", partial(doctor_permissions.permissions, settings, admin, names, asked.role, served))
    yield from _guarded("workers", partial(doctor_service.workers, settings, admin))
    if settings.clock == "broker":  # a replay's records carry other times
        yield from _guarded("freshness", partial(doctor_service.fresh, settings, admin))


def _guarded(group: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; what keeps it from looking is a finding."""
    try:
        yield from look()
    except (TocsinError, KafkaException) as error:
        denied = isinstance(error, BrokerRefused) or (isinstance(error, KafkaException) and error.args[0].code() in DENIED)
        fix = "ask as somebody who may describe it (role sre)" if denied else "mend what is wrong above, if anything is, and ask again"
        yield Group(group).unknown(f"cannot be looked at: {_words(error)}", fix)


def _words(error: TocsinError | KafkaException) -> str:
    return f"{error.args[0].str()} ({error.args[0].name()})" if isinstance(error, KafkaException) else str(error)
