"""Blocked words in rooms: masked in what is said, refused in titles."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from live.models import Live
from tests import factories
from tests.answers import ok, refused
from tests.live.test_gifts import fly
from tests.live.test_talk import say, texts
from users import names
from users.models import BlockedWord
from users.services import words

pytestmark = pytest.mark.django_db
TITLE = (700, "标题含有不允许的词，请修改后再试")


@pytest.fixture(autouse=True)
def list_of_words(db):
    words.add(["官方", "VIP", "方客", "café"])
    words.listed.forget()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("我是官方的", "我是**的"),
        ("官方", "**"),
        ("官 方", "***"),
        ("官。😀\n方！", "*****！"),
        ("Ｖｉｐ vip ViP", "*** *** ***"),
        ("v i p 群", "***** 群"),
        ("官方客服", "***服"),  # words that share a letter
        ("官方官方", "****"),
        ("官官方", "官**"),
        ("cafe\u0301！", "*****！"),
        ("CAFÉ", "****"),
        ("㎏官㍿方", "㎏官㍿方"),  # 株式会社 stands between
        ("vi㍿", "vi㍿"),
        ("ⅵP", "**"),  # one character that folds into `vi`
        ("官员很方便", "官员很方便"),
        ("", ""),
    ],
)
def test_stars_stand_for_each_character_of_a_word_and_for_what_is_between(said, shown):
    assert words.masked(said) == shown


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
@example("e\u0301\u0323a\u0315\u0301")
@example("각\u1100\u1161\u11a8ｶﾞ")
@example("ﬃ㎏㍿ⅷ")
@settings(max_examples=400, deadline=None)
def test_letters_are_found_where_they_came_from(text):
    letters, places = names.placed(text)
    assert letters == names.bare(text)
    assert len(places) == len(letters)
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


@given(st.text(alphabet="官方客VIPvip 。é\u0301\u200dａ", max_size=30))
@settings(max_examples=200, deadline=None)
def test_what_is_masked_is_as_long_as_before_and_has_no_blocked_word_between_its_stars(text):
    shown = words.masked(text)
    assert len(shown) == len(text)
    assert not words.blocked_in(shown.replace("*", "x"))
    assert all(after in ("*", before) for before, after in zip(text, shown, strict=True))


class TestARoom:
    def test_reads_stars_and_so_does_who_said_it(self, evening):
        ok(say(evening, "加官方 V I P 群"))
        assert texts(evening) == ["加** ***** 群"]

    def test_over_both_paths_and_of_the_owner(self, evening):
        ok(say(evening, "官方一", path="msg/send-msg"))
        ok(say(evening, "官方二", path="message/send-msg", phone=evening.owners))
        assert texts(evening) == ["**一", "**二"]

    def test_as_the_raw_app_sends_it(self, evening):
        phone = evening.phone(evening.viewer, "1.1.2")
        body = f"token={phone.token}&text=我是 官方 哦&roomId={evening.live.pk}&liveId={evening.live.pk}"
        ok(phone.raw("msg/send-msg", body.encode()))
        assert texts(evening) == ["我是 ** 哦"]

    def test_keeps_what_is_not_blocked_to_the_letter(self, evening):
        line = "Ｆｕｌｌ 宽 é e\u0301 😀\u200d👩 *"
        ok(say(evening, line))
        assert texts(evening) == [line]

    def test_a_bullet_is_masked_and_charged_once_as_any(self, evening, gifts):
        first = ok(fly(evening, "官方来了"))
        assert fly(evening, "官方来了") == first
        assert [message["text"] for message in evening.shown("barrage")] == ["**来了"]

    def test_a_word_taken_off_the_list_is_read_again(self, evening):
        BlockedWord.objects.all().delete()
        words.listed.forget()
        ok(say(evening, "我是官方的"))
        assert texts(evening) == ["我是官方的"]

    def test_says_the_names_of_gifts_as_they_are(self, evening, gifts):
        words.add(["主播"])
        words.listed.forget()
        ok(evening.viewers.get("live/buy-gift", giftId=101, liveId=evening.live.pk, amount=1, gift_uuid="u"))
        assert texts(evening)[0].startswith("送给主播 ")


class TestATitle:
    @pytest.mark.parametrize("title", ["官方直播", "官 方", "ｖｉｐ"])
    def test_with_a_blocked_word_opens_no_live(self, evening, title):
        phone = evening.phone(factories.person())
        evening.told.clear()
        refused(phone.post("live/create-live", title=title), *TITLE)
        assert (Live.objects.count(), evening.told) == (1, [])

    def test_with_a_blocked_word_ends_no_earlier_live_either(self, evening):
        refused(evening.owners.post("live/create-live", title="官方"), *TITLE)
        assert (evening.row().status, evening.told) == (Live.Status.PLAYING, [])

    def test_is_not_changed_into_one_with_a_blocked_word(self, evening):
        refused(evening.owners.post("live/change-live", liveId=evening.live.pk, title="官方"), *TITLE)
        assert (evening.row().title, evening.told) == ("标题", [])

    def test_without_one_is_as_it_was_written(self, evening):
        ok(evening.owners.post("live/change-live", liveId=evening.live.pk, title="官员的 夜晚"))
        assert evening.row().title == "官员的 夜晚"


def test_every_category_of_mark_is_covered_by_the_stretch_of_its_letter():
    marked = "v" + "\u0323\u0301" + "ip"
    assert unicodedata.combining("\u0301")
    letters, places = names.placed(marked)
    assert letters == names.bare(marked)
    assert places[0] == (0, 3)
