"""kill -9 of the worker at every step of sending: afterwards each message has been pushed once to each device."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from messages import tasks
from messages.models import Push
from tests.messages.push_vendor import phone, somebody, tell
from tests.processes import ROOT
from users.models import Device

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"], settings.QUIET_HOURS = sys.argv[1], (0, 0)
from heihei_site.providers import outbox
from messages import tasks
from messages.services import push_delivery

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def write_one_and_die(need, line, append=outbox.append):
    append(need, line)
    die()

{fault}
tasks.push()
print("lived")
"""
FAULTS = {
    "none": "",
    "it has claimed some": "push_delivery._sort_out = die",
    "it has decided what to send": "push_delivery._hand_over = die",
    "the vendor has taken one of them": "outbox.append = write_one_and_die",
    "the vendor has taken them all": "push_delivery._note_answers = die",
    "it is noting what the vendor said": "push_delivery._finish = lambda finished: finished and die()",
}


@pytest.fixture
def pushed(settings, tmp_path):
    """How often each message went to each device, as (clientid, msgId)."""
    settings.VAR_DIR = tmp_path
    settings.QUIET_HOURS = (0, 0)

    def read() -> Counter[tuple[str, int]]:
        path = tmp_path / "outbox" / "push.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        assert all(line.keys() == {"time", "userId", "deviceType", "clientid", "payload"} for line in lines)
        return Counter((line["clientid"], line["payload"]["msgId"]) for line in lines)

    return read


def worker(var: Path, fault: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WORKER.format(fault=fault), str(connection.settings_dict["NAME"])],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "heihei_site.settings", "HEIHEI_VAR": str(var)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("when", FAULTS)
def test_a_worker_that_is_killed_when(when, pushed, tmp_path):
    """…leaves nothing out and repeats nothing; who comes after it waits until its claim has run out."""
    people = [somebody(), somebody(kind="apns", platform="ios")]
    phone(people[0])
    for user in people:
        tell(user)
    Push.objects.update(due_at=Now())
    expected = {
        (token, Push.objects.get(device=pk).notice_id) for pk, token in Device.objects.values_list("pk", "push_token")
    }
    ended = worker(tmp_path, FAULTS[when])
    assert ended.returncode == (-signal.SIGKILL if FAULTS[when] else 0), ended.stderr
    tasks.push()
    assert set(pushed()) <= expected
    Push.objects.filter(outcome=Push.Outcome.WAITING).update(due_at=Now())
    tasks.push()
    assert pushed() == Counter(expected)
    assert set(Push.objects.values_list("outcome", flat=True)) == {Push.Outcome.SENT}


def test_two_workers_at_once_send_everything_once(pushed, monkeypatch):
    """Each takes what the other has not in hand."""
    from messages.services import push_delivery
    from tests.races.crowd import at_once

    monkeypatch.setattr(push_delivery, "BATCH", 3)
    for number in range(40):
        tell(somebody(), str(number))
    Push.objects.update(due_at=Now())

    def work() -> None:
        while push_delivery.send_next(Push.Lane.ONE):
            pass

    at_once([work] * 4)
    assert len(pushed()) == 40 and set(pushed().values()) == {1}
