"""What is shipped under `deploy/` is what the code needs, says the same thing everywhere, and the programs that read it
take it. What it does when it runs: tests/scale."""

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environ
import pytest
import yaml
from django.test import Client

from tests.processes import ROOT
from tests.scale.shipped import DEPLOY, UNITS, commands_of, example, front, nginx_takes, production

COMPOSE = DEPLOY / "compose.yaml"
INSTEAD_OF_FILES = {"POSTGRES_PASSWORD"}  # read by compose, not by us
UVICORN_OF_ITS_OWN = {"FORWARDED_ALLOW_IPS"}
ELSEWHERE = re.compile(r"--(?:host|port|forwarded-allow-ips|schedule|-n) \S+|-n \S+ ?")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def asked_for() -> Iterator[str]:
    """Every name that the settings look up in the environment, wherever uploads are."""
    names: set[str] = set()
    original = environ.Env.get_value

    def noted(self: environ.Env, var: str, *args: Any, **kwargs: Any) -> Any:
        names.add(var)
        return original(self, var, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environ.Env, "get_value", noted)
        for name, value in production().items():
            patch.setenv(name, value)
        for place in ("aliyun", "local"):
            patch.setenv("UPLOADS", place)
            runpy.run_path(str(ROOT / "heihei_site" / "settings.py"))
    yield from sorted(names)


def test_the_example_names_everything_the_settings_read_and_nothing_else() -> None:
    assert set(asked_for()) == set(example()) - INSTEAD_OF_FILES


def test_the_example_is_read_alike_by_shell_systemd_and_compose() -> None:
    """No quotes, no blanks, no comment behind a value: they disagree about those."""
    for line in (ROOT / ".env.example").read_text().splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[A-Z0-9_]+=[^\s\"'#$\\]*", line), line


def test_with_the_example_filled_in_the_deployment_check_has_nothing_to_say() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=production(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout == "System check identified no issues (4 silenced).\n"


SECRETS = ["SECRET_KEY", "STREAM_KEY", "SHARE_KEY", "SEAL_KEYS", "MESSAGE_SERVER_KEY", "UPLOAD_KEY"]


@pytest.mark.parametrize("secret", [*SECRETS, "PUBLIC_URL", "DATABASE_URL", "REDIS_URL"])
def test_production_does_not_start_without_a_secret(secret: str) -> None:
    without = {name: value for name, value in production().items() if name != secret}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(secret, raising=False)
        for name, value in without.items():
            patch.setenv(name, value)
        with pytest.raises(environ.ImproperlyConfigured, match=secret):
            runpy.run_path(str(ROOT / "heihei_site" / "settings.py"))


# --- One command, wherever it stands -------------------------------------------------------------------------


def plain(command: list[str]) -> str:
    """Without what differs from place to place: the interpreter's path, addresses, names."""
    assert command[0].endswith(".venv/bin/python")
    return ELSEWHERE.sub("", " ".join(command[1:])).replace("  ", " ").strip()


def commands_of_the_image() -> list[list[str]]:
    text = (DEPLOY / "Dockerfile").read_text()
    found: list[list[str]] = [json.loads(line.removeprefix("CMD ")) for line in re.findall(r"^CMD .*", text, re.M)]
    return found


def test_units_and_image_run_the_same_commands(compose: dict[str, Any]) -> None:
    web, worker = commands_of_the_image()
    assert plain(commands_of("heihei-web@.service")[0]) == plain(web)
    assert plain(commands_of("heihei-worker@.service")[0]) == plain(worker)
    assert plain(commands_of("heihei-beat.service")[0]) == plain(compose["services"]["beat"]["command"])


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    stages = re.split(r"^FROM ", (DEPLOY / "Dockerfile").read_text(), flags=re.M)[1:]
    build, web, worker = stages
    assert "USER" not in build and "COPY --from=build /srv/heihei /srv/heihei" in web
    for stage in (web, worker):
        assert re.findall(r"^USER (\w+)", stage, re.M)[-1] == "heihei"
    assert "/health/live" in re.findall(r"^HEALTHCHECK .*", web, re.M)[0]
    assert re.findall(r"^HEALTHCHECK .*", worker, re.M) == ["HEALTHCHECK NONE"], "it serves nothing"


def test_what_the_image_copies_exists_and_is_all_there_is_of_us() -> None:
    wanted = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= wanted
    assert {"manage.py", "requirements.txt", "constraints.txt", "deploy/nginx-rtmp"} <= wanted


def test_what_the_image_is_built_with_is_all_that_collecting_static_files_needs() -> None:
    """A secret that the settings demand and this line does not have would break the build, and nobody builds here."""
    [line] = re.findall(r"^RUN ((?:.*\\\n)*.*collectstatic.*)", (DEPLOY / "Dockerfile").read_text(), re.M)
    given = dict(re.findall(r"([A-Z_]+)=(\S+)", line))
    with pytest.MonkeyPatch.context() as patch:
        for name in [*example(), "HEIHEI_ENV", "DATABASE_URL", "REDIS_URL"]:
            patch.delenv(name, raising=False)
        for name, value in given.items():
            patch.setenv(name, value)
        assert runpy.run_path(str(ROOT / "heihei_site" / "settings.py"))["STATIC_ROOT"] == "/srv/heihei/static"


def test_the_probe_of_the_image_tells_a_living_process_from_a_dead_one() -> None:
    [line] = re.findall(r"^HEALTHCHECK --.* CMD (\[.*\])", (DEPLOY / "Dockerfile").read_text(), re.M)
    probe = json.loads(line)
    assert subprocess.run([sys.executable, *probe[1:]], capture_output=True).returncode != 0  # nothing is on port 8000


# --- compose -------------------------------------------------------------------------------------------------


def test_compose_takes_the_file(tmp_path: Path) -> None:
    """Docker's own, or the one that Debian has, which is older and only knows no `name`."""
    text = COMPOSE.read_text()
    command = ["docker", "compose"]
    if shutil.which("docker") is None or subprocess.run([*command, "version"], capture_output=True).returncode:
        command, text = ["docker-compose"], text.replace("\nname: heihei\n", "\n")
    if shutil.which(command[0]) is None:
        pytest.skip(
            "neither `docker compose` nor `docker-compose` on this machine; the file's own sense is tested beside"
        )
    file = shutil.copytree(DEPLOY, tmp_path / "deploy") / COMPOSE.name
    file.write_text(text)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    given = {"POSTGRES_PASSWORD": "p", "ALLOWED_HOSTS": "a.example.com", "PATH": os.environ["PATH"]}
    done = subprocess.run([*command, "-f", str(file), "config"], env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services["web-1"]["environment"]["DATABASE_URL"] == "postgres://heihei:p@database/heihei"
    file.write_text(text.replace("cap_drop:", "cap_drops:"))
    assert subprocess.run([*command, "-f", str(file), "config"], env=given, capture_output=True).returncode != 0


def test_compose_has_the_whole_installation(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"database", "bus", "migrate", "web-1", "web-2", "worker", "beat", "nginx", "media"} <= set(services)
    assert services["worker"]["deploy"]["replicas"] == 2
    assert "replicas" not in services["beat"].get("deploy", {}), "one clock"
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        assert (
            {volume.split(":")[0] for volume in service["volumes"] if volume[0] != "."} <= set(compose["volumes"])
            if "volumes" in service
            else True
        ), name
        for port in service.get("ports", []):
            assert port in ("80:80", "443:443", "1935:1935"), f"{name} opens {port}"


def test_compose_sets_only_what_the_settings_read(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if service.get("env_file"):
            assert service["env_file"] == "../.env"
            assert set(service["environment"]) <= set(example()) | UVICORN_OF_ITS_OWN, name


def test_compose_migrates_before_anything_of_ours_starts_and_nothing_runs_as_root(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("web-1", "web-2", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]
    assert services["migrate"]["restart"] == "no"


def test_nginx_of_compose_knows_the_web_processes_and_they_believe_it_alone(compose: dict[str, Any]) -> None:
    services = compose["services"]
    upstream = (DEPLOY / "nginx" / "upstream.compose.conf").read_text()
    address = {name: services[name]["networks"]["inside"]["ipv4_address"] for name in ("web-1", "web-2", "nginx")}
    assert re.findall(r"server (\S+):8000", upstream) == [address["web-1"], address["web-2"]]
    for name in ("web-1", "web-2"):
        assert services[name]["environment"]["FORWARDED_ALLOW_IPS"] == address["nginx"]


# --- nginx ---------------------------------------------------------------------------------------------------


def test_nginx_takes_the_shipped_files(tmp_path: Path) -> None:
    for upstream in ("upstream.conf", "upstream.compose.conf"):
        done = nginx_takes(front(tmp_path, upstream=(DEPLOY / "nginx" / upstream).read_text()))
        assert done.returncode == 0, done.stderr
        assert "warn" not in done.stderr.replace('"user" directive', "")


def test_nginx_forwards_to_the_ports_of_the_units() -> None:
    ports = re.findall(r"127\.0\.0\.1:(\d+)", (DEPLOY / "nginx" / "upstream.conf").read_text())
    wanted = re.findall(r"heihei-web@(\d+)", (UNITS / "heihei.target").read_text())
    assert ports == wanted == ["8001", "8002"]


# --- systemd -------------------------------------------------------------------------------------------------


def test_systemd_takes_the_units() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd on this machine")
    units = sorted(UNITS.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if any(unit.stem in line for unit in units)]
    assert [line for line in complaints if "is not executable" not in line] == []  # nothing is installed in /srv


def test_every_unit_is_locked_in() -> None:
    for unit in UNITS.glob("*.service"):
        text = unit.read_text()
        for line in ("User=heihei", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n"):
            assert line in text, (unit.name, line)
        assert "EnvironmentFile=/etc/heihei/env" in text
        for command in commands_of(unit.name):
            assert command[0] == "/srv/heihei/.venv/bin/python", "nothing but the interpreter of our own environment"
            assert shlex.join(command[1:]).isascii()


# --- Alerts --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_alerts_look_at_figures_that_exist_and_operators_are_told_what_each_means() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    shown = Client().get("/metrics").content.decode()
    manual = (ROOT / "docs" / "operations.md").read_text()
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
        for name in re.findall(r"\b(?:heihei|process)_[a-z_]+", rule["expr"].replace('job="heihei"', "")):
            assert f"\n{name} " in shown or f"\n{name}{{" in shown, f"{rule['alert']}: no figure {name}"
            assert re.sub(r"_(bucket)$", "", name) in manual or name.startswith("process_"), name
        assert f"`{rule['alert']}`" in manual, rule["alert"]
