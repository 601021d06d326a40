"""`user/search` and `user/usearch` (D20)."""

import pytest

from tests import factories
from tests.answers import ok, refused
from users.services import bans, relations

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return factories.person("我")


@pytest.fixture
def find(api, me):
    """The names that are found, in order."""

    def found(text, **said):
        return [card["displayName"] for card in ok(api(me).get("user/search", queryParameter=text, **said))["users"]]

    return found


def people(*names, **fields):
    return [factories.person(name, **fields) for name in names]


class TestByName:
    def test_the_whole_name_comes_before_its_beginning_and_that_before_the_middle(self, find):
        people("小张三", "张三丰", "张三", "李四")
        assert find("张三") == ["张三", "张三丰", "小张三"]

    @pytest.mark.parametrize("text", ["丰", "三丰", "张三丰", "小张三丰", "小", "张三"])
    def test_chinese_is_found_by_any_part_of_it_however_short(self, find, text):
        people("小张三丰", "王五")
        assert find(text) == ["小张三丰"]

    @pytest.mark.parametrize("text", ["ALICE", "alice", "lic", "ＡＬＩＣＥ", "ce🎤", "🎤", "e"])
    def test_case_and_full_width_make_no_difference(self, find, text):
        people("xAlice🎤")
        assert find(text) == ["xAlice🎤"]

    def test_characters_that_only_occur_apart_are_not_found(self, find):
        people("张小三", "abcabd", "三张")
        assert find("张三") == []
        assert find("abcd") == []
        assert find("cabda") == []

    def test_a_longer_text_than_a_name_finds_nobody(self, find):
        people("张三")
        assert find("张三丰") == []
        assert find("张" * 64) == []

    def test_of_several_the_most_followed_comes_first(self, find):
        people("歌一")
        people("歌二", follower_count=9)
        people("歌三", follower_count=5)
        assert find("歌") == ["歌二", "歌三", "歌一"]

    @pytest.mark.parametrize("text", ["%", "_", "100%", "a_b", "\\", "'", '"', "*", "{}", "$1"])
    def test_signs_are_ordinary_characters(self, find, text):
        people("aXb", "1000", "plain")
        assert find(text) == []
        people(f"x{text}y")
        assert find(text) == [f"x{text}y"]

    def test_renamed_people_are_found_by_the_new_name_only(self, api, find):
        (person,) = people("旧名")
        ok(api(person).post("user/update", displayName="新名", gender="Male", birthDay="1990-01-01"))
        assert (find("旧名"), find("新名")) == ([], ["新名"])


class TestByNumber:
    def test_a_hei_num_finds_its_owner_before_names_that_have_it(self, find):
        (one,) = people("甲")
        people(str(one.hei_num))
        assert find(str(one.hei_num)) == ["甲", str(one.hei_num)]

    def test_who_has_not_said_a_name_is_found_by_it_too(self, api, me):
        person = factories.person(display_name="")
        answer = ok(api(me).get("user/search", queryParameter=person.hei_num))
        assert [card["id"] for card in answer["users"]] == [person.pk]

    @pytest.mark.parametrize(
        "text", ["990000", "0", "9999999", "3137483648", "99999999999999999999", "-1", "1e7", "１"]
    )
    def test_other_numbers_are_names_at_most(self, find, text):
        assert find(text) == []

    def test_never_by_phone(self, find):
        people("甲", phone="13912345678")
        for text in ("13912345678", "1391234", "+8613912345678", "5678"):
            assert find(text) == []

    def test_an_id_is_no_number_to_be_found_by(self, find):
        (person,) = people("甲")
        assert find(str(person.pk)) == []


class TestWhom:
    def test_the_banned_are_not_found(self, find):
        person, other = people("歌一", "歌二")
        bans.ban(person)
        assert find("歌") == ["歌二"]
        assert find(str(person.hei_num)) == []
        assert find(str(other.hei_num)) == ["歌二"]

    def test_who_blocks_me_is_not_found_nor_whom_i_block(self, me, find):
        """D18: it works both ways everywhere."""
        one, other, _ = people("歌一", "歌二", "歌三")
        relations.block(user=one, target=me)
        relations.block(user=me, target=other)
        assert find("歌") == ["歌三"]
        assert find(str(one.hei_num)) == find(str(other.hei_num)) == []

    def test_says_whom_i_follow(self, api, me):
        one, other = people("歌一", "歌二")
        relations.follow(user=me, target=one)
        answer = ok(api(me).get("user/search", queryParameter="歌"))
        assert {card["id"]: card["isFollowed"] for card in answer["users"]} == {one.pk: True, other.pk: False}
        assert {card["goldCount"] for card in answer["users"]} == {0}


class TestPages:
    def test_old_phones_that_know_no_pages_get_fifty(self, find):
        people(*(f"歌{n:02}" for n in range(60)))
        first = find("歌")
        assert (len(first), len(set(first))) == (50, 50)
        rest = find("歌", offset=50)
        assert sorted(first + rest) == [f"歌{n:02}" for n in range(60)]
        assert find("歌", offset=2, limit=3) == first[2:5]

    @pytest.mark.parametrize("text", ["", "   ", "x" * 65, "a\0b"])
    def test_nothing_and_too_much_are_refused(self, api, me, text):
        refused(api(me).get("user/search", queryParameter=text), 700, "参数错误")
        refused(api(me).get("user/search"), 700, "参数错误")

    def test_usearch_is_the_same(self, api, me):
        people("歌一", "歌二")
        phone = api(me)
        assert phone.get("user/usearch", queryParameter="歌") == phone.get("user/search", queryParameter="歌")

    def test_a_flood_is_stopped_and_a_busy_evening_is_not(self, api, me, settings):
        phone = api(me)
        codes = [phone.get("user/search", queryParameter="x")["errorcode"] for _ in range(40)]
        assert codes[:30] == [0] * 30
        assert 429 in codes


def test_what_everybody_is_called_costs_no_more_than_a_rare_name(find, settings):
    """Of many that match, only so many are looked at; whose very name it is comes first all the same."""
    settings.SEARCH_CANDIDATES = 5
    people(*(f"歌{n:02}" for n in range(30)), "歌")
    found = find("歌")
    assert found[0] == "歌"
    assert len(found) <= 11
