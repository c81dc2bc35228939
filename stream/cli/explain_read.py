"""Where `tocsin explain` gets its records: from the topics of a lane, or from a replay that is decided again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.records.warning import CityWarning
    from stream.region.model import Region
    from stream.review.explain_asked import Asked
    from stream.review.explain_facts import Facts, Kept
    from stream.runtime.regions_feed import RegionsFeed
    from stream.runtime.topics import Topics
    from stream.settings import Settings

DAYS_BACK = 40
_DAY_MS = 86_400_000


class Replayed(NamedTuple):
    """What is decided again: a region (a folder or a shipped name), from its own history, from files, or from a recorded journal."""

    region: str
    files: tuple[Path, ...] = ()
    journal: Path | None = None


def from_replay(question: Asked, replayed: Replayed) -> Facts:
    """The chain, without a broker."""
    from stream.cli.demo import history_of
    from stream.cli.feed import measurements
    from stream.cli.folders import region_folder
    from stream.cli.options import Span
    from stream.records.warning import Lane
    from stream.region.load import load_folder
    from stream.review import journal_file
    from stream.review.explain_replayed import kept_of
    from stream.review.replay import journal_of
    from stream.settings import Settings

    folder = region_folder(replayed.region)
    region = load_folder(folder)
    if replayed.journal is not None:
        header = journal_file.read_header(replayed.journal)
        records = list(journal_file.read(replayed.journal))
    else:
        files = list(replayed.files) or history_of(folder)
        if not files:
            msg = f"{folder} has no history to replay; name files with --file, or a recorded journal with --journal"
            raise TocsinError(msg)
        settings = Settings(prefix="replay.", lane=Lane.TEST, clock="observed", partitions=1)
        header = journal_file.Header(settings.lane, settings.clock, settings.journal_width)
        records = journal_of([region], measurements(region, files, Span(), ordered=True), settings).records
    kept = kept_of([region], header, records)
    return _facts(question, kept, {region.region_hash: region}.get, max((one.timestamp for one in records), default=0))


def _facts(question: Asked, kept: Kept, source: Callable[[str], Region | None], now: int) -> Facts:
    from stream.review.explain_asked import chosen
    from stream.review.explain_facts import facts

    return facts(chosen(question, kept.warnings, now), kept, source)


async def from_topics(question: Asked, settings: Settings) -> Facts:
    """The chain, from the topics of a lane: the city's own, `warnings`, `incidents`, `evidence`, `station_health`, and the journal."""
    from stream.cli.watching import now_of
    from stream.review.explain_asked import Asked, chosen
    from stream.review.explain_facts import Kept, facts
    from stream.runtime.topics import Topics
    from stream.warnings.reading import CityView, told_all

    topics, kept = Topics.of(settings), Kept()
    regions = await _regions(settings, topics.regions)
    kept.warnings = await _warnings(settings, topics.warnings, lambda _: True)
    cities = {one.city_id for one in kept.warnings}
    now = now_of(settings, [told_all(CityView(city), (one for one in kept.warnings if one.city_id == city)) for city in cities])
    newest = chosen(Asked(question.name), kept.warnings, now)
    kept.warnings = [newest, *await _warnings(settings, topics.city(newest.city_id), lambda one: one.warning_id == newest.warning_id)]
    warning = chosen(Asked(newest.warning_id, question.revision), kept.warnings, now)

    def source(region_hash: str) -> Region | None:
        return _region(regions, region_hash)

    await _gather(settings, topics, kept, warning)
    await _journal(settings, topics.journal, kept, (warning, source(warning.region_hash)))
    return facts(warning, kept, source)


async def _regions(settings: Settings, topic: str) -> RegionsFeed:
    from stream.runtime.follow import follow
    from stream.runtime.regions_feed import RegionsFeed, load_packed

    feed = RegionsFeed(settings.cluster, topic, load_packed)
    async for read in follow(settings.cluster, [topic], once=True):
        feed.take(read.records)
    return feed


def _region(feed: RegionsFeed, region_hash: str) -> Region | None:
    from stream.errors import UnknownRegion

    try:
        found: Region = feed.source(region_hash)
    except UnknownRegion:
        return None
    return found


async def _warnings(settings: Settings, topic: str, wanted: Callable[[CityWarning], bool]) -> list[CityWarning]:
    """The warnings on a topic, each revision once, in topic order."""
    from stream.records.warning import CityWarning
    from stream.runtime.follow import follow
    from stream.warnings.reading import decode

    found: dict[tuple[str, int], CityWarning] = {}
    async for read in follow(settings.cluster, [topic], once=True):
        for record in read.records:
            message = decode(record.value) if record.value is not None else None
            if isinstance(message, CityWarning) and wanted(message):
                found.setdefault((message.warning_id, message.revision), message)
    return list(found.values())


async def _gather(settings: Settings, topics: Topics, kept: Kept, warning: CityWarning) -> None:
    """Incident, evidence and station health that the chain names."""
    import msgspec

    from stream.records.incident import Incident
    from stream.records.instants import from_text
    from stream.records.warning import Evidence, StationHealth
    from stream.runtime.excerpt import Stretch, excerpt
    from stream.runtime.follow import follow

    async for read in follow(settings.cluster, [topics.incidents, topics.station_health], once=True):
        for record in read.records:
            if record.value is None:
                continue
            if record.topic == topics.station_health:
                kept.health.append(msgspec.json.decode(record.value, type=StationHealth))
            elif record.key == warning.incident_id.encode():
                kept.incidents.append(msgspec.json.decode(record.value, type=Incident))
    rests_on = {one.series for one in (*warning.evidence, *(each for one in kept.incidents for each in one.sources))}
    opened = min((from_text(one.opened_at) for one in kept.incidents), default=from_text(warning.sent_at))
    begins = [from_text(one.observed_at) for one in warning.evidence]
    stretch = Stretch(topics.evidence, max(0, min([opened, *begins]) - DAYS_BACK * _DAY_MS))
    async for records in excerpt(settings.cluster, stretch):
        found = [record.value for record in records if record.value is not None and record.key.decode() in rests_on]
        kept.evidence += [msgspec.json.decode(value, type=Evidence) for value in found]


async def _journal(settings: Settings, topic: str, kept: Kept, about: tuple[CityWarning, Region | None]) -> None:
    """The part of the domain's own journal partition in which its measurements stand."""
    from stream.records.journal import decode, partition_of
    from stream.review.explain_facts import Heard, behind, window
    from stream.runtime.excerpt import Stretch, excerpt

    warning, region = about
    domain = None if region is None else region.domains[region.domain_index[warning.domain]]
    then = min(kept.incidents, key=lambda one: one.revision, default=None)
    from_at, until_at = window(warning, behind(warning, then), region)
    partition = partition_of(warning.domain, settings.journal_width, domain.pin if domain is not None else None)
    # Only the broker's own times rise for sure; what is replayed is read to its end.
    stretch = Stretch(topic, from_at, until_at if settings.clock == "broker" else None, partition)
    async for records in excerpt(settings.cluster, stretch):
        kept.journal += [Heard(record.timestamp, decode(record.value)) for record in records if record.value is not None]
