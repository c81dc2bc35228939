"""A region folder becomes a `Region`, or a list of everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.region.administrations import above
from stream.region.agreements import FILE as AGREEMENTS_FILE
from stream.region.agreements import Parties, read_agreements
from stream.region.assemble import assemble_hazard, series_table
from stream.region.binding import read_cells
from stream.region.bundle import bundle
from stream.region.cascades import Effects, is_cascade, read_cascades
from stream.region.cities import FILE as CITIES_FILE
from stream.region.cities import read_cities
from stream.region.forecasts import FORECASTS_FILE, read_forecasts
from stream.region.hazards import FOLDER, read_hazard
from stream.region.head import FILE as HEAD_FILE
from stream.region.head import read_head
from stream.region.inhibitions import INHIBITIONS_FILE, Dangers, read_inhibitions
from stream.region.lags import read_lags
from stream.region.model import Region
from stream.region.places import Graphs
from stream.region.postures import FILE as POSTURES_FILE
from stream.region.postures import Postures, read_postures
from stream.region.principals import FILE as GATEWAYS_FILE
from stream.region.principals import read_principals
from stream.region.problems import Findings, RegionError, nearest
from stream.region.reaches import NETWORK_FILE, REACHES_FILE, TRAVEL_FILE, check_banks, read_river, read_travel
from stream.region.stations import FILE as STATIONS_FILE
from stream.region.stations import Known, Stations, read_stations
from topology.lags import LAGS_FILE, regressions

if TYPE_CHECKING:
    from pathlib import Path

    from stream.region.bundle import Bundle
    from stream.region.cascades import Cascade
    from stream.region.cities import Cities
    from stream.region.forecasts import Forecaster
    from stream.region.hazards import HazardDraft
    from stream.region.head import Head
    from stream.region.inhibitions import Inhibition
    from stream.region.principals import Principal

NEEDED_FILES = (HEAD_FILE, STATIONS_FILE, CITIES_FILE)
FILES = (
    *NEEDED_FILES,
    REACHES_FILE,
    NETWORK_FILE,
    TRAVEL_FILE,
    LAGS_FILE,
    FORECASTS_FILE,
    AGREEMENTS_FILE,
    INHIBITIONS_FILE,
    POSTURES_FILE,
    GATEWAYS_FILE,
)


def load(bundled: Bundle) -> Region:
    """The region of a bundle. Raises `RegionError` with all problems, each with file, line, field and a fix."""
    region, findings = examine(bundled)
    if region is None:
        raise RegionError(findings.sorted_problems())
    return region


def load_folder(path: Path) -> Region:
    """The region in a folder. Raises `RegionError`, or `TocsinError` if there is no such folder."""
    return load(bundle(path))


def examine(bundled: Bundle) -> tuple[Region | None, Findings]:
    """The region (None if it has problems), and everything found while reading it: problems and notes."""
    findings = Findings()
    drafts = _read_files_list(bundled, findings)
    files = bundled.files
    head = read_head(files[HEAD_FILE], findings) if HEAD_FILE in files else None
    river = read_river(files, findings)
    lengths = None if river is None else river.lengths()
    cities = read_cities(files[CITIES_FILE], lengths, findings) if CITIES_FILE in files else None
    if river and cities is not None:
        check_banks(river, cities, findings)
    travel = read_travel(files[TRAVEL_FILE], findings) if TRAVEL_FILE in files else ()
    domains = None if head is None else {domain.domain_id: at for at, domain in enumerate(head.domains)}
    known = Known(domains, cities, lengths, None if head is None else head.defaults)
    stations = read_stations(files[STATIONS_FILE], known, findings) if STATIONS_FILE in files else Stations((), ())
    cells = read_cells(stations, drafts, findings)
    lags = read_lags(files[LAGS_FILE], stations, lengths, findings) if LAGS_FILE in files else ()
    forecasts = _forecasts(bundled, stations, findings)
    chains = {} if cities is None else above(cities.cities, cities.administrations)
    parties = Parties(chains, {draft.hazard for draft in drafts}, lengths)
    agreements = read_agreements(files[AGREEMENTS_FILE], parties, findings) if AGREEMENTS_FILE in files else ()
    inhibitions = _inhibitions(bundled, drafts, head, findings)
    postures, principals = _postures(bundled, stations, findings), _principals(bundled, stations, findings)
    cascades = _cascades(bundled, drafts, cities, head, findings)
    graphs = Graphs(cities, river, travel, lags, findings)
    families = [domain.families for domain in head.domains] if head else None
    hazards = tuple(assemble_hazard(draft, stations, cells, families, graphs) for draft in drafts)
    if findings.problems or head is None or cities is None:
        return None, findings
    region = Region(
        name=head.name,
        region_hash=bundled.region_hash,
        title=head.title,
        domains=head.domains,
        series=series_table(stations.series),
        cities=cities.cities,
        hazards=hazards,
        city_index=cities.index,
        domain_index=domains or {},
        regressions=regressions(lags),
        administrations=cities.administrations,
        above=chains,
        agreements=agreements,
        forecasts=forecasts,
        inhibitions=inhibitions,
        cascades=cascades,
        postures=postures,
        principals=principals,
    )
    return region, findings


def _forecasts(bundled: Bundle, stations: Stations, findings: Findings) -> tuple[Forecaster, ...]:
    if FORECASTS_FILE not in bundled.files:
        return ()
    return read_forecasts(bundled.files[FORECASTS_FILE], {one.series: one.domain for one in stations.series}, findings)


def _postures(bundled: Bundle, stations: Stations, findings: Findings) -> Postures:
    if POSTURES_FILE not in bundled.files:
        return Postures()
    return read_postures(bundled.files[POSTURES_FILE], {one.quantity for one in stations.series}, findings)


def _principals(bundled: Bundle, stations: Stations, findings: Findings) -> tuple[Principal, ...]:
    if GATEWAYS_FILE not in bundled.files:
        return ()
    return read_principals(bundled.files[GATEWAYS_FILE], bundled.name, {one.station for one in stations.series}, findings)


def _inhibitions(bundled: Bundle, drafts: list[HazardDraft], head: Head | None, findings: Findings) -> tuple[Inhibition, ...]:
    if INHIBITIONS_FILE not in bundled.files:
        return ()
    domains = None if head is None else [domain.families for domain in head.domains]
    known = Dangers({draft.hazard: draft.family for draft in drafts}, domains)
    return read_inhibitions(bundled.files[INHIBITIONS_FILE], known, findings)


def _cascades(
    bundled: Bundle, drafts: list[HazardDraft], cities: Cities | None, head: Head | None, findings: Findings
) -> tuple[Cascade, ...]:
    if cities is None or head is None:
        return ()
    known = Effects({draft.hazard: draft for draft in drafts}, cities.index, {domain.domain_id: domain.families for domain in head.domains})
    return read_cascades(bundled.files, known, findings)


def _read_files_list(bundled: Bundle, findings: Findings) -> list[HazardDraft]:
    """Checks which files are there, and reads the hazards among them."""
    for name in NEEDED_FILES:
        if name not in bundled.files:
            findings.add(name, 0, "", "the file is missing", f"add {name} to the region folder")
    drafts = []
    hazard_files = [name for name in sorted(bundled.files) if name.startswith(FOLDER)]
    for name in sorted(bundled.files):
        if name in hazard_files and name.endswith(".toml"):
            draft = read_hazard(name, bundled.files[name], findings)
            if draft is not None:
                drafts.append(draft)
        elif name not in FILES and not is_cascade(name):
            known = (*FILES, "hazards/<hazard>.toml", "cascades/<name>.toml")
            findings.add(name, 0, "", "no such file in a region folder", f"remove or rename it: {nearest(name, known)}")
    if not hazard_files:
        findings.add(FOLDER, 0, "", "the region has no hazard", "add hazards/<hazard>.toml")
    return drafts
