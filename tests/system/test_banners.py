"""`social/get-banner`: what the home page shows, for as long as it is meant to."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.system import banners
from heihei_site.system.models import Banner
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db
COVER = "https://cdn.example.com/b.png"
MINUTE = timedelta(minutes=1)


def banner(desc: str = "广告", **fields: Any) -> Banner:
    given = {"cover": COVER, "type": 3, "link": "wmlives_heihei://webview?url=https%3A%2F%2Fa.example&type=0", **fields}
    return Banner.objects.create(desc=desc, **given)


def shown(api: Any) -> list[str]:
    return [each["desc"] for each in ok(api(factories.person()).get("social/get-banner"))["banners"]]


def test_a_banner_is_shown_as_documented(api):
    banner("周末歌会", type=2, link="wmlives_heihei://live?id=5")
    assert api(factories.person()).get("social/get-banner") == {
        "errorcode": 0,
        "errormsg": "success",
        "expireTime": 86400,
        "banners": [{"desc": "周末歌会", "cover": COVER, "type": 2, "link": "wmlives_heihei://live?id=5"}],
    }


def test_the_home_page_opens_where_there_is_nothing_to_advertise(api):
    """B11: without the list the 1.1 app crashes."""
    for version in ("1.1.2", "2.0.0"):
        answer = api(factories.person(), version=version).get("social/get-banner")
        assert answer == {"errorcode": 0, "errormsg": "success", "expireTime": 86400, "banners": []}


def test_every_banner_can_be_drawn(api):
    """B67, B31: elements are objects, and nothing in them is null."""
    for number in range(3):
        banner(str(number))
    for each in ok(api(factories.person()).get("social/get-banner"))["banners"]:
        assert {key: type(value) for key, value in each.items()} == {
            "desc": str,
            "cover": str,
            "type": int,
            "link": str,
        }


def test_who_is_not_signed_in_sees_none(api):
    banner()
    refused(api().get("social/get-banner"), 720, "token无效")
    refused(api().get("social/get-banner", token="stale"), 720, "token无效")


def test_they_come_in_the_operators_order(api):
    banner("last", order=9)
    banner("first", order=1)
    banner("second", order=1)
    assert shown(api) == ["first", "second", "last"]


def test_a_picture_of_ours_gets_an_absolute_address(api):
    banner(cover="gifts/101.png")
    [each] = ok(api(factories.person()).get("social/get-banner"))["banners"]
    assert each["cover"] == "http://testserver/static/gifts/101.png"


class TestTheSchedule:
    def test_a_banner_is_shown_from_its_start_until_its_end(self, api):
        now = timezone.now()
        banner("over", starts_at=now - 2 * MINUTE, ends_at=now - MINUTE)
        banner("now", starts_at=now - MINUTE, ends_at=now + MINUTE)
        banner("later", starts_at=now + MINUTE, ends_at=now + 2 * MINUTE)
        banner("since", starts_at=now - MINUTE)
        banner("until", ends_at=now + MINUTE)
        banner("off", active=False)
        assert shown(api) == ["now", "since", "until"]

    def test_the_databases_clock_counts(self, api, monkeypatch):
        """Ours may be wrong by hours."""
        Banner.objects.bulk_create([Banner(desc="now", cover=COVER, type=3, link="x", ends_at=timezone.now() + MINUTE)])
        Banner.objects.bulk_create([Banner(desc="later", cover=COVER, type=3, link="x")])
        Banner.objects.filter(desc="later").update(starts_at=Now() + MINUTE)
        monkeypatch.setattr(
            timezone, "now", lambda: timezone.datetime(2050, 1, 1, tzinfo=timezone.get_default_timezone())
        )
        assert [each.desc for each in banners.showing().banners] == ["now"]

    def test_its_first_and_last_moment_belong_to_it_and_not_to_it(self, api):
        """In one transaction the statement's clock goes on: an edge in the past millisecond has passed."""
        row = banner()
        Banner.objects.filter(pk=row.pk).update(starts_at=Now())
        assert shown(api) == ["广告"]
        banners.showing.forget()
        Banner.objects.filter(pk=row.pk).update(starts_at=None, ends_at=Now())
        assert shown(api) == []

    def test_what_is_kept_is_not_shown_beyond_the_edge(self, api, monkeypatch):
        row = banner("now")
        Banner.objects.filter(pk=row.pk).update(ends_at=Now() + timedelta(seconds=0.5))
        later = banner("later")
        Banner.objects.filter(pk=later.pk).update(starts_at=Now() + timedelta(seconds=0.5))
        assert 0 < banners.showing().seconds <= 0.5
        clock = banners.showing._kept[0]  # when it stops being right
        monkeypatch.setattr("heihei_site.postgres.kept.time.monotonic", lambda: clock)
        Banner.objects.filter(pk=row.pk).update(ends_at=Now())
        Banner.objects.filter(pk=later.pk).update(starts_at=Now())
        assert shown(api) == ["later"]

    @pytest.mark.parametrize(("edge", "most"), [(30, 30), (0.2, 1), (7 * 86400, 86400)])
    def test_the_phone_is_told_to_ask_again_when_something_changes(self, api, edge, most):
        row = banner()
        Banner.objects.filter(pk=row.pk).update(starts_at=Now() + timedelta(seconds=edge))
        assert most - 2 <= ok(api(factories.person()).get("social/get-banner"))["expireTime"] <= most

    def test_one_that_is_over_is_no_reason_to_ask_again(self, api):
        banner(ends_at=timezone.now() - MINUTE)
        assert ok(api(factories.person()).get("social/get-banner"))["expireTime"] == 86400

    def test_none_ends_before_it_starts(self):
        now = timezone.now()
        with pytest.raises(IntegrityError), transaction.atomic():
            banner(starts_at=now, ends_at=now)
        with pytest.raises(ValidationError, match="结束时间要晚于开始时间"):
            Banner(desc="a", cover=COVER, type=3, link="https://a.example", starts_at=now, ends_at=now).full_clean()


def test_asking_again_asks_only_who_is_asking(api, django_assert_num_queries):
    for number in range(20):
        banner(str(number))
    phone = api(factories.person())
    ok(phone.get("social/get-banner"))
    with django_assert_num_queries(1):
        assert len(phone.get("social/get-banner")["banners"]) == 20


class TestLinks:
    """A tap does nothing on the 1.1 app unless the link has its scheme and a page it knows."""

    @pytest.mark.parametrize(
        ("kind", "given", "link"),
        [
            (1, "10001", "wmlives_heihei://user?id=10001"),
            (1, " 10001 ", "wmlives_heihei://user?id=10001"),
            (1, "wmlives_heihei://user?id=10001", "wmlives_heihei://user?id=10001"),
            (1, "WMLIVES_HEIHEI://User?id=10001", "wmlives_heihei://user?id=10001"),
            (2, "3520846628452474", "wmlives_heihei://live?id=3520846628452474"),
            (2, "wmlives_heihei://replay?id=5", "wmlives_heihei://replay?id=5"),
            (3, "https://a.example/b?c=d&e=中", "wmlives_heihei://webview?url=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd%26e%3D%E4%B8%AD&type=0"),
            (3, "wmlives_heihei://webview?url=https%3A%2F%2Fa.example&type=1", "wmlives_heihei://webview?url=https%3A%2F%2Fa.example&type=1"),
            (3, "wmlives_heihei://webview?url=https://a.example", "wmlives_heihei://webview?url=https%3A%2F%2Fa.example&type=0"),
        ],
    )  # fmt: skip
    def test_operators_give_an_id_or_an_address_and_phones_get_a_link(self, kind, given, link):
        row = Banner(desc="a", cover=COVER, type=kind, link=given)
        row.full_clean()
        assert row.link == link
        row.full_clean()
        assert row.link == link

    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            (1, "abc"), (1, "ycl://user/5"), (1, "wmlivesheihei://user?id=5"), (1, "wmlives_heihei://live?id=5"),
            (1, "wmlives_heihei://user?id=x"), (1, "wmlives_heihei://user"), (1, "https://a.example"), (1, "1" * 20),
            (2, "ycl://live/1232112"), (2, "wmlives_heihei://user?id=5"), (2, "٣"),
            (3, "javascript:alert(1)"), (3, "a.example"), (3, "wmlives_heihei://webview?url=javascript:alert(1)"),
            (3, "wmlives_heihei://webview?url=https://a.example&type=7"), (3, "wmlives_heihei://user?id=5"),
            (3, "https://a b.example"), (3, "https://"), (4, "5"),
        ],
    )  # fmt: skip
    def test_a_link_that_would_lead_nowhere_is_not_taken(self, kind, given):
        with pytest.raises(ValidationError):
            Banner(desc="a", cover=COVER, type=kind, link=given).full_clean()

    @pytest.mark.parametrize("cover", ["nowhere.png", "ftp://a.example/b.png", "javascript:alert(1)", "../settings.py"])
    def test_neither_is_a_picture_that_nobody_could_load(self, cover):
        with pytest.raises(ValidationError) as refused:
            Banner(desc="a", cover=cover, type=1, link="5").full_clean()
        assert set(refused.value.message_dict) == {"cover"}


class TestGiftFiles:
    """`social/gift-resources` is asked at every start as well."""

    def test_asking_again_asks_only_who_is_asking(self, api, gifts, django_assert_num_queries):
        phone = api(factories.person())
        first = ok(phone.get("social/gift-resources"))
        with django_assert_num_queries(1):
            assert phone.get("social/gift-resources") == first
        with django_assert_num_queries(1):
            assert [each["id"] for each in phone.get("social/gift-resources", giftIds="102,999")["resources"]] == [102]
