"""What our clients show a broker comes from files that only we may read, and stands in nothing that is ever printed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.cluster import Cluster
from stream.errors import TocsinError
from stream.runtime.app import credentials
from stream.settings import Settings, load

PASSWORD = "kanarienvogel-7"  # noqa: S105


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", "utf-8")
    file.chmod(0o600)
    return file


def scram(file: Path | str, **changes: str) -> Cluster:
    return Cluster(
        **{"bootstrap": "kafka:9092", "security_protocol": "SASL_SSL", "sasl_username": "w", "sasl_password_file": str(file), **changes}
    )


def test_every_client_is_given_the_same_security(password_file: Path) -> None:
    cluster = scram(password_file)
    ours, theirs, fausts = cluster.aiokafka(), cluster.librdkafka(), credentials(cluster)
    assert ours.pop("ssl_context").check_hostname
    assert ours == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "w",
        "sasl_plain_password": PASSWORD,
    }
    assert theirs == {
        "bootstrap.servers": "kafka:9092",
        "log_level": 0,
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "w",
        "sasl.password": PASSWORD,
    }
    assert fausts is not None
    assert (fausts.username, fausts.password, fausts.mechanism.value, fausts.protocol.value) == ("w", PASSWORD, "SCRAM-SHA-512", "SASL_SSL")


def test_a_password_that_changes_is_used_by_the_next_client(password_file: Path) -> None:
    cluster = scram(password_file)
    assert cluster.aiokafka()["sasl_plain_password"] == PASSWORD
    password_file.write_text("another\r\n", "utf-8")
    assert cluster.aiokafka()["sasl_plain_password"] == "another"  # noqa: S105


def test_nothing_that_is_printed_holds_a_password(password_file: Path) -> None:
    settings = Settings(security_protocol="SASL_SSL", sasl_username="w", sasl_password_file=str(password_file))
    assert PASSWORD not in repr(settings) + str(settings) + repr(settings.cluster) + repr(credentials(settings.cluster))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"security_protocol": "SASL_PLAINTEXT"}, "needs sasl_username and sasl_password_file"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "w"}, "needs sasl_password_file"),
        ({"sasl_username": "w"}, "sasl_username with security_protocol PLAINTEXT would not be used"),
        ({"security_protocol": "SSL", "sasl_username": "w"}, "set it to SASL_PLAINTEXT or SASL_SSL"),
        ({"ssl_ca_file": "/ca.pem"}, "ssl_ca_file with security_protocol PLAINTEXT would not be used: set it to SSL or SASL_SSL"),
        ({"security_protocol": "SSL", "ssl_cert_file": "/c.pem"}, "needs ssl_key_file"),
        ({"security_protocol": "SSL", "ssl_key_password_file": "/p"}, "ssl_key_password_file without ssl_key_file"),
    ],
)
def test_security_that_is_incomplete_or_would_not_be_used_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(TocsinError, match=said):
        Settings(**changes)


def test_a_secret_in_the_wrong_place_is_refused_without_repeating_it(
    password_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(TocsinError, match="an absolute path is needed") as refused:
        scram(PASSWORD).aiokafka()
    assert PASSWORD not in str(refused.value)
    file = tmp_path / "settings.toml"
    file.write_text(f'sasl_password = "{PASSWORD}"\n', "utf-8")
    with pytest.raises(TocsinError, match="sasl_password") as refused:
        load(file)
    assert PASSWORD not in str(refused.value)
    monkeypatch.setenv("TOCSIN_SASL_PASSWORD", PASSWORD)
    with pytest.raises(TocsinError, match="TOCSIN_SASL_PASSWORD_FILE") as refused:
        load()
    assert PASSWORD not in str(refused.value)


def test_a_password_file_that_cannot_be_used_is_named_with_what_to_do(password_file: Path, tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match=r"sasl_password_file: .*/none cannot be read: No such file"):
        scram(tmp_path / "none").aiokafka()
    password_file.write_text("\n", "utf-8")
    with pytest.raises(TocsinError, match="is empty; write the secret into it"):
        scram(password_file).librdkafka()
    password_file.write_bytes(b"\xff\xfe")
    with pytest.raises(TocsinError, match="it is not UTF-8 text"):
        scram(password_file).aiokafka()


def test_our_own_file_must_be_closed_to_others_and_a_mounted_secret_need_not(password_file: Path, tmp_path: Path) -> None:
    password_file.chmod(0o640)
    with pytest.raises(TocsinError, match=r"open to others \(mode 0640\); chmod 600 "):
        scram(password_file).aiokafka()
    # As Kubernetes mounts a Secret: a link into a folder that `..data` names.
    pod = tmp_path / "pod"
    (pod / "..2026").mkdir(parents=True)
    (pod / "..2026" / "password").write_text(PASSWORD, "utf-8")
    (pod / "..2026" / "password").chmod(0o644)
    (pod / "..data").symlink_to("..2026")
    (pod / "password").symlink_to(Path("..data") / "password")
    assert scram(pod / "password").aiokafka()["sasl_plain_password"] == PASSWORD


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_owner_is_handed_to_us_and_could_not_be_read_otherwise(password_file: Path) -> None:
    os.chown(password_file, 65534, -1)
    password_file.chmod(0o644)
    assert scram(password_file).aiokafka()["sasl_plain_password"] == PASSWORD


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match=r"ssl_ca_file: there is no file /none\.pem"):
        Cluster("kafka:9092", security_protocol="SSL", ssl_ca_file="/none.pem").aiokafka()
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", "utf-8")
    broken.chmod(0o600)
    with pytest.raises(TocsinError, match=r"cannot be used: .*PEM files are needed"):
        Cluster("kafka:9092", security_protocol="SSL", ssl_cert_file=str(broken), ssl_key_file=str(broken)).librdkafka()
