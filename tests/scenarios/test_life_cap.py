"""Every message of every golden scenario is a sound CAP 1.2 alert in Chinese and English, and gives the city's area back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely

from stream.records.warning import CityWarning, Lane, MsgType
from stream.warnings import cap_rules
from stream.warnings.cap import LANGUAGES, MSG_TYPE, NAMESPACE, STATUS, Issuer, alert, identifier
from stream.warnings.cap_area import polygon
from stream.warnings.cap_recipient import recipient
from stream.warnings.reading import decode
from tests.scenarios.life_player import Played, play
from tests.scenarios.test_life_scenarios import SCENARIOS

if TYPE_CHECKING:
    from lxml import etree

    from tests.scenarios.life_scenario import Scenario

ISSUER = Issuer("tocsin@scenarios", "Tocsin")
CAP = {"c": NAMESPACE}


def chains(played: Played) -> dict[str, list[CityWarning]]:
    """Every warning's revisions as its city heard them (not those it was spared), each once, in order."""
    found: dict[str, dict[int, CityWarning]] = {}
    for one in played.told():
        warning = decode(one.output.value or b"")
        if isinstance(warning, CityWarning):
            found.setdefault(warning.warning_id, {}).setdefault(warning.revision, warning)
    return {name: list(revisions.values()) for name, revisions in found.items()}


def alerts(played: Played):
    """Each warning with whom it is for and its alert. The region is the one that the warning names, should it have been replaced meanwhile."""
    for chain in chains(played).values():
        for one in chain:
            region = played.regions[one.region_hash]
            whom = recipient(region, one.city_id)
            if whom is None:
                assert not any(one.city_id in above for above in region.above.values()), "only a party without any city here has no area"
                continue
            hazard = next(hazard for hazard in region.hazards if hazard.hazard == one.hazard)
            yield one, whom, alert(one, whom, hazard, ISSUER, chain)


def area_differs(root: etree._Element, city) -> bool:
    """Whether the areas of the alert are not the city."""
    for area in root.iterfind(".//c:area", CAP):
        shapes = [polygon(element.text or "") for element in area.iterfind("c:polygon", CAP)]
        if city.polygon_wkt:
            wanted = shapely.from_wkt(city.polygon_wkt)
            if shapely.union_all(shapes).symmetric_difference(wanted).area > 1e-5 * wanted.area:
                return True
        else:
            latitude, longitude, radius_km = area.findtext("c:circle", "", CAP).replace(",", " ").split()
            place = city.place
            if (
                max(abs(float(latitude) - place.latitude), abs(float(longitude) - place.longitude), abs(float(radius_km) - place.radius_km))
                > 1e-3
            ):
                return True
        if area.findtext("c:geocode/c:value", "", CAP) != city.adcode:
            return True
    return False


def replaced(warning: CityWarning, heard: list[CityWarning]) -> list[str]:
    """What an alert must name: everything its city heard since the alert it goes back to; an alert itself replaces nothing."""
    found: list[str] = []
    for one in heard:
        if one.revision >= warning.revision or warning.msg_type is MsgType.ALERT:
            break
        found = [identifier(one)] if one.msg_type is MsgType.ALERT else [*found, identifier(one)]
    return found


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_message_of_a_scenario_is_a_sound_alert_in_both_languages(scenario: Scenario) -> None:
    played = play(scenario, scenario.clocks[0])
    heard = chains(played)
    for one, city, xml in alerts(played):
        assert cap_rules.findings(xml) == (), (identifier(one), xml.decode())
        root = cap_rules.parse(xml)
        said = (root.findtext("c:identifier", "", CAP), root.findtext("c:status", "", CAP), root.findtext("c:msgType", "", CAP))
        assert said == (identifier(one), STATUS[one.lane], MSG_TYPE[one.msg_type])
        assert [info.text for info in root.iterfind("c:info/c:language", CAP)] == list(LANGUAGES.values())
        assert not area_differs(root, city), xml.decode()
        assert one.incident_id in root.findtext("c:incidents", "", CAP).split()
        named = [reference.split(",")[1] for reference in root.findtext("c:references", "", CAP).split()]
        assert named == replaced(one, heard[one.warning_id])
        over = {element.text == "AllClear" for element in root.iterfind("c:info/c:responseType", CAP)}
        assert over == {one.msg_type is MsgType.ALL_CLEAR}


def test_the_scenarios_hold_every_kind_of_message() -> None:
    said = [one for scenario in SCENARIOS.values() for one, *_ in alerts(play(scenario, scenario.clocks[0]))]
    assert {one.msg_type for one in said} == set(MsgType)
    assert {one.lane for one in said} >= {Lane.LIVE, Lane.EXERCISE}
    assert {one.role for one in said} == {"lead", "affected", "assist", "coordinator", "informed"}
    assert {one.level for one in said} == {"blue", "yellow", "orange", "red"}
    assert {one.certainty for one in said} >= {"Observed", "Likely", "Possible"}
    assert len(said) > 300
