"""The media server beside everything else: found or not, on free ports, with a configuration that nginx accepts."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from heihei_site import nginx_rtmp
from heihei_site.embedded import MediaPlace, alone
from heihei_site.providers.streaming import media_server
from tests.site.test_embedded import own_directory
from tests.sound import require_media_server


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("RTMP_PUBLISH_HOST", raising=False)
    with own_directory(monkeypatch) as place, alone(place):
        yield place


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_rtmp, "find", lambda: nginx_rtmp.Nginx("/usr/sbin/nginx", "load_module rtmp.so;"))


def prepared(var: Path) -> nginx_rtmp.Started:
    found = nginx_rtmp.prepare(var, say=lambda text: None)
    assert found
    return found


def test_where_it_is_missing_that_is_said_and_everything_else_goes_on(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nginx_rtmp, "find", lambda: None)
    said: list[str] = []
    assert nginx_rtmp.prepare(var, say=said.append) is None
    assert said == ["No sound: there is no media server. On Debian: apt-get install nginx libnginx-mod-rtmp ffmpeg"]


def test_nginx_without_the_module_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "nginx"
    monkeypatch.setattr(shutil, "which", lambda *_, **__: str(fake))
    fake.write_text(f"#!/bin/sh\necho 'configure arguments: --modules-path={tmp_path}' >&2\n")
    fake.chmod(0o755)
    assert nginx_rtmp.find() is None
    (tmp_path / "ngx_rtmp_module.so").touch()
    assert nginx_rtmp.find() == nginx_rtmp.Nginx(str(fake), f"load_module {tmp_path}/ngx_rtmp_module.so;")
    fake.write_text("#!/bin/sh\necho 'configure arguments: --add-module=/build/nginx-rtmp-module' >&2\n")
    assert nginx_rtmp.find() == nginx_rtmp.Nginx(str(fake), "")


def test_a_media_server_that_the_environment_names_is_used(
    var: Path, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RTMP_PUBLISH_HOST", "push.example.com")
    assert nginx_rtmp.prepare(var, say=lambda text: None) is None


def test_several_beside_each_other_have_ports_of_their_own(
    var: Path, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_directory(monkeypatch) as other, alone(other):
        first, second = prepared(var), prepared(other)
        ports = [first.place.rtmp_port, first.place.http_port, second.place.rtmp_port, second.place.http_port]
        first.release(), second.release()
    assert len(set(ports)) == 4 and ports[2] > ports[0] >= 1935 and ports[3] > ports[1] >= 8080


def test_next_time_they_are_the_same_so_that_addresses_stay_true(var: Path, installed: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (var / "run" / "media-ports").write_text(f"[{taken.getsockname()[1]}, {taken.getsockname()[1]}]")
        first = prepared(var)
        first.release()
    assert taken not in (first.place.rtmp_port, first.place.http_port)
    again = prepared(var)
    again.release()
    assert again.place == first.place


def test_a_web_process_keeps_its_port(var: Path, installed: None, settings: Any) -> None:
    settings.PORT = settings.MEDIA_PORT
    started = prepared(var)
    started.release()
    assert started.place.http_port != settings.PORT


def test_every_word_of_the_configuration_is_filled_in() -> None:
    written = nginx_rtmp.configuration(MediaPlace(1935, 8080, "/srv/media"), module="")
    assert not re.findall(r"@[A-Z_]+@", re.sub(r"#.*", "", written))
    assert f"on_publish http://127.0.0.1:8000/hooks/rtmp/publish?secret={media_server.hook_secret()};" in written
    assert "listen 1935;" in written and "application heihei {" in written


def test_nginx_accepts_it(var: Path) -> None:
    require_media_server()
    started = prepared(var)
    started.release()
    found = nginx_rtmp.find()
    assert found
    done = subprocess.run(
        [found.binary, "-e", "stderr", "-t", "-c", Path(started.place.files) / "nginx.conf"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_operators_get_theirs_by_a_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_rtmp, "find", lambda: None)
    with pytest.raises(CommandError, match="libnginx-mod-rtmp"):
        call_command("media_server")
    monkeypatch.setattr(nginx_rtmp, "find", lambda: nginx_rtmp.Nginx("nginx", "load_module rtmp.so;"))
    call_command("media_server")
    assert "load_module rtmp.so;" in capsys.readouterr().out
