"""Seats: the last one, locked ones, and those of people who fell silent. D23, I6, I8."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client

from live.models import Live, Member, SeatAllowance
from live.services import seats
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db

FULL = (505, "没座位了，敲门试试？")
TWO_STAY = (502, "请至少保留2个座位")
# What the console's form says of the tables below it.
NO_MANAGERS = {"guests-TOTAL_FORMS": "0", "guests-INITIAL_FORMS": "0"}


@pytest.fixture
def staff(db):
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True, is_superuser=True))
    return console


@pytest.fixture
def team(evening):
    """The evening's live with eight seats, two of which are taken."""
    Live.objects.filter(pk=evening.live.pk).update(seats=8)
    evening.live.refresh_from_db()
    evening.told.clear()
    return evening


def fill(team):
    """Everybody else's seats are taken, too."""
    row = team.row()
    factories.inside(row, *(factories.person() for _ in range(row.free_seats)))


def numbers(team):
    row = team.row()
    return row.seats, row.locked, row.occupied


def join(team, user, version="2.0.0", **said):
    return team.phone(user, version).post("live/join-live", liveId=team.live.pk, **said)


def change(team, unlock, phone=None):
    return (phone or team.owners).post("live/lock-live-seat", liveId=team.live.pk, unlock=unlock)


class TestJoining:
    def test_the_eighth_comes_in_and_the_ninth_does_not(self, team):
        for _ in range(6):
            ok(join(team, factories.person()))
        team.told.clear()
        late = factories.person()
        refused(join(team, late), *FULL)
        assert (numbers(team), team.told, late.pk in team.inside()) == ((8, 0, 8), [], False)

    def test_no_generation_sits_on_another_ones_lap(self, team):
        """Older clients know no 505; the number is what makes them leave."""
        fill(team)
        for version in ("1.1.2", "1.4.1", "1.5.0"):
            refused(join(team, factories.person(), version), *FULL)
        assert numbers(team) == (8, 0, 8)

    def test_who_is_inside_joins_a_full_room_again_and_again(self, team):
        fill(team)
        for version in ("1.1.2", "2.0.0"):
            ok(join(team, team.viewer, version))
        assert numbers(team) == (8, 0, 8)
        ok(team.owners.post("live/join-live", liveId=team.live.pk))

    def test_a_seat_that_was_left_is_free(self, team):
        fill(team)
        ok(team.viewers.post("live/quit-live", liveId=team.live.pk))
        ok(join(team, factories.person()))
        refused(join(team, team.viewer), *FULL)
        assert numbers(team) == (8, 0, 8)

    def test_a_locked_seat_is_not(self, team):
        for _ in range(6):
            ok(change(team, 0))
        refused(join(team, factories.person()), *FULL)
        assert numbers(team) == (8, 6, 2)

    def test_the_seat_of_who_fell_silent_is_the_next_ones_before_any_sweep(self, team):
        fill(team)
        team.asleep(team.viewer, seconds=46)
        team.told.clear()
        guest = factories.person()
        ok(join(team, guest))
        assert numbers(team) == (8, 0, 8)
        assert team.viewer.pk not in team.inside() and guest.pk in team.inside()
        assert {"do": "leave", "user": team.viewer.pk, "room": team.live.pk} in team.told
        assert team.shown("list-live-users")[-1]["totalCount"] == 8

    def test_and_who_wakes_up_too_late_waits_as_everybody_does(self, team):
        fill(team)
        team.asleep(team.viewer, seconds=46)
        ok(join(team, factories.person()))
        answer = team.viewers.get("live/heart-beat", liveId=team.live.pk, isCreator=0)
        refused(answer, 506, "您不在该队伍")
        refused(join(team, team.viewer), *FULL)

    def test_but_while_nobody_wants_their_seat_they_have_it(self, team):
        fill(team)
        team.asleep(team.viewer, seconds=46)
        ok(join(team, team.viewer))
        assert (numbers(team), team.viewer.pk in team.inside()) == ((8, 0, 8), True)

    def test_the_owners_seat_is_nobody_elses_however_late_their_beat(self, team):
        fill(team)
        Member.objects.filter(user=team.owner).update(lease_until=F("joined_at"))
        refused(join(team, factories.person()), *FULL)
        assert numbers(team) == (8, 0, 8)

    def test_a_room_that_ended_frees_all(self, team):
        fill(team)
        ok(team.owners.post("live/stop-live", liveId=team.live.pk))
        assert team.row().occupied == 0

    def test_an_ended_room_is_ended_rather_than_full(self, team):
        fill(team)
        Live.objects.filter(pk=team.live.pk).update(status=2)
        refused(join(team, factories.person()), 725, "直播未开始或已结束")
        assert ok(join(team, factories.person(), "1.1.2"))["live"]["status"] == 2

    def test_of_an_audience_the_hundred_thousandth_has_a_seat_and_the_next_has_none(self, evening):
        Live.objects.filter(pk=evening.live.pk).update(occupied=99_999)
        ok(join(evening, factories.person(), "1.1.2"))
        refused(join(evening, factories.person(), "1.1.2"), *FULL)


class TestLocking:
    def test_one_call_locks_one_seat_and_the_room_is_told(self, team):
        assert change(team, 0) == {"errorcode": 0, "errormsg": "success"}
        assert numbers(team) == (8, 1, 2)
        (push,) = team.shown("list-live-users")
        assert (push["roomSeatCount"], push["roomLockedCount"], push["totalCount"]) == (8, 1, 2)

    def test_one_unlocks_one(self, team):
        for unlock in (0, 0, 1):
            ok(change(team, unlock))
        assert numbers(team) == (8, 1, 2)
        assert [push["roomLockedCount"] for push in team.shown("list-live-users")] == [1, 2, 1]

    @pytest.mark.parametrize(("said", "locked"), [("1", 0), ("true", 0), ("True", 0), ("0", 2), ("false", 2)])
    def test_the_flag_is_read_as_phones_write_it(self, team, said, locked):
        ok(change(team, 0))
        ok(change(team, said))
        assert team.row().locked == locked

    @pytest.mark.parametrize("said", ["", "2", "maybe"])
    def test_what_is_no_flag_is_700(self, team, said):
        refused(change(team, said), 700, "参数错误")
        assert (numbers(team), team.told) == ((8, 0, 2), [])

    def test_without_locked_ones_nothing_is_unlocked(self, team):
        ok(change(team, 1))
        assert (numbers(team), team.told) == ((8, 0, 2), [])

    def test_two_stay_unlocked(self, team):
        ok(team.viewers.post("live/quit-live", liveId=team.live.pk))
        for _ in range(6):
            ok(change(team, 0))
        team.told.clear()
        refused(change(team, 0), *TWO_STAY)
        assert (numbers(team), team.told) == ((8, 6, 1), [])

    def test_seats_with_people_on_them_are_not_locked(self, team):
        factories.inside(team.row(), *(factories.person() for _ in range(3)))
        for _ in range(3):
            ok(change(team, 0))
        refused(change(team, 0), *TWO_STAY)
        assert numbers(team) == (8, 3, 5)

    def test_the_seat_of_who_fell_silent_can_be(self, team):
        fill(team)
        team.asleep(team.viewer, seconds=46)
        ok(change(team, 0))
        assert (numbers(team), team.viewer.pk in team.inside()) == ((8, 1, 7), False)

    def test_only_the_owner_does(self, team):
        for unlock in (0, 1):
            refused(change(team, unlock, team.viewers), 711, "权限不足")
        assert (numbers(team), team.told) == ((8, 0, 2), [])

    def test_before_the_sound_has_come_they_do_already(self, team):
        Live.objects.filter(pk=team.live.pk).update(status=0)
        ok(change(team, 0))
        assert numbers(team) == (8, 1, 2)

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_what_is_over_has_no_seats(self, team, status):
        Live.objects.filter(pk=team.live.pk).update(status=status)
        for unlock in (0, 1):
            refused(change(team, unlock), 731, "直播无效或被删除")
        assert (numbers(team), team.told) == ((8, 0, 2), [])

    def test_the_lists_say_how_many(self, team):
        ok(change(team, 0))
        answer = ok(team.viewers.get("live/list-live-users", liveId=team.live.pk))
        assert (answer["roomSeatCount"], answer["roomLockedCount"], answer["totalCount"]) == (8, 1, 2)

    def test_a_large_room_locks_as_well(self, evening):
        ok(change(evening, 0))
        assert numbers(evening) == (100_000, 1, 2)


class TestTheLastSafeguard:
    """Whatever the code does: the database takes no room with more people than seats."""

    @pytest.mark.parametrize(
        "wrong", [{"occupied": 9}, {"locked": 7}, {"occupied": 5, "locked": 4}, {"seats": 1}, {"occupied": -1}]
    )
    def test_is_the_table(self, team, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            Live.objects.filter(pk=team.live.pk).update(**wrong)
        assert numbers(team) == (8, 0, 2)


class TestBlocking:
    @pytest.mark.parametrize("owner_blocks", [True, False])
    def test_ends_being_in_each_others_rooms(self, team, owner_blocks):
        user, target = (team.owner, team.viewer) if owner_blocks else (team.viewer, team.owner)
        ok(team.phone(user).post("user/block-user", userId=target.pk))
        assert (numbers(team), team.inside()) == ((8, 0, 1), {team.owner.pk})
        assert {"do": "leave", "user": team.viewer.pk, "room": team.live.pk} in team.told
        assert [message["person"] for message in team.shown("quit-live")] == [team.viewer.pk]
        refused(join(team, team.viewer), 737, "无法观看该用户直播")

    def test_of_strangers_changes_no_room(self, team):
        stranger = factories.person()
        ok(team.owners.post("user/block-user", userId=stranger.pk))
        ok(team.viewers.post("user/block-user", userId=stranger.pk))
        assert (numbers(team), team.shown("quit-live"), team.shown("list-live-users")) == ((8, 0, 2), [], [])

    def test_again_is_no_second_message(self, team):
        for _ in range(2):
            ok(team.owners.post("user/block-user", userId=team.viewer.pk))
        assert (len(team.shown("quit-live")), len(team.shown("list-live-users"))) == (1, 1)


class TestHowManyThereAre:
    def opened(self, api, owner, version):
        ok(api(owner, version=version).post("live/create-live", title="t"))
        return Live.objects.open().get(owner=owner).seats

    @pytest.mark.parametrize(("version", "seats"), [("1.1.2", 100_000), ("1.4.1", 100_000), ("1.5.0", 8), ("2.0", 8)])
    def test_depends_on_what_the_owners_phone_can_show(self, api, version, seats):
        assert self.opened(api, factories.person(), version) == seats

    def test_unless_operators_have_said_so_for_that_owner(self, api):
        owner = factories.person()
        SeatAllowance.objects.create(owner=owner, seats=30)
        assert self.opened(api, owner, "1.1.2") == self.opened(api, owner, "2.0.0") == 30
        assert self.opened(api, factories.person(), "2.0.0") == 8

    def test_operators_change_it_while_the_live_goes_on(self, team, committed):
        with committed():
            assert seats.resize(team.live.pk, 20)
        assert numbers(team) == (20, 0, 2)
        assert team.shown("list-live-users")[0]["roomSeatCount"] == 20

    @pytest.mark.parametrize(("many", "locked", "fits"), [(7, 4, True), (6, 4, True), (5, 4, False), (1, 0, False)])
    def test_but_never_below_what_is_taken_and_locked(self, team, committed, many, locked, fits):
        Live.objects.filter(pk=team.live.pk).update(locked=locked)
        with committed():
            assert seats.resize(team.live.pk, many) is fits
        assert numbers(team) == (many if fits else 8, locked, 2)
        assert len(team.shown("list-live-users")) == fits

    def test_the_silent_are_not_in_the_way(self, team, committed):
        fill(team)
        team.asleep(team.viewer, seconds=46)
        with committed():
            assert seats.resize(team.live.pk, 7)
        assert numbers(team) == (7, 0, 7)

    def test_a_live_that_is_over_keeps_its_number(self, team, committed):
        Live.objects.filter(pk=team.live.pk).update(status=2, occupied=0)
        with committed():
            assert not seats.resize(team.live.pk, 20)
        assert (team.row().seats, team.told) == (8, [])


class TestInTheConsole:
    def test_a_room_gets_more_seats(self, team, staff, committed):
        with committed():
            answer = staff.post(
                f"/admin/live/live/{team.live.pk}/change/", {"title": "标题", "seats": "12"} | NO_MANAGERS
            )
        assert answer.status_code == 302
        assert numbers(team) == (12, 0, 2)
        assert team.shown("list-live-users")[0]["roomSeatCount"] == 12

    def test_fewer_than_are_taken_and_locked_are_refused_in_words(self, team, staff):
        Live.objects.filter(pk=team.live.pk).update(locked=3)
        answer = staff.post(f"/admin/live/live/{team.live.pk}/change/", {"title": "标题", "seats": "4"} | NO_MANAGERS)
        assert answer.status_code == 200
        assert "不能少于 5" in answer.content.decode()
        assert numbers(team) == (8, 3, 2)

    def test_an_owner_gets_a_number_of_their_own(self, team, staff):
        answer = staff.post("/admin/live/seatallowance/add/", {"owner": team.owner.pk, "seats": "30"})
        assert answer.status_code == 302
        assert SeatAllowance.objects.get().seats == 30
        assert staff.get("/admin/live/seatallowance/").status_code == 200

    def test_but_not_less_than_two(self, team, staff):
        answer = staff.post("/admin/live/seatallowance/add/", {"owner": team.owner.pk, "seats": "1"})
        assert answer.status_code == 200
        assert not SeatAllowance.objects.exists()
