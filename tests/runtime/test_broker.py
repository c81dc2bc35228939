from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from stream.errors import BrokerError
from stream.runtime import jars
from stream.runtime.broker import Broker
from stream.runtime.java import find_java, version_of
from stream.runtime.ports import answers_metadata, ephemeral_from, free_ports

ROOT = Path(__file__).parents[2]


def port_of(broker: Broker) -> int:
    return int(broker.bootstrap.split(":")[1])


def test_a_java_of_version_17_or_newer_is_found() -> None:
    assert (version_of(find_java()) or 0) >= 17


def test_ports_lie_below_the_ephemeral_range_and_can_be_bound() -> None:
    broker, controller = free_ports("127.0.0.1")
    assert broker != controller
    assert max(broker, controller) < ephemeral_from()
    with socket.socket() as server:
        server.bind(("127.0.0.1", broker))


def test_a_damaged_jar_is_found_by_its_sum_and_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "org.slf4j:slf4j-api:1.7.36"
    only = {name: jars.pinned()[name]}
    monkeypatch.setattr(jars, "pinned", lambda: only)
    (tmp_path / jars.jar_name(name)).write_bytes(b"torn")
    seen: list[tuple[int, int]] = []
    (path,) = jars.kafka_jars(lambda done, total: seen.append((done, total)), folder=tmp_path)
    assert jars.sha256(path) == jars.pinned()[name]
    assert seen == [(1, 1)]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_jar_that_differs_from_the_committed_sum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "pinned", lambda: {"org.slf4j:slf4j-api:1.7.36": "0" * 64})
    with pytest.raises(BrokerError, match="expected 0000"):
        jars.kafka_jars(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kafka
@pytest.mark.slow
def test_records_survive_sigkill_and_restart_on_the_same_port(tmp_path: Path) -> None:
    with Broker.start(tmp_path) as broker:
        address, first_pid = broker.bootstrap, broker.pid
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
        producer = Producer({"bootstrap.servers": address, "acks": "all"})
        producer.produce("kept", b"value")
        assert producer.flush(10) == 0
        broker.kill()
        assert not answers_metadata("127.0.0.1", port_of(broker))
        with pytest.raises(BrokerError, match="not running"):
            _ = broker.pid
        broker.restart()
        assert broker.bootstrap == address
        assert broker.pid != first_pid
        consumer = Consumer({"bootstrap.servers": address, "group.id": "g"})
        consumer.assign([TopicPartition("kept", 0, 0)])
        message = consumer.poll(10)
        consumer.close()
        assert message is not None
        assert message.value() == b"value"
    assert not answers_metadata("127.0.0.1", port_of(broker))


@pytest.mark.kafka
def test_the_log_file_shows_what_the_broker_did(broker: Broker) -> None:
    assert "started" in broker.log.read_text("utf-8")


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    with Broker.start(tmp_path):
        pass
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=other\nnode.id=7\n")
    with pytest.raises(BrokerError, match="Stored node id 7"):
        Broker.start(tmp_path)


@pytest.mark.kafka
@pytest.mark.slow
def test_java_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = f"""
        import sys
        from pathlib import Path
        from stream.runtime.broker import Broker
        broker = Broker.start(Path({str(tmp_path)!r}))
        print(broker.pid, flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        java = int(parent.stdout.readline())
        parent.kill()
        parent.wait(10)
        until = time.monotonic() + 10
        while _runs(java):
            assert time.monotonic() < until, f"java {java} is still running"
            time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
