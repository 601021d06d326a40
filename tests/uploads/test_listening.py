"""Operators hear in a browser what no browser plays."""

import io
import wave

import pytest
from django.test import Client

from heihei_site.uploads.listening import heard_at, player
from heihei_site.uploads.storages import uploads
from tests import factories
from tests.uploads import samples

pytestmark = pytest.mark.django_db
WHERE = "/admin/sound/message/a_voice.amr"


@pytest.fixture
def staff():
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True))
    return console


def put(content):
    uploads().put("data/message/a_voice.amr", io.BytesIO(content), "audio/amr")


def test_a_voice_of_an_older_phone_is_heard_as_wav(staff):
    put(samples.amr(3))
    answer = staff.get(WHERE)
    assert answer["Content-Type"] == "audio/wav"
    with wave.open(io.BytesIO(b"".join(answer.streaming_content))) as heard:
        assert (heard.getnchannels(), heard.getsampwidth()) == (1, 2)
        assert heard.getnframes() / heard.getframerate() == pytest.approx(3, abs=0.1)


def test_nobody_else_hears_it():
    put(samples.amr(3))
    assert Client().get(WHERE)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    "content", [b"#!AMR\n" + b"\xff" * 500, samples.picture(), b""], ids=["broken", "png", "empty"]
)
def test_what_is_no_sound_is_not_found(staff, content):
    put(content)
    assert staff.get(WHERE).status_code == 404


@pytest.mark.parametrize("name", ["message/gone.amr", "message/a.mp3", "nothing/a.amr", "message/..%2f..%2fa.amr"])
def test_what_is_not_there_is_not_found(staff, name):
    assert staff.get(f"/admin/sound/{name}").status_code == 404


def test_only_our_own_is_decoded(settings):
    ours = f"{settings.UPLOADS_URL}/data/message/a_voice"
    assert heard_at(f"{ours}.amr") == WHERE
    for address in (f"{ours}.mp3", "https://else.example/data/message/a_voice.amr", ""):
        assert heard_at(address) == address
    assert f'src="{WHERE}"' in player(f"{ours}.amr")
    assert player("") == "—"
