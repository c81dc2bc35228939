"""Writes Strimzi's objects of topics and users from the same tables that `tocsin topics` uses, for a region and the principals of a file.

    python deploy/kubernetes/make.py [REGION [PRINCIPALS [FOLDER]]]

What is checked in is made of deploy/regions/example and principals.toml. Whoever lets Strimzi keep the topics makes the files for his own
regions before `tocsin region activate`; otherwise `tocsin topics create` and `tocsin topics acl --apply` do the same on any cluster.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stream.region.administrations import recipients
from stream.region.load import load_folder
from stream.region.principals import own_doors
from stream.runtime.acls import strimzi, wanted
from stream.runtime.holders import Served, read
from stream.runtime.topics import TopicPlan, plan
from stream.settings import Settings

HERE = Path(__file__).resolve().parent
MADE = "# Made by deploy/kubernetes/make.py from the region {region} and {principals}.\n"


def settings() -> Settings:
    """Those of settings.yaml, as the installer has them."""
    maps = [one for one in yaml.safe_load_all((HERE / "settings.yaml").read_text("utf-8")) if one["kind"] == "ConfigMap"]
    found = tomllib.loads(maps[0]["data"]["settings.toml"])
    return msgspec.convert({**found, "sasl_username": "tocsin-installer"}, Settings)


def topic(one: TopicPlan) -> dict[str, Any]:
    """A topic as Strimzi's object; names of objects have no underscores, so the topic's own name stands inside."""
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": one.name.replace("_", "-"), "namespace": "tocsin", "labels": {"strimzi.io/cluster": "tocsin"}},
        "spec": {"topicName": one.name, "partitions": one.partitions, "replicas": one.replication, "config": dict(sorted(one.configs.items()))},
    }


def files(region_folder: Path, principals: Path) -> dict[str, str]:
    """File name -> YAML."""
    region = load_folder(region_folder)
    topics = plan(settings(), recipients(region), own_doors(region.principals))
    users: list[Any] = msgspec.to_builtins(strimzi(wanted(settings(), read(principals), Served.by([region]))))
    for user in users:
        user["metadata"]["namespace"] = "tocsin"
    made = MADE.format(region=region.name, principals=principals.name)
    return {
        "strimzi-topics.yaml": made + yaml.safe_dump_all([topic(one) for one in topics], sort_keys=False, width=140),
        "strimzi-users.yaml": made + yaml.safe_dump_all(users, sort_keys=False, width=140),
    }


def main(region: str = "", principals: str = "", folder: str = "") -> None:
    """Write both files."""
    region_folder = Path(region) if region else HERE.parent / "regions" / "example"
    for name, text in files(region_folder, Path(principals) if principals else HERE / "principals.toml").items():
        ((Path(folder) if folder else HERE) / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
