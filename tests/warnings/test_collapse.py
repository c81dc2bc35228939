"""Many cities as one line an incident: nothing active, unknown or muted is lost by it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.cli.collapsed import lines
from stream.records.warning import CityState, MsgType
from stream.warnings.collapse import collapse
from stream.warnings.reading import CityView, reading, told_all
from tests.warnings.test_reading import FLOOD, status, warning

LEVELS = ("blue", "yellow", "orange", "red")


def read(city_id, messages, now=50_000):
    view = told_all(CityView(city_id), messages)
    return reading(view, [FLOOD], now)


def of(city_id, incident="i", **values):
    return warning(warning_id=f"w-{incident}-{city_id}", city_id=city_id, incident_id=incident, **values)


def test_one_incident_over_many_cities_is_one_line_with_the_worst_first():
    readings = [
        read("ava", [of("ava", level="yellow", arrives_at_p50="1970-01-01T00:10:00Z")]),
        read("bor", [of("bor", level="red", paths=("same_place",))]),
        read("land", [of("land", level="red", role="informed")]),
    ]
    (one,) = collapse(readings).incidents
    assert (one.level, one.cities, one.informed) == ("red", (("bor", "red"), ("ava", "yellow")), ("land",))
    assert one.arrives_at == "1970-01-01T00:10:00Z"
    shown = lines(collapse(readings), readings)
    assert shown[0].startswith("[bold]3 cities[/]: 2 warned, 1 unknown"), shown
    assert len([line for line in shown if "[dim]i[/]" in line]) == 1
    assert "2 cities (1 red, 1 yellow): bor, ava" in shown[1]


def test_what_is_not_known_and_what_is_muted_have_lines_of_their_own():
    quiet = status(CityState.WARNED, 0, level="blue")
    muted = read("wu", [type(quiet)(**{name: getattr(quiet, name) for name in quiet.__struct_fields__} | {"muted_by": ("silence:s",)})])
    blind = read("xi", [])
    found = collapse([muted, blind])
    assert (found.incidents, found.muted, found.unknown) == ((), (("flood", "danube", ("wu",)),), (("flood", "danube", ("xi",)),))
    shown = "\n".join(lines(found, [muted, blind]))
    assert "muted   flood in danube: wu; not over" in shown
    assert "unknown[/] flood in danube: xi" in shown


def test_a_muted_raise_within_the_silenced_levels_shows_in_the_level_that_is_read():
    quiet = status(CityState.WARNED, 2_000, level="yellow")
    raised = type(quiet)(**{name: getattr(quiet, name) for name in quiet.__struct_fields__} | {"muted_by": ("silence:s",)})
    one = read("wu", [warning(level="blue"), raised])
    assert (one.level, dict(one.levels), dict(one.muted)) == ("yellow", {FLOOD: "yellow"}, {FLOOD: ("silence:s",)})
    assert read("wu", [warning(level="blue"), quiet]).level == "blue"


def test_domains_that_contradict_each_other_about_one_danger_are_shown_and_the_worst_counts():
    sava = FLOOD._replace(domain="sava")
    view = told_all(CityView("wu"), [warning(level="orange"), status(CityState.CLEAR, 49_000, sava)])
    one = reading(view, [FLOOD, sava], 50_000)
    assert (one.state, one.level, dict(one.conflicts)) == (CityState.WARNED, "orange", {"flood": {"danube": "orange", "sava": "clear"}})
    unseen = reading(told_all(CityView("wu"), [warning(level="orange")]), [FLOOD, sava], 50_000)
    assert dict(unseen.conflicts) == {}, "not knowing is no contradiction"


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("ij"), st.sampled_from(LEVELS), st.sampled_from(list(MsgType))), max_size=20
    )
)
def test_every_active_warning_is_in_exactly_one_line_and_no_other_is(said):
    cities = {}
    for revision, (city, incident, level, msg_type) in enumerate(said, 1):
        cities.setdefault(city, []).append(of(city, incident, revision=revision, level=level, msg_type=msg_type))
    readings = [read(city, messages) for city, messages in cities.items()]
    found = collapse(readings)
    active = Counter((warning.incident_id, warning.city_id, warning.level) for one in readings for warning in one.active)
    assert active == Counter((one.incident_id, *city) for one in found.incidents for city in one.cities)
    assert [one.level for one in found.incidents] == sorted((one.level for one in found.incidents), key=LEVELS.index, reverse=True)
    assert sum(len(cities) for _, _, cities in found.unknown) == sum(len(one.unknown) for one in readings)
