"""Another agency's alerts: what they become, and that nothing unsigned, changed, stale or hostile becomes anything."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.accept import statements
from stream.errors import TocsinError
from stream.gateways.cap_in import CapDuplicate, CapIn, CapSource, Taken
from stream.gateways.cap_refused import CapFault, CapRefused
from stream.gateways.cap_sources import read_sources
from stream.records.instants import DAY, HOUR, MINUTE, SECOND
from stream.records.journal import Statement
from stream.records.lanes import Lane
from stream.region.load import load
from stream.warnings.cap_sign import signed
from tests.decide.conftest import FILES, START, make_bundle
from tests.gateways.cap_alerts import SENDER, alert, keyed, reference, written

with TemporaryDirectory() as folder:
    REGION = load(make_bundle(FILES, Path(folder)))
CERTIFICATE = keyed("upstream", START // DAY - 1, 30)[1]
SOURCE = CapSource(SENDER, "ava", "rill", (CERTIFICATE,), {"081": "flood", "Hochwasser": "flood"})
NOW = START + 5 * SECOND


def taking(source: CapSource = SOURCE, lane: Lane = Lane.TEST) -> CapIn:
    return CapIn([source], [REGION], lane)


def refused(xml: bytes, source: CapSource = SOURCE, now: int = NOW) -> CapRefused:
    found = taking(source).take(xml, now)
    assert isinstance(found, CapFault), found
    assert found.detail.isprintable()
    return found.reason


def test_an_alert_becomes_a_report_of_whom_its_sender_speaks_for_in_the_city_of_its_area() -> None:
    found = taking().take(alert("a1", START), NOW)
    assert isinstance(found, Taken)
    (said,) = found.statements
    assert (found.city_id, said.act, said.hazard, said.level, said.confirmed, said.by) == (
        "ava",
        "report",
        "flood",
        "orange",
        True,
        "Upstream agency",
    )
    assert (said.city, said.latitude) == ("ava", None)
    assert said.text == "The dam at the upper gauge gives way"
    judged = statements.judge(statements.Stated(said, "ava", NOW, Lane.TEST), [REGION])
    assert isinstance(judged, Statement)
    assert judged.ends_at == START + 6 * HOUR


def test_an_area_without_a_city_is_reported_at_a_point_inside_it() -> None:
    found = taking().take(alert("a1", START, area="<circle>29.9,110.3 5</circle><circle>29.0,111 1</circle>"), NOW)
    assert isinstance(found, Taken)
    (said,) = found.statements
    assert (said.city, said.latitude, said.longitude) == ("", pytest.approx(29.9, abs=0.05), pytest.approx(110.3, abs=0.05))


def test_the_same_alert_twice_is_a_duplicate_and_another_under_its_identifier_is_refused() -> None:
    takes = taking()
    assert isinstance(takes.take(alert("a1", START), NOW), Taken)
    assert takes.take(alert("a1", START), NOW) == CapDuplicate("a1")
    other = takes.take(alert("a1", START, severity="Extreme"), NOW)
    assert isinstance(other, CapFault)
    assert other.reason is CapRefused.CONFLICT


def test_updates_correct_the_first_report_whichever_of_its_messages_they_refer_to() -> None:
    takes, later = taking(), NOW + 10 * MINUTE
    first = takes.take(alert("a1", START), NOW)
    second = takes.take(alert("a2", START + MINUTE, msg_type="Update", references=reference("a1", START), severity="Minor"), later)
    third = takes.take(alert("a3", START + 2 * MINUTE, msg_type="Update", references=reference("a2", START + MINUTE)), later)
    assert isinstance(first, Taken) and isinstance(second, Taken) and isinstance(third, Taken)  # noqa: PT018
    assert [one.act for one in (*second.statements, *third.statements)] == ["correct", "correct"]
    assert second.statements[0].level == "blue"
    assert len({one.about for one in (*second.statements, *third.statements)}) == 1
    stale = takes.take(alert("a4", START + 30 * SECOND, msg_type="Update", references=reference("a1", START)), later)
    assert isinstance(stale, CapFault)
    assert stale.reason is CapRefused.SUPERSEDED


def test_an_update_whose_predecessor_is_not_known_any_more_brings_its_report_along() -> None:
    first = taking().take(alert("a1", START), NOW)
    update = taking().take(alert("a2", START + MINUTE, msg_type="Update", references=reference("a1", START)), NOW + 10 * MINUTE)
    assert isinstance(first, Taken) and isinstance(update, Taken)  # noqa: PT018
    assert [one.act for one in update.statements] == ["report", "correct"]
    assert update.statements[0].id == first.statements[0].id


REFUSED = [
    ("unsigned", written("a1", START), CapRefused.UNSIGNED),
    ("another key", signed(written("a1", START), *keyed("thief", START // DAY - 1, 30)), CapRefused.SIGNATURE_BROKEN),
    ("changed", alert("a1", START).replace(b"Severe", b"Extreme"), CapRefused.SIGNATURE_BROKEN),
    ("another sender", signed(written("a1", START, sender="else@where"), *keyed("upstream", START // DAY - 1, 30)), CapRefused.UNKNOWN_SENDER),
    ("document type", b"<!DOCTYPE alert [<!ENTITY a 'b'>]>" + alert("a1", START).partition(b"?>")[2], CapRefused.DOCUMENT_TYPE),
    ("utf-16", alert("a1", START).decode().encode("utf-16"), CapRefused.NOT_UTF8),
    ("says utf-7", alert("a1", START).replace(b"'UTF-8'", b"'UTF-7'"), CapRefused.NOT_UTF8),
    ("too large", b" " * 300_000, CapRefused.TOO_LARGE),
    ("too deep", b"<a>" * 300 + b"</a>" * 300, CapRefused.TOO_DEEP),
    ("cut", alert("a1", START)[:-9], CapRefused.NOT_XML),
    ("exercise", alert("a1", START, status="Exercise"), CapRefused.OTHER_LANE),
    ("real on a test lane", alert("a1", START, status="Actual"), CapRefused.OTHER_LANE),
    ("an answer", alert("a1", START, msg_type="Ack", references=reference("a0", START - MINUTE)), CapRefused.NOT_FOR_ACTION),
    ("update of nothing", alert("a1", START, msg_type="Update"), CapRefused.NOT_CAP),
    ("update of another's", alert("a1", START, msg_type="Update", references=f"b,c,{'2026-01-01T00:00:00-00:00'}"), CapRefused.REFERENCES),
    ("references of no form", alert("a1", START, msg_type="Update", references="a,b"), CapRefused.NOT_CAP),
    ("references of no date", alert("a1", START, msg_type="Update", references=f"{SENDER},a0,yesterday"), CapRefused.NOT_CAP),
    ("future", alert("a1", START + HOUR), CapRefused.TIME),
    ("expired", alert("a1", START, expires_at=START + SECOND), CapRefused.TIME),
    ("colour as severity", alert("a1", START, severity="Orange"), CapRefused.NOT_CAP),
    ("unknown severity", alert("a1", START, severity="Unknown"), CapRefused.NO_LEVEL),
    ("unknown event", alert("a1", START, code="999"), CapRefused.UNKNOWN_HAZARD),
    ("area of no place", alert("a1", START, area=""), CapRefused.NOT_CAP),
    ("code of no city", alert("a1", START, area="<geocode><valueName>x</valueName><value>1</value></geocode>"), CapRefused.NO_PLACE),
    ("open polygon", alert("a1", START, area="<polygon>1,1 1,2 2,2 2,1</polygon>"), CapRefused.NOT_CAP),
    ("circle of words", alert("a1", START, area="<circle>here</circle>"), CapRefused.NOT_CAP),
    ("circle nowhere", alert("a1", START, area="<circle>nan,nan 5</circle>"), CapRefused.NOT_CAP),
    ("circle beyond the pole", alert("a1", START, area="<circle>99,110 5</circle>"), CapRefused.NOT_CAP),
]  # fmt: skip


@pytest.mark.parametrize(("xml", "reason"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_no_sound_signed_alert_of_a_known_sender_is_refused_with_its_reason(xml: bytes, reason: CapRefused) -> None:
    assert refused(xml) is reason


def test_an_alert_stands_only_while_its_certificate_is_valid_and_pinned() -> None:
    xml = alert("a1", START, expires_at=START + 60 * DAY)
    assert isinstance(taking().take(xml, START + 20 * DAY), Taken)
    assert refused(xml, now=START + 40 * DAY) is CapRefused.CERTIFICATE_NOT_VALID
    changing = replace_certificates(keyed("next", START // DAY - 1, 60)[1], CERTIFICATE)
    assert isinstance(taking(changing).take(xml, NOW), Taken)
    assert refused(xml, replace_certificates(keyed("next", START // DAY - 1, 60)[1])) is CapRefused.SIGNATURE_BROKEN


def replace_certificates(*pems: bytes) -> CapSource:
    return SOURCE._replace(certificates=pems)


def test_a_genuine_alert_wrapped_into_a_forged_one_does_not_lend_it_its_signature() -> None:
    genuine = alert("a1", START).partition(b"?>")[2].strip()
    signature = genuine[genuine.index(b"<ds:Signature") : genuine.index(b"</ds:Signature>") + len(b"</ds:Signature>")]
    forged = written("a9", START, severity="Extreme")
    for xml in (
        forged.replace(b"</alert>", genuine + b"</alert>"),
        forged.replace(b"</alert>", signature + b"</alert>"),
        forged.replace(
            b"</alert>", signature.replace(b"</ds:Signature>", b"<ds:Object>" + genuine + b"</ds:Object></ds:Signature>") + b"</alert>"
        ),
    ):
        assert refused(xml) in {CapRefused.SIGNATURE_BROKEN, CapRefused.UNSIGNED, CapRefused.NOT_CAP}


def test_a_comment_cannot_hide_a_part_of_what_was_signed() -> None:
    xml = alert("a1", START).replace(b"<severity>Severe", b"<severity><!-- x -->Severe")
    found = taking().take(xml, NOW)
    assert isinstance(found, Taken)
    assert found.statements[0].level == "orange"


SEEDS = [one[1] for one in REFUSED if len(one[1]) < 20_000] + [alert("a1", START)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 20_000), st.binary(max_size=6)), max_size=5))
def test_whatever_the_bytes_are_the_answer_is_typed(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    for at, put in changes:
        place = at % (len(seed) + 1)
        seed = seed[:place] + put + seed[place + len(put) :]
    found = taking().take(seed, NOW)
    assert isinstance(found, Taken | CapFault)


SOURCES = """
[[sources]]
sender = "alerts@upstream.example"
speaks_for = "ava"
domain = "rill"
certificates = ["upstream.pem"]
hazards = { "081" = "flood" }
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ava"', '"nowhere"', "speaks_for: region rill knows no city or administration 'nowhere'"),
        ('"rill"', '"brook"', "domain: no region has a domain 'brook'"),
        ('"flood"', '"fire"', "hazards: region rill has no hazard fire"),
        ("upstream.pem", "none.pem", "certificates: none.pem is no certificate"),
        ("sender", "semder", "unknown field `semder`"),
        ("[[sources]]", "[[sources]", "cap_sources.toml: "),
    ],
)
def test_a_mistake_in_the_list_of_sources_is_named_with_file_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "upstream.pem").write_bytes(CERTIFICATE)
    file = tmp_path / "cap_sources.toml"
    file.write_text(SOURCES, "utf-8")
    assert read_sources(file, [REGION]) == [SOURCE._replace(hazards={"081": "flood"})]
    file.write_text(SOURCES.replace(old, new, 1), "utf-8")
    with pytest.raises(TocsinError, match=r"cap_sources\.toml") as error:
        read_sources(file, [REGION])
    assert said in str(error.value)


def test_what_nobody_could_state_here_is_refused_and_may_be_sent_again_put_right() -> None:
    door = taking()
    far = door.take(alert("a1", START, expires_at=253_402_300_799_000), NOW)
    assert isinstance(far, CapFault)
    assert far.reason is CapRefused.NOT_A_REPORT
    assert isinstance(door.take(alert("a1", START), NOW), Taken)
