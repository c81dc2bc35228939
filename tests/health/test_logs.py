"""The log as text and as JSON: one object a line, with what the line is about."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stream.errors import TocsinError
from stream.health.logs import about, set_up
from stream.health.tracing import start
from stream.records.output import Kind, Output
from stream.runtime.tracked import log_raise
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("stream.somewhere")


@pytest.fixture(autouse=True)
def root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("aiokafka", "faust"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_of_json_says_when_where_who_and_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Settings(log_format="json", instance="w7"), "worker")
    with about(topic="journal", partition=3, offset=17):
        log.warning("waits for region %s", "河")
    log.info("afterwards")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    at = first.pop("at")
    assert at.endswith("Z")
    assert first == {
        "message": "waits for region 河",
        "level": "warning",
        "logger": "stream.somewhere",
        "service": "worker",
        "instance": "w7",
        "lane": "live",
        "topic": "journal",
        "partition": 3,
        "offset": 17,
    }
    assert "partition" not in second


def test_an_exception_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Settings(log_format="json"), "worker")
    try:
        int("of\nthree\nlines")
    except ValueError:
        log.exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError" in json.loads(line)["exception"]


def test_text_stays_the_default_and_says_what_it_is_about_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Settings(), "worker", quiet=["aiokafka"], silent=["faust"])
    log.info("plain")
    with about(request_id="r-1"):
        log.info("asked")
    logging.getLogger("aiokafka").info("not heard")
    logging.getLogger("faust").error("not heard")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" INFO stream.somewhere: plain")
    assert second.endswith(" INFO stream.somewhere: asked [request_id=r-1]")


def test_a_raise_is_in_the_log_with_the_ids_of_warning_and_incident_and_nothing_else_is(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Settings(log_format="json"), "worker")
    facts = {"kind": Kind.CITY, "key": b"k", "sent_at": 0, "city_id": "harbin", "warning_id": "wrn-1", "hazard": "flood", "level": 3}
    for reason in ("first", "later", "worse", "expired"):
        log_raise(Output(value=b'{"incident_id":"inc-1","text":"x"}', reason=reason, **facts))  # type: ignore[arg-type]
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["warning_id"], one["incident_id"], one["city_id"]) for one in found] == [("wrn-1", "inc-1", "harbin")] * 2
    assert found[0]["message"] == "harbin is told of flood: level 3, revision 0, first"


def test_without_an_endpoint_nothing_of_opentelemetry_is_even_imported() -> None:
    script = (
        "import sys\nfrom stream.health.tracing import span, start\nfrom stream.settings import Settings\n"
        "start(Settings(), 'worker', libraries=True)\nwith span('decide', partition=1): pass\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0


def test_an_endpoint_without_the_libraries_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(TocsinError, match=r"pip install 'tocsin\[otel\]'"):
        start(Settings(otel_endpoint="http://127.0.0.1:4318/v1/traces"), "worker")
