"""Strimzi's objects against Strimzi's own schema (0.49.1, API v1), which its generator writes from its published classes."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stream.runtime.jars import cache_folder, fetched
from stream.runtime.java import find_java
from tests.deploy.test_kubernetes import FOLDER, STRIMZI, objects
from tests.deploy.test_observability import maker

SUMS = Path(__file__).with_name("strimzi-0.49.1.sha256")
CLASSES = {
    "Kafka": "kafka.Kafka",
    "KafkaNodePool": "nodepool.KafkaNodePool",
    "KafkaTopic": "topic.KafkaTopic",
    "KafkaUser": "user.KafkaUser",
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """By kind, closed: what a schema does not name, Kubernetes would drop in silence."""
    wanted = {name: digest for digest, name in (line.split() for line in SUMS.read_text("ascii").splitlines())}
    jars = fetched(wanted, cache_folder() / SUMS.stem)
    out = tmp_path_factory.mktemp("crds")
    command = [
        str(find_java()), "-cp", ":".join(map(str, jars)), "io.strimzi.crdgenerator.CrdGenerator", "--yaml", "--target-kube", "1.25+",
        "--crd-api-version", "v1", "--api-versions", "v1", "--storage-version", "v1",
    ]  # fmt: skip
    command += [f"io.strimzi.api.kafka.model.{name}={out / kind}.yaml" for kind, name in CLASSES.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    made = {kind: yaml.safe_load((out / f"{kind}.yaml").read_text("utf-8")) for kind in CLASSES}
    return {kind: closed(one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]) for kind, one in made.items()}


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema that refuses what it does not name (but in `metadata`, which is Kubernetes' own, and in free maps)."""
    found = copy.deepcopy(schema)
    nodes = [found]
    while nodes:
        node = nodes.pop()
        properties = node.get("properties", {})
        if properties and not node.get("x-kubernetes-preserve-unknown-fields"):
            node["additionalProperties"] = False
        nodes += [one for name, one in properties.items() if name != "metadata"]
        nodes += [node[name] for name in ("items",) if isinstance(node.get(name), dict)]
    return found


def test_every_object_of_strimzi_is_what_its_schema_allows(schemas: dict[str, dict[str, Any]]) -> None:
    found = objects(of=STRIMZI)
    assert {one["kind"] for one in found} == set(CLASSES)
    for one in found:
        jsonschema.validate(one, schemas[one["kind"]])
    print(f"{len(found)} objects of Strimzi")


@pytest.mark.parametrize(
    ("kind", "spoilt"),
    [
        ("KafkaTopic", {"partitons": 3}),
        ("KafkaTopic", {"partitions": "three"}),
        ("KafkaUser", {"authentication": {"type": "password"}}),
        ("Kafka", {"listeners": []}),
    ],
)
def test_a_wrong_one_is_noticed(schemas: dict[str, dict[str, Any]], kind: str, spoilt: dict[str, Any]) -> None:
    one = next(one for one in objects(of=STRIMZI) if one["kind"] == kind)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**one, "spec": {**one["spec"], **spoilt}}, schemas[kind])


def test_topics_and_users_are_made_of_the_tables_that_the_commands_use() -> None:
    made = maker("kubernetes").files(FOLDER.parent / "regions" / "example", FOLDER / "principals.toml")
    assert [name for name, text in made.items() if (FOLDER / name).read_text("utf-8") != text] == []


def test_every_user_that_a_process_has_is_made_and_names_are_unique() -> None:
    names = {one["metadata"]["name"] for one in objects(of=STRIMZI) if one["kind"] == "KafkaUser"}
    pods = [one["spec"]["template"]["spec"] for one in objects(of="apps/")]
    users = {env["value"] for pod in pods for env in pod["containers"][0]["env"] if env["name"] == "TOCSIN_SASL_USERNAME"}
    assert users <= names
    topics = [one["metadata"]["name"] for one in objects(of=STRIMZI) if one["kind"] == "KafkaTopic"]
    assert len(set(topics)) == len(topics)
