from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
import shapely
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stream.records.incident import Incident
from stream.records.output import Kind
from stream.records.warning import CityWarning, Lane, MsgType, Reason
from stream.region.load import load_folder
from stream.region.model import CapTable
from stream.review import inputs, journal_file, replay
from stream.settings import Settings
from stream.warnings import cap_rules
from stream.warnings.cap import COLOUR, NAMESPACE, Issuer, alert, episode, identifier, urgency
from stream.warnings.cap_area import area_of, polygon
from stream.warnings.cap_incidents import related
from stream.warnings.cap_recipient import recipient
from stream.warnings.cap_sign import Trust, signed, trust
from stream.warnings.cap_templates import Kind as Met
from stream.warnings.cap_templates import advice, event_code, kind_of
from tests.region.shared import REGIONS
from topology.geodesy import destination

ISSUER = Issuer("tocsin@songhua", "松花江")


@cache
def told(name: str) -> tuple:
    """The region, and every warning its history leads to, by warning id."""
    region = load_folder(REGIONS / name)
    settings = Settings(prefix="cap.", lane=Lane.TEST, clock="observed", partitions=1)
    made = replay.journal_of([region], inputs.in_feed_order(inputs.read_files(region, [REGIONS / name / "history.csv"])), settings)
    chains: dict[str, list[CityWarning]] = {}
    for output in replay.decide([region], journal_file.Header(Lane.TEST, "observed", 1), made.records):
        if output.kind is Kind.WARNINGS:
            warning = msgspec.json.decode(output.value, type=CityWarning)
            chains.setdefault(warning.warning_id, []).append(warning)
    return region, chains


def alerts(name: str):
    region, chains = told(name)
    hazards = {hazard.hazard: hazard for hazard in region.hazards}
    for chain in chains.values():
        for one in chain:
            city = recipient(region, one.city_id)
            assert city is not None
            yield one, city, alert(one, city, hazards[one.hazard], ISSUER, chain)


def text(xml: bytes, name: str) -> str:
    return cap_rules.parse(xml).findtext(f".//{{{NAMESPACE}}}{name}", "")


@pytest.mark.parametrize("name", ["songhua", "example"])
def test_every_warning_of_a_history_is_a_sound_alert_and_gives_its_area_back(name: str) -> None:
    made = list(alerts(name))
    assert {one.msg_type for one, _, _ in made} >= {MsgType.ALERT, MsgType.UPDATE}
    for one, city, xml in made:
        assert cap_rules.findings(xml) == (), (identifier(one), cap_rules.findings(xml))
        shapes = [polygon(element.text) for element in cap_rules.parse(xml).iterfind(f".//{{{NAMESPACE}}}polygon")]
        if city.polygon_wkt:
            wanted = shapely.from_wkt(city.polygon_wkt)
            assert shapely.union_all(shapes).symmetric_difference(wanted).area <= 1e-5 * wanted.area
        else:
            assert text(xml, "circle").startswith(f"{city.place.latitude:.6f},{city.place.longitude:.6f} ")


def test_an_update_names_every_earlier_revision_in_order() -> None:
    _, chains = told("songhua")
    chain = max(chains.values(), key=len)
    last = next(xml for one, _, xml in alerts("songhua") if one is chain[-1])
    named = [reference.split(",")[1] for reference in text(last, "references").split()]
    assert named == [identifier(one) for one in chain[:-1]]


def test_an_update_without_its_predecessors_is_refused() -> None:
    region, chains = told("songhua")
    update = next(one for chain in chains.values() for one in chain if one.msg_type is MsgType.UPDATE)
    with pytest.raises(ValueError, match="give the earlier revisions"):
        alert(update, region.cities[region.city_index[update.city_id]], region.hazards[0], ISSUER)


def test_a_lane_is_never_mistaken_for_another() -> None:
    region, chains = told("songhua")
    first = next(iter(chains.values()))[0]
    city = region.cities[region.city_index[first.city_id]]
    for lane, status in ((Lane.LIVE, "Actual"), (Lane.EXERCISE, "Exercise"), (Lane.TEST, "Test")):
        xml = alert(msgspec.structs.replace(first, lane=lane), city, region.hazards[0], ISSUER)
        assert text(xml, "status") == status
        assert cap_rules.findings(xml) == ()


def test_the_colour_is_a_parameter_and_the_severity_is_caps() -> None:
    one, _, xml = next(made for made in alerts("songhua") if made[0].level == "red")
    assert (text(xml, "severity"), "CN:Red" in xml.decode()) == ("Extreme", True)
    assert urgency(one) in {"Immediate", "Expected", "Future", "Unknown"}


def test_holes_are_filled_and_parts_become_polygons_of_their_own() -> None:
    region, _ = told("songhua")
    shape = shapely.union_all([shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)), shapely.box(5, 5, 6, 6)])
    polygons = [polygon(ring) for ring in area_of(replace(region.cities[0], polygon_wkt=shape.wkt)).polygons]
    assert sorted(round(one.area, 6) for one in polygons) == [1.0, 9.0]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"<severity>Extreme</severity>", b"<severity>Orange</severity>", cap_rules.CapRule.SCHEMA),
        (b"+08:00</sent>", b"Z</sent>", cap_rules.CapRule.SCHEMA),
        (b"<sender>tocsin@songhua</sender>", b"<sender>two words</sender>", cap_rules.CapRule.IDENTIFIER),
        (b"<restriction>Operations centre of Harbin</restriction>", b"", cap_rules.CapRule.SCOPE),
        (b"<msgType>Alert</msgType>", b"<msgType>Update</msgType>", cap_rules.CapRule.REFERENCES),
        (b"<language>en-US</language>", b"<language>zh-CN</language>", cap_rules.CapRule.LANGUAGES),
        (b"<certainty>Observed</certainty>", b"<certainty>Likely</certainty>", cap_rules.CapRule.LANGUAGES),
        (b"</headline>", b"x" * 150 + b"</headline>", cap_rules.CapRule.TEXTS),
        (b"</identifier>", b" 7</identifier>", cap_rules.CapRule.IDENTIFIER),
        (b"<alert ", b"<!DOCTYPE alert [<!ENTITY a 'b'>]><alert ", cap_rules.CapRule.SCHEMA),
        (b"</alert>", b"", cap_rules.CapRule.SCHEMA),
    ],
)
def test_what_is_broken_is_found(old: bytes, new: bytes, rule: cap_rules.CapRule) -> None:
    xml = next(xml for one, _, xml in alerts("songhua") if one.city_id == "harbin" and one.revision == 1)
    assert old in xml
    assert rule in {finding.rule for finding in cap_rules.findings(xml.replace(old, new, 1))}


def test_an_administration_that_is_informed_has_the_area_of_its_cities_and_is_asked_for_nothing() -> None:
    region, chains = told("example")
    chain = next(one for one in chains.values() if one[0].city_id == "lin-west")
    body = recipient(region, "lin-west")
    assert body is not None
    assert body.names["en"] == "Lin West"
    area = shapely.from_wkt(body.polygon_wkt)
    for city in region.cities:
        shape = shapely.from_wkt(city.polygon_wkt) if city.polygon_wkt else shapely.Point(city.place.longitude, city.place.latitude)
        assert area.buffer(1e-9).contains(shape) == ("lin-west" in region.above[city.city_id]), city.city_id
    xml = alert(chain[0], body, next(one for one in region.hazards if one.hazard == chain[0].hazard), ISSUER)
    assert (text(xml, "responseType"), text(xml, "headline")[:6]) == ("Monitor", "临西省：知会")
    assert recipient(region, "nowhere") is None


def test_a_city_that_is_a_circle_lies_whole_in_the_area_of_those_above_it() -> None:
    region, _ = told("songhua")
    (round_one,) = [city for city in region.cities if not city.polygon_wkt][:1]
    above = region.above[round_one.city_id][-1]
    body = recipient(region, above)
    assert body is not None
    area = shapely.from_wkt(body.polygon_wkt)
    place = round_one.place
    for bearing in range(0, 360, 7):
        latitude, longitude = destination(place.latitude, place.longitude, float(bearing), place.radius_km * 0.9999)
        assert area.contains(shapely.Point(float(longitude), float(latitude)))


def test_what_begins_anew_after_its_end_replaces_nothing() -> None:
    _, chains = told("songhua")
    chain = max(chains.values(), key=len)
    number = chain[-1].revision
    over = msgspec.structs.replace(chain[-1], revision=number + 1, msg_type=MsgType.ALL_CLEAR)
    anew = msgspec.structs.replace(chain[0], revision=number + 2, sent_at=over.sent_at)
    after = msgspec.structs.replace(chain[1], revision=number + 3, sent_at=over.sent_at)
    whole = [*chain, over, anew, after]
    assert [one.revision for one in episode(over, whole)] == [one.revision for one in chain]
    assert episode(anew, whole) == ()
    assert episode(after, whole) == (anew,)


def test_incidents_that_were_merged_split_or_linked_stand_together() -> None:
    region, chains = told("songhua")
    first, second = max(chains.values(), key=len)[:2]
    city = region.cities[region.city_index[first.city_id]]
    moved = msgspec.structs.replace(second, incident_id="inc-survivor")
    xml = alert(moved, city, region.hazards[0], ISSUER, [first], ["inc-cause"])
    assert text(xml, "incidents").split() == ["inc-survivor", first.incident_id, "inc-cause"]
    assert cap_rules.findings(xml) == ()


def test_causes_and_parts_of_an_event_are_found_from_either_side() -> None:
    bare = msgspec.json.decode((Path(__file__).parents[1] / "records" / "golden" / "incident.json").read_bytes(), type=Incident)

    def record(name: str, revision: int = 1, **ties: object) -> Incident:
        return msgspec.structs.replace(
            bare, **{"incident_id": name, "revision": revision, "linked_to": (), "merged_into": "", "split_from": "", **ties}
        )

    known = [
        record("flood"),
        record("disease", linked_to=("flood",)),
        record("west", 1),
        record("west", 2, merged_into="flood"),
        record("part", split_from="flood"),
    ]
    assert related("flood", known) == ("disease", "west", "part")
    assert related("disease", known) == related("west", known) == related("part", known) == ("flood",)
    assert related("another", known) == ()


def test_every_level_of_every_shipped_danger_says_what_to_do_in_both_languages() -> None:
    seen = set()
    for folder in sorted(REGIONS.iterdir()):
        for hazard in load_folder(folder).hazards:
            kind = kind_of(hazard)
            said = [advice(hazard, level) for level in ("blue", "yellow", "orange", "red")]
            assert kind is not Met.OTHER or all(f"instruction_{level}" in hazard.texts["zh"] for level in COLOUR), hazard.hazard
            assert event_code(hazard).startswith("OET-")
            assert len({one.zh for one in said}) == len({one.en for one in said}) == 4
            assert all(any("\u4e00" <= letter <= "\u9fff" for letter in one.zh) for one in said)
            assert all(any(asks in one.en for asks in ("acknowledge", "be reached")) for one in said)
            seen.add(kind)
    assert seen - {Met.OTHER} == {Met.FLOOD, Met.WATER, Met.AIR, Met.DISEASE}


def test_a_region_has_its_own_words_response_and_event_code() -> None:
    region, chains = told("songhua")
    hazard = region.hazards[0]
    own = replace(
        hazard,
        texts={language: dict(some) | {"instruction_red": "{city}! {hazard} {level} {nobody}"} for language, some in hazard.texts.items()},
        cap=CapTable("OET-198", {"red": "Shelter"}),
    )
    first = next(iter(chains.values()))[0]
    xml = alert(first, region.cities[region.city_index[first.city_id]], own, ISSUER)
    assert text(xml, "responseType") == "Shelter"
    assert "OET-198" in xml.decode()
    assert cap_rules.parse(xml).findall(f".//{{{NAMESPACE}}}instruction")[1].text == "Harbin! nitrobenzene in the river RED (I) {nobody}"
    assert cap_rules.findings(xml) == ()


@pytest.mark.parametrize(
    ("changed", "responds", "urgent"),
    [
        ({"reason": Reason.EXPIRED}, "Assess", None),
        ({"role": "coordinator", "path": "", "paths": ()}, "Execute", "Immediate"),
        ({"msg_type": MsgType.CANCEL, "reason": Reason.CANCELLED}, "None", "Past"),
        ({"msg_type": MsgType.ALL_CLEAR, "reason": Reason.CLEARED}, "AllClear", "Past"),
        ({"muted_by": ("silence:s-1",), "exercise_id": "spring", "lane": Lane.EXERCISE}, "Avoid", None),
    ],
)
def test_what_a_message_is_shows_in_response_and_urgency(changed: dict, responds: str, urgent: str | None) -> None:
    region, chains = told("songhua")
    first, second = max(chains.values(), key=len)[:2]
    one = msgspec.structs.replace(second, **changed)
    xml = alert(one, region.cities[region.city_index[one.city_id]], region.hazards[0], ISSUER, [first])
    assert cap_rules.findings(xml) == ()
    assert text(xml, "responseType") == responds
    assert urgent is None or text(xml, "urgency") == urgent
    assert ("muted_by" in xml.decode()) == bool(one.muted_by)


def keyed(name: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    certificate = certificate.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    made = certificate.not_valid_after(now + timedelta(days=9)).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, made.public_bytes(serialization.Encoding.PEM)


def test_only_a_pinned_certificate_and_an_unchanged_alert_are_trusted() -> None:
    xml = next(xml for _, _, xml in alerts("songhua"))
    key, certificate = keyed("ours")
    _, other = keyed("another")
    made = signed(xml, key, certificate)
    assert cap_rules.findings(made) == ()
    assert trust(made, {ISSUER.sender: [other, certificate]}) is Trust.TRUSTED
    assert trust(made, {ISSUER.sender: [other]}) is Trust.BROKEN
    assert trust(made, {"someone": [certificate]}) is Trust.UNKNOWN_SENDER
    assert trust(xml, {ISSUER.sender: [certificate]}) is Trust.UNSIGNED
    assert trust(made.replace(b"Extreme", b"Minor"), {ISSUER.sender: [certificate]}) is Trust.BROKEN
