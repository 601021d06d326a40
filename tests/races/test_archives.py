"""What was said in a live, written down by several workers while people are banned and the live is deleted."""

import json
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db.models.functions import Now

from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import RoomText, by
from live.models import Live
from live.services import archives, owners, rooms
from live.tasks import write_archives
from tests import factories
from tests.races.crowd import at_once
from users.services import bans

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf(settings, tmp_path) -> Path:
    settings.STORAGES["archives"]["OPTIONS"]["location"] = str(tmp_path)
    settings.STORAGES = {**settings.STORAGES}
    return Path(tmp_path)


def ended(speakers):
    live = factories.live()
    factories.inside(live, *speakers)
    for speaker in speakers:
        with telling():
            publish(RoomText(room_id=live.pk, **by(speaker), text=speaker.display_name), to=room(live))
    rooms.end_live(live.pk)
    return live


def texts(live):
    with storages["archives"].open(Live.objects.get(pk=live.pk).archive) as file, zipfile.ZipFile(file) as archive:
        strings = [each for name in archive.namelist() for each in json.loads(archive.read(name))]
    return [json.loads(json.loads(each)["msg"])["text"] for each in strings]


def files(shelf):
    return list(shelf.rglob("*.zip"))


def writing(live):
    """A worker that comes by, whether or not another is at it."""

    def write():
        Live.objects.filter(pk=live.pk, archive_due__isnull=False).update(archive_due=Now())
        archives.settle(live.pk)

    return write


def test_whoever_is_banned_meanwhile_is_not_in_it_in_the_end(shelf):
    good, *bad = (factories.person(f"p{n}") for n in range(4))
    live = ended([good, *bad])
    workers = [writing(live) for _ in range(6)]
    at_once([*workers, *((lambda person=person: bans.ban(person)) for person in bad), *workers], together=12)
    write_archives()
    assert texts(live) == [good.display_name]
    assert len(files(shelf)) == 1
    assert Live.objects.get(pk=live.pk).archive_due is None


def test_of_a_live_that_is_deleted_meanwhile_nothing_stays(shelf):
    live = ended([factories.person()])
    live.refresh_from_db()
    workers = [writing(live) for _ in range(6)]
    at_once([*workers, lambda: owners.delete(owner=live.owner, live=live), *workers], together=12)
    write_archives()
    assert (files(shelf), Live.objects.get(pk=live.pk).archive) == ([], "")
