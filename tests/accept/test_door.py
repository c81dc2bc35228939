from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import Refused
from stream.errors import TocsinError
from stream.records.journal import Flag, Measurements, columns, decode
from stream.records.warning import Lane
from stream.settings import Settings
from tests.accept.regions import region
from tests.accept.twin import twin

NOW = 1_714_564_800_000  # 2024-05-01T12:00:00Z
LIVE = Settings()
REPLAY = Settings(clock="observed", prefix="x.", lane=Lane.TEST)
REGIONS = [region()]
ACCEPT = {"broker": Accept(REGIONS, LIVE, 12), "observed": Accept(REGIONS, REPLAY, 12)}


def rows(out):
    """Every accepted measurement as the twin gives it, in the order of the journal messages."""
    found = []
    for entry in out.entries:
        message = decode(entry.value)
        assert isinstance(message, Measurements)
        assert entry.key == message.domain.encode()
        for row, at, value, flags in zip(*(column.tolist() for column in columns(message)), strict=True):
            found.append((entry.partition, entry.timestamp, message.domain, message.region_hash, row, at, value, flags))
    return found


def send(*messages, door="water", clock="broker", at=NOW):
    records = [
        DoorRecord(0, offset, at, one if isinstance(one, bytes | None) else json.dumps(one).encode()) for offset, one in enumerate(messages)
    ]
    return ACCEPT[clock].accept(door, records, NOW)


def stage(**other):
    return {"series": "upper/stage", "observed_at": "2024-05-01T11:00:00Z", "value": 1.5} | other


NAMES = [
    "upper/stage",
    "lower/discharge",
    "works/nitrobenzene",
    "roof/pm25",
    "north/cases",
    "south/influenza",
    "mixed/stage",
    "mixed/cases",
    "no/such",
    "",
]
TIMES = [
    "2024-05-01T11:00:00Z", "2024-05-01T19:30:00.123456+08:00", "2024-05-01T11:59:59.999999Z", "2024-04-30T12:00:01Z", "2024-05-01T12:01:30Z",
    "2024-05-01T12:02:30Z", "2024-05-02T00:00:00Z", "2024-05-01T19:00:00", "2023-10-29T02:30:00", "2024-03-31T02:30:00", "1990-09-16T01:30:00",
    "1969-12-31T23:59:59.999Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:00:00.001Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:00:00",
    "tomorrow", 1_714_560_000, 1_714_560_000.1235, NOW, -0.5, 0, 1e300, None, True,
]  # fmt: skip
VALUES = [0, 1, 3, 1.5, -7.25, 1e308, 100_000_001, "1.5", None, True, 2.0]
UNITS = ["m", "cm", "km", "m3/s", "l/s", "ug/m3", "mg/m3", "count", "cases", "kg", "furlongz", "", "u" * 200]
FIELDS = {
    "series": st.sampled_from(NAMES), "station": st.sampled_from(["upper", "roof", "no"]), "quantity": st.sampled_from(["stage", "cases", "influenza"]),
    "area": st.sampled_from(["north", "south", "no"]), "unit": st.sampled_from(UNITS), "quality": st.sampled_from(["good", "SUSPECT", "3", ""]),
    "observed_at": st.sampled_from(TIMES), "period_start_at": st.sampled_from(TIMES), "period_end_at": st.sampled_from(TIMES),
    "value": st.sampled_from(VALUES), "note": st.sampled_from(["x", None]),
}  # fmt: skip
WATER = st.fixed_dictionaries(
    {"observed_at": FIELDS["observed_at"], "value": FIELDS["value"]},
    optional={name: FIELDS[name] for name in ("series", "station", "quantity", "unit", "quality", "note")},
)
HEALTH = st.fixed_dictionaries(
    {name: FIELDS[name] for name in ("period_start_at", "period_end_at", "value")},
    optional={name: FIELDS[name] for name in ("series", "area", "quantity", "unit", "note")},
)
SOUND = st.fixed_dictionaries(
    {
        "series": st.sampled_from(["upper/stage", "lower/discharge", "mixed/stage"]),
        "observed_at": st.sampled_from([*TIMES[:5], 1714560000]),
        "value": st.floats(-10, 10),
    }
)
ANY = st.one_of(
    st.dictionaries(st.sampled_from(sorted(FIELDS)), st.one_of(*FIELDS.values()), max_size=4), st.sampled_from([1, "x", None, [[]], []])
)


def messages(door):
    one = st.one_of(HEALTH, HEALTH, ANY) if door == "health" else st.one_of(SOUND, WATER, SOUND, ANY)
    text = st.one_of(one, st.lists(one, max_size=5)).map(lambda value: json.dumps(value).encode())
    return st.lists(st.one_of(text, text, text, st.sampled_from([None, b"", b" ", b"{", b"\xff", b"[NaN]", b"x"])), max_size=12)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), door=st.sampled_from(["water", "water", "air", "health"]), clock=st.sampled_from(["broker", "observed"]))
def test_accept_does_what_its_slow_twin_does(data, door, clock):
    batch = data.draw(messages(door))
    stamps = data.draw(
        st.lists(st.sampled_from([NOW, NOW - 60_000, NOW + 60_000, NOW + 86_400_000]), min_size=len(batch), max_size=len(batch))
    )
    records = [DoorRecord(1, offset, stamp, value) for offset, (value, stamp) in enumerate(zip(batch, stamps, strict=True))]
    out = ACCEPT[clock].accept(door, records, NOW)
    good, refused = twin(door, records, NOW, REGIONS, LIVE if clock == "broker" else REPLAY)
    assert rows(out) == sorted(good, key=lambda row: [one.domain_id for one in REGIONS[0].domains].index(row[2]))
    assert [(one.offset, one.index, one.reason) for one in out.refused] == [one[:3] for one in refused]
    for one, (_, index, _, payload) in zip(out.refused, refused, strict=True):
        assert one.payload == payload if index is None or payload is None else json.loads(one.payload) == json.loads(payload)
    assert out.accepted == len(good)
    assert out.late == sum(row[-1] & Flag.LATE for row in good)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), st.none()), max_size=8), st.sampled_from(["water", "air", "health"]))
def test_no_bytes_make_it_raise_and_every_record_is_accounted_for(values, door):
    out = ACCEPT["broker"].accept(door, [DoorRecord(0, offset, NOW, value) for offset, value in enumerate(values)], NOW)
    assert out.accepted == 0
    assert {one.offset for one in out.refused} == set(range(len(values)))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_message_with_a_few_bytes_changed_is_accepted_or_refused_never_both(data):
    text = bytearray(json.dumps([stage(), stage(unit="cm", quality="3")]).encode())
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=4)):
        text[at] = data.draw(st.integers(0, 255))
    out = send(bytes(text), stage())
    whole = [one for one in out.refused if one.index is None]
    assert out.accepted >= 1
    assert len(whole) in {0, 1}
    assert whole or out.accepted + len(out.refused) == 3


@pytest.mark.parametrize(
    "evil", [b"1],[2", b'{"series":"upper/stage","observed_at":1714560000,"value":1},{"value":2}', b'{"x":[{}', b"{}]}"]
)
def test_no_record_reaches_into_its_neighbours(evil):
    out = send(stage(), evil, stage(value=2.5), evil, stage(value=3.5))
    assert [row[6] for row in rows(out)] == [1.5, 2.5, 3.5]
    assert [one.offset for one in out.refused] == [1, 3]


def test_one_bad_element_of_an_array_is_refused_alone_with_its_own_bytes():
    out = send(
        b'[{"series":"upper/stage","observed_at":1714560000,"value":1}, {"series":"upper/stage", "value":"2"},\n{"series":"x","observed_at":0,"value":3} ]'
    )
    assert out.accepted == 1
    assert [(one.index, one.reason, one.payload) for one in out.refused] == [
        (1, Refused.WRONG_TYPE, b'{"series":"upper/stage", "value":"2"}'),
        (2, Refused.UNKNOWN_SERIES, b'{"series":"x","observed_at":0,"value":3}'),
    ]


def test_of_duplicate_keys_the_last_one_wins():
    out = send(b'{"series":"upper/stage","observed_at":1714560000,"value":1,"value":2}')
    assert [row[6] for row in rows(out)] == [2.0]


def test_values_are_converted_to_the_unit_of_the_series():
    out = send(
        stage(unit="cm", value=150),
        stage(unit="m", value=1.5),
        stage(value=1.5),
        {**stage(), "series": "lower/discharge", "unit": "l/s", "value": 2500},
    )
    assert [row[6] for row in rows(out)] == pytest.approx([1.5, 1.5, 1.5, 2.5])
    assert rows(out)[0][6] == 1.5


def test_a_value_that_overflows_by_conversion_is_refused():
    assert [one.reason for one in send(stage(unit="km", value=1e308)).refused] == [Refused.NOT_FINITE]


def test_a_time_without_offset_is_local_time_of_the_station():
    out = send(stage(observed_at="2024-05-01T19:00:00"), {**stage(observed_at="2024-05-01T13:00:00"), "series": "lower/discharge"})
    assert [row[5] for row in rows(out)] == [NOW - 3_600_000] * 2


def test_the_most_tolerant_hazard_decides_what_is_late_and_what_is_future():
    three_hours = stage(observed_at="2024-05-01T09:00:00Z")
    out = send(three_hours, {**three_hours, "series": "mixed/stage"})
    assert {row[2]: row[7] for row in rows(out)} == {"basin": 0, "both": Flag.LATE}
    assert (out.accepted, out.late) == (2, 1)
    ahead = stage(observed_at="2024-05-01T12:01:59Z")
    assert send(ahead).accepted == 1
    assert [one.reason for one in send(stage(observed_at="2024-05-01T12:02:01Z")).refused] == [Refused.TIME_FUTURE]


def test_the_future_is_judged_by_the_later_of_the_broker_and_the_own_clock():
    ahead = stage(observed_at="2024-05-01T12:30:00Z")
    assert send(ahead, at=NOW).accepted == 0
    assert send(ahead, at=NOW + 1_800_000).accepted == 1
    record = DoorRecord(0, 0, NOW, json.dumps(ahead).encode())
    assert ACCEPT["broker"].accept("water", [record], NOW + 1_800_000).accepted == 1


def test_what_comes_to_a_door_of_history_is_late_however_young_it_is():
    records = [DoorRecord(0, 0, NOW, json.dumps([stage(), stage(observed_at="2024-05-01T12:30:00Z"), stage(value=None)]).encode())]
    out = Accept(REGIONS, LIVE, 12, history=True).accept("backfill.water", records, NOW)
    assert [row[7] for row in rows(out)] == [Flag.LATE]
    assert out.late == 1
    assert [one.reason for one in out.refused] == [Refused.TIME_FUTURE, Refused.WRONG_TYPE]
    assert [row[7] for row in rows(send(stage()))] == [0]


def test_on_replay_lanes_nothing_is_late_or_future_and_a_message_is_of_one_instant():
    out = send(
        *(stage(observed_at=at) for at in ("1980-01-01T00:00:00Z", "1980-01-01T00:00:00Z", "1980-01-02T00:00:00Z", "2099-01-01T00:00:00Z")),
        clock="observed",
    )
    assert [entry.timestamp for entry in out.entries] == [315_532_800_000, 315_619_200_000, 4_070_908_800_000]
    assert [len(columns(decode(entry.value)).rows) for entry in out.entries] == [2, 1, 1]
    assert all((columns(decode(entry.value)).observed_at == entry.timestamp).all() for entry in out.entries)
    assert out.late == 0


def test_journal_messages_stay_below_their_limit_and_lose_nothing():
    small = Settings(journal_bytes_max=1000)
    text = json.dumps([stage(value=number) for number in range(500)]).encode()
    out = Accept(REGIONS, small, 12).accept("water", [DoorRecord(0, 0, NOW, text)], NOW)
    assert max(len(entry.value) for entry in out.entries) <= 1000
    assert len(out.entries) < 20
    assert [row[6] for row in rows(out)] == list(range(500))


def test_a_series_of_two_regions_goes_to_the_region_first_by_name():
    both = [region("zeta", "f" * 16, extra=60), region("alpha", "a" * 16)]
    for regions in (both, both[::-1]):
        accept = Accept(regions, LIVE, 12)
        records = [
            DoorRecord(0, at, NOW, json.dumps(stage(series=name)).encode())
            for at, name in enumerate(["upper/stage", "s7/stage", "s59/stage"])
        ]
        out = accept.accept("water", records, NOW)
        assert {(row[2], row[3]) for row in rows(out)} == {("basin", "a" * 16), ("domain0", "f" * 16), ("domain1", "f" * 16)}
        zeta = next(one for one in both if one.name == "zeta")
        assert [zeta.series.ids[row[4]] for row in rows(out)[1:]] == ["s7/stage", "s59/stage"]


def test_a_pinned_domain_goes_to_its_partition():
    out = send({"series": "roof/pm25", "observed_at": "2024-05-01T11:00:00Z", "value": 35}, door="air")
    assert [entry.partition for entry in out.entries] == [3]


def test_without_any_active_region_every_series_is_unknown():
    out = Accept([], LIVE, 12).accept("water", [DoorRecord(0, 0, NOW, json.dumps(stage()).encode())], NOW)
    assert [one.reason for one in out.refused] == [Refused.UNKNOWN_SERIES]
    assert Accept([], LIVE, 12).accept("health", [], NOW).refused == []


def test_a_door_that_does_not_exist_is_a_mistake_of_ours():
    with pytest.raises(TocsinError, match="no door"):
        send(stage(), door="fire")


def test_very_many_bad_elements_of_one_message_are_refused_together():
    text = json.dumps([stage(), *({} for _ in range(70)), *(stage(series="x") for _ in range(50))]).encode()
    out = send(text, b"{}")
    assert out.accepted == 1
    assert [(one.reason, one.offset, one.index) for one in out.refused] == [(Refused.MANY, 0, None), (Refused.MISSING_FIELD, 1, None)]
    assert out.refused[0].payload == text
    assert "70 missing_field, 50 unknown_series" in out.refused[0].detail


def test_the_result_does_not_depend_on_how_records_are_batched():
    records = [DoorRecord(0, at, NOW, json.dumps(stage(value=at, **({"unit": "kg"} if at % 7 == 0 else {}))).encode()) for at in range(60)]
    whole = ACCEPT["broker"].accept("water", records, NOW)
    parts = [ACCEPT["broker"].accept("water", records[at : at + 7], NOW) for at in range(0, 60, 7)]
    assert rows(whole) == [row for part in parts for row in rows(part)]
    assert whole.refused == [one for part in parts for one in part.refused]


def test_a_batch_with_every_reason_counts_each_once():
    reasons = Counter(
        one.reason for one in send(b"", None, b"x", b"\xff", {}, stage(value=None), stage(series="no"), stage(observed_at=NOW)).refused
    )
    assert reasons == Counter(
        [
            Refused.EMPTY,
            Refused.TOMBSTONE,
            Refused.NOT_JSON,
            Refused.NOT_UTF8,
            Refused.MISSING_FIELD,
            Refused.WRONG_TYPE,
            Refused.UNKNOWN_SERIES,
            Refused.TIME_ABSURD,
        ]
    )
