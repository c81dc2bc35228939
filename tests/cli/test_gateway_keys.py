"""`tocsin gateway token|key|keys|sign`: what they make is what the doors take, and no secret is shown where it does not belong."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from stream.accept.door import Accept, DoorRecord
from stream.cli.main import app
from stream.gateways.http_answers import Refusal
from stream.gateways.http_identity import Identity, Shown
from stream.gateways.keys import next_sequence
from stream.records.instants import DAY, to_text
from stream.records.lanes import Lane
from stream.region.load import load_folder
from stream.settings import Settings
from tests.decide.conftest import FILES

runner = CliRunner()
WHO = '[{name}]\nkind = "{kind}"\nstations = ["upper"]\nfamilies = ["water"]\n{keys}\n'


def clock() -> int:
    return int(time.time() * 1000)


def run(*arguments: str, text: str | None = None):
    return runner.invoke(app, ["gateway", *arguments], input=text)


def river(folder, gateways: str):
    for name, text in (FILES | {"gateways.toml": gateways}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return load_folder(folder)


def stage(value: float = 1.0) -> str:
    return json.dumps({"station": "upper", "quantity": "stage", "observed_at": to_text(clock() - 60_000), "value": value})


def test_a_token_is_shown_once_and_its_lines_let_its_holder_in(tmp_path):
    made = run("token", "ava", "--key-id", "first")
    token = re.search(r"Bearer (\S+)", made.stderr)[1]
    assert (made.exit_code, token in made.stdout) == (0, False)
    assert tomllib.loads(made.stdout)["ava"]["keys"]["first"]["token_sha256"] == sha256(token.encode()).hexdigest()
    region = river(tmp_path, WHO.format(name="ava", kind="http_token", keys=made.stdout))
    identity = Identity(region.principals, Lane.LIVE)
    now = clock()
    assert identity.caller(Shown(f"Bearer {token}"), now).name == "ava"
    with pytest.raises(Refusal, match="401"):
        identity.caller(Shown(f"Bearer {token}"), now + 366 * DAY)


def test_two_tokens_are_good_during_a_rotation_and_the_old_one_no_more_when_it_is_revoked(tmp_path):
    files = [tmp_path / name for name in ("old", "new")]
    lines = [run("token", "ava", "--key-id", one.name, "--out", str(one)).stdout for one in files]
    old, new = (one.read_text().strip() for one in files)
    both = Identity(river(tmp_path / "r", WHO.format(name="ava", kind="http_token", keys="".join(lines))).principals, Lane.LIVE)
    now = clock()
    assert {both.caller(Shown(f"Bearer {one}"), now).name for one in (old, new)} == {"ava"}
    lines[0] += "revoked = true\n"
    after = Identity(river(tmp_path / "r", WHO.format(name="ava", kind="http_token", keys="".join(lines))).principals, Lane.LIVE)
    assert after.caller(Shown(f"Bearer {new}"), now).name == "ava"
    with pytest.raises(Refusal, match="401"):
        after.caller(Shown(f"Bearer {old}"), now)


def test_what_is_signed_in_the_shell_is_taken_at_the_door_once_for_each_number(tmp_path):
    secret, counter = tmp_path / "bor.pem", tmp_path / "bor.sequence"
    made = run("key", "bor", "--out", str(secret), "--key-id", "k1")
    assert (made.exit_code, stat.S_IMODE(secret.stat().st_mode)) == (0, 0o600)
    assert "PRIVATE" not in made.output
    region = river(tmp_path / "r", WHO.format(name="bor", kind="ed25519", keys=made.stdout))
    options = ("--principal", "bor", "--key-id", "k1", "--private-key", str(secret), "--audience", "rill", "--family", "water")
    signed = [run("sign", "-", *options, "--counter", str(counter), text=f"[{stage()},{stage()}]").stdout.encode() for _ in range(3)]
    assert [json.loads(one)["sequence"] for one in signed] == [0, 1, 2]
    accept = Accept([region], Settings(), 1)
    now = clock()
    assert [accept.accept("measurements.water", [DoorRecord(0, 0, now, one.strip())], now).accepted for one in signed] == [2, 2, 2]
    assert accept.accept("measurements.water", [DoorRecord(0, 0, now, signed[0].replace(b"live", b"test"))], now).accepted == 0
    (tmp_path / "file.json").write_text(stage())
    numbered = run("sign", str(tmp_path / "file.json"), *options, "--sequence", "9")
    assert json.loads(numbered.stdout)["sequence"] == 9


def test_a_key_made_by_openssl_signs(tmp_path):
    secret = tmp_path / "own.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(secret)], check=True)
    secret.chmod(0o644)
    made = run(
        *("sign", "-", "--principal", "bor", "--key-id", "k", "--private-key", str(secret), "--audience", "a", "--family", "air"),
        *("--sequence", "0"),
        text="{}",
    )
    assert (made.exit_code, "chmod 600" in made.stderr) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "Ava"), "lower-case letters"),
        (("token", "ava", "--key-id", "a b"), "lower-case letters"),
        (("token", "ava", "--out", "taken"), "taken is there already"),
        (("key", "bor", "--out", "taken"), "taken is there already"),
        (("key", "bor", "--out", "no/such/folder"), "cannot be written"),
        (("sign", "-"), "--counter FILE"),
        (("sign", "-", "--sequence", "1", "--counter", "x"), "--counter FILE"),
        (("sign", "-", "--sequence", "1", "--family", "fire"), "one of air, health, water"),
        (("sign", "-", "--sequence", "1"), "no private key in PEM"),
        (("sign", "-", "--sequence", "1", "--private-key", "rsa"), "Ed25519 is needed"),
        (("sign", "-", "--sequence", "1", "--private-key", "away"), "cannot be read"),
        (("sign", "empty", "--sequence", "1", "--private-key", "key"), "0 bytes"),
        (("sign", "empty", "--counter", "taken", "--private-key", "key"), "0 bytes"),
        (("sign", "-", "--counter", "taken", "--private-key", "key"), "does not hold a sequence number"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("my precious")
    (tmp_path / "empty").touch()
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "rsa", "-out", "rsa"], check=True)
    run("key", "bor", "--out", "key")
    if arguments[0] == "sign":
        usual = {"--principal": "bor", "--key-id": "k", "--private-key": "taken", "--audience": "rill", "--family": "water"}
        arguments += tuple(part for name, value in usual.items() if name not in arguments for part in (name, value))
    made = run(*arguments, text="{}")
    assert (made.exit_code, said in made.stderr) == (1, True), made.output
    assert "precious" not in made.output
    assert (tmp_path / "taken").read_text() == "my precious"


def test_processes_that_count_at_once_get_a_number_each(tmp_path):
    file = tmp_path / "sequence"
    file.write_text("41")
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: next_sequence(file), range(200))) == list(range(42, 242))


def test_keys_that_end_soon_are_told_the_soonest_first(tmp_path):
    ava = "".join(run("token", "ava", "--key-id", one, "--days", days).stdout for one, days in (("a", "5"), ("b", "90")))
    bor = run("token", "bor", "--days", "20").stdout
    ever = run("token", "cam", "--days", "0").stdout
    text = "".join(WHO.format(name=name, kind="http_token", keys=keys) for name, keys in (("ava", ava), ("bor", bor), ("cam", ever)))
    river(tmp_path, text)
    found = run("keys", str(tmp_path), "--json")
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(one["principal"], one["key_id"][0], round(one["days_left"])) for one in rows] == [("bor", "k", 20), ("ava", "b", 90)]
    assert found.exit_code == 1
    assert run("keys", str(tmp_path), "--soon", "10").exit_code == 0
    river(tmp_path, text.replace(bor, bor + "revoked = true\n"))
    shown = run("keys", str(tmp_path))
    assert (shown.exit_code, "no valid key" in shown.stdout) == (1, True)
