"""Agreements between neighbours: what is read, and every rule they can break, one at a time."""

from __future__ import annotations

import pytest

from stream.region.agreements import DUTIES
from tests.region.sound import CITIES, FILES, examined

GOOD = """\
[rill-water]
parties = ["upton", "downton"]
hazards = ["flood"]
section = "r1:5"
notify_from_level = "orange"
notify_within_s = 900
coordinator = "land"
drill_every_days = 90
each_officer = true
[rill-water.acknowledge_within_s]
red = 900
yellow = 3600
[rill-water.contacts.upton]
officers = ["chen", "li"]
deputies = ["wang"]
[rill-water.contacts.downton]
officers = ["zhao"]
[rill-water.duties]
""" + "\n".join(f'{duty} = {{ zh = "有", en = "agreed" }}' for duty in DUTIES)

BROKEN: dict[str, tuple[str, str, int, str, str]] = {
    "no_toml": ("[rill-water]", "[rill-water", 1, "", "no TOML"),
    "no_id": (
        "[rill-water]\n",
        '["Rill"]\nparties = ["upton", "downton"]\nhazards = ["flood"]\n[rill-water]\n',
        1,
        "Rill",
        "no agreement id",
    ),
    "unknown_party": ('"downton"]', '"dowton"]', 2, "rill-water.parties", 'nearest known one is "downton"'),
    "one_party": ('["upton", "downton"]', '["upton"]', 2, "rill-water.parties", "agrees with nobody"),
    "party_within_a_party": ('["upton", "downton"]', '["upton", "downton", "land"]', 2, "rill-water.parties", "lies within 'land'"),
    "unknown_hazard": ('["flood"]', '["floot"]', 3, "rill-water.hazards", 'nearest known one is "flood"'),
    "unknown_reach": ('"r1:5"', '"r7:5"', 4, "rill-water.section", "no reach 'r7'"),
    "kilometre_beyond_the_reach": ('"r1:5"', '"r1:50"', 4, "rill-water.section", "from 0 to 10"),
    "unknown_level": ('"orange"', '"amber"', 5, "rill-water.notify_from_level", "no such level"),
    "negative_time": ("= 900\ncoordinator", "= -9\ncoordinator", 6, "rill-water.notify_within_s", "out of range"),
    "unknown_coordinator": ('"land"', '"lamd"', 7, "rill-water.coordinator", 'nearest known one is "land"'),
    "coordinator_is_a_party": ('"land"', '"upton"', 7, "rill-water.coordinator", "is a party"),
    "drill_never": ("days = 90", "days = 0", 8, "rill-water.drill_every_days", "out of range"),
    "no_truth": ("= true", '= "yes"', 9, "rill-water.each_officer", "neither true nor false"),
    "worse_may_wait_longer": ("yellow = 3600", "yellow = 300", 11, "rill-water.acknowledge_within_s.red", "more than the 300 s of yellow"),
    "answer_at_once": ("red = 900", "red = 9", 11, "rill-water.acknowledge_within_s.red", "out of range"),
    "unknown_colour": ("yellow = 3600", "yelow = 3600", 12, "rill-water.acknowledge_within_s.yelow", 'nearest known one is "yellow"'),
    "officers_missing": ('officers = ["zhao"]', "", 16, "rill-water.contacts.downton.officers", "is missing"),
    "contacts_of_a_stranger": ("contacts.upton]", "contacts.land]", 13, "rill-water.contacts.land.", "no party"),
    "unknown_duty": ("cooperation =", "coperation =", 19, "rill-water.duties.coperation", "no such key"),
    "duty_in_one_language": (', en = "agreed" }', " }", 19, "rill-water.duties.cooperation.en", "is missing"),
    "unknown_key": ("section =", "sektion =", 4, "rill-water.sektion", 'nearest known one is "section"'),
}


def agreed(text: str):
    return examined({**FILES, "agreements.toml": text})


def test_an_agreement_is_read_as_it_was_made():
    region, findings = agreed(GOOD)
    assert region is not None, findings.problems
    (one,) = region.agreements
    assert (one.agreement_id, one.parties, one.section, one.notify_from_level) == ("rill-water", ("upton", "downton"), "r1:5", "orange")
    assert (one.acknowledge_within_s, one.coordinator, one.each_officer) == ({"red": 900.0, "yellow": 3600.0}, "land", True)
    assert (one.contacts["upton"].officers, one.contacts["upton"].deputies) == (("chen", "li"), ("wang",))
    assert set(one.duties) == set(DUTIES)
    assert findings.sorted_notes() == ()


def test_a_duty_nobody_agreed_on_is_said_and_no_fault():
    region, findings = agreed(GOOD.split("[rill-water.duties]")[0])
    assert region is not None
    (note,) = [one for one in findings.sorted_notes() if one.file == "agreements.toml"]
    assert all(duty in note.problem for duty in DUTIES)


@pytest.mark.parametrize("case", BROKEN)
def test_each_broken_rule_is_named_with_its_place(case: str):
    old, new, line, field, words = BROKEN[case]
    assert GOOD.count(old) >= 1
    problems = agreed(GOOD.replace(old, new, 1))[1].sorted_problems()
    found = [(one.line, one.field) for one in problems if words in one.problem + "; " + one.fix and one.file == "agreements.toml"]
    assert (line, field) in found, problems


def test_officers_must_be_named_where_each_of_them_has_to_answer():
    text = GOOD.replace('[rill-water.contacts.downton]\nofficers = ["zhao"]\n', "")
    (problem,) = agreed(text)[1].sorted_problems()
    assert (problem.line, problem.field) == (9, "rill-water.each_officer")


def test_a_file_without_an_agreement_is_a_fault():
    (problem,) = agreed("")[1].sorted_problems()
    assert "holds no agreement" in problem.problem


def test_everybody_who_may_have_to_take_over_has_topics_of_his_own():
    from stream.region.administrations import recipients

    region, _ = agreed(GOOD)
    assert CITIES.count('"world"') == 1
    assert recipients(region) == ("downton", "land", "upton", "world")
