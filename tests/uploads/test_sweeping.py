"""What nobody used is thrown away; what is a person's is told them, and goes with them."""

import os
import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from heihei_site.uploads import claims, examination, sweeping
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import Local, StorageDown
from tests import factories
from tests.uploads import samples
from tests.uploads.conftest import files
from users import erasure

pytestmark = pytest.mark.django_db


def expire(**more):
    Upload.objects.filter(**more).update(expires_at=timezone.now() - timedelta(minutes=16))


@pytest.fixture
def used(uploaded):
    """An upload in use, examined."""

    def there(user, content=None):
        sign = uploaded(user, content or samples.m4a(), "m4a")
        found = claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
        with transaction.atomic():
            claims.claim(found, used_by=f"subject:{found.upload_id}")
        assert examination.examine_waiting() == 1
        return found

    return there


def test_what_nobody_used_is_gone_a_quarter_of_an_hour_after_its_hour(uploaded, disk):
    user = factories.person()
    sign = uploaded(user, samples.m4a(), "m4a")
    claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)  # and then the deed failed
    Upload.objects.update(expires_at=timezone.now() - timedelta(minutes=14))
    assert sweeping.sweep() == 0 and len(files(disk)) == 2
    expire()
    assert sweeping.sweep() == 1
    assert files(disk) == [] and not Upload.objects.exists()


def test_what_is_in_use_stays(used, disk):
    found = used(factories.person())
    expire()
    assert sweeping.sweep() == 0
    assert files(disk) == [f"data/{found.path}"]
    assert Upload.objects.get().cleared


def test_what_a_phone_wrote_once_more_afterwards_goes(used, disk):
    """Credentials of a bucket are good for an hour, whatever they were used for."""
    found = used(factories.person())
    (disk / found.path).write_bytes(b"again")
    expire()
    sweeping.sweep()
    assert files(disk) == [f"data/{found.path}"]


def test_what_was_not_examined_yet_is_left_to_the_job(uploaded, disk):
    user = factories.person()
    found = claims.find(owner_id=user.pk, sign=uploaded(user, samples.picture()), media=Media.IMAGE)
    with transaction.atomic():
        claims.claim(found, used_by="subject:1")
    expire()
    sweeping.sweep()
    assert files(disk) == [found.path]
    examination.examine_waiting()
    assert files(disk) == [f"data/{found.path}"]


def test_a_storage_that_is_down_is_swept_later(uploaded, disk, monkeypatch):
    uploaded(factories.person(), samples.m4a(), "m4a")
    expire()

    def down(*_):
        raise StorageDown("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Local, "remove", down)
        assert sweeping.sweep() == 0
    assert Upload.objects.count() == 1 and len(files(disk)) == 1
    assert sweeping.sweep() == 1
    assert files(disk) == []


def test_what_a_process_was_writing_when_it_died_goes_after_a_day(disk):
    (disk / "unfinished").mkdir()
    for name, hours in [("old", 25), ("new", 1)]:
        (disk / "unfinished" / name).write_bytes(b"x")
        then = time.time() - hours * 3600
        os.utime(disk / "unfinished" / name, (then, then))
    sweeping.sweep()
    assert files(disk) == ["unfinished/new"]


def test_a_person_who_is_erased_leaves_no_file(used, uploaded, disk):
    leaving, staying = factories.person(), factories.person()
    kept = used(staying)
    used(leaving)
    uploaded(leaving, samples.picture())
    [holding] = [holding for holding in erasure.holdings() if holding.name == "uploads"]
    for _ in range(2):
        holding.erase(leaving.pk)
        assert files(disk) == [f"data/{kept.path}"]
    assert Upload.objects.get().user_id == staying.pk


def test_a_copy_of_ones_data_names_ones_own_files(used):
    user = factories.person()
    found = used(user)
    used(factories.person())
    [holding] = [holding for holding in erasure.holdings() if holding.name == "uploads"]
    [row] = holding.export(user.pk)["uploads"]
    assert (row["url"], row["size"], row["used_by"]) == (found.url, found.size, f"subject:{found.upload_id}")
