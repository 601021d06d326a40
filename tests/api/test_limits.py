"""Rate limits: exact however many threads ask, and no reason to refuse anybody when Valkey is gone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from redis.exceptions import TimeoutError

from heihei_site.api import throttles
from heihei_site.api.throttles import allowed
from tests import factories
from users.models import PhoneCode

OFTEN = {"errorcode": 429, "errormsg": "操作太频繁"}
OK = {"errorcode": 0, "errormsg": "success"}
THREADS = 40


@pytest.fixture
def without_valkey(settings) -> Iterator[None]:
    settings.RATE_LIMITS_URL = "redis+unix:///nowhere/valkey.sock"
    throttles._limiter.cache_clear()
    yield
    throttles._limiter.cache_clear()


def test_forty_threads_get_exactly_what_the_rate_allows():
    start = Barrier(THREADS)

    def hit(_: int) -> int:
        start.wait()
        return sum(allowed("50/minute", "somebody") for _ in range(5))

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(hit, range(THREADS))) == 50


def test_everybody_has_a_count_of_their_own():
    assert [allowed("1/minute", who) for who in ("a", "b", "a", "b")] == [True, True, False, False]


@pytest.mark.urls("tests.api.kit")
def test_past_the_limit_of_an_address_the_answer_is_429(api):
    assert [api().post("kit/few") for _ in range(6)] == [OK] * 5 + [OFTEN]


@pytest.mark.urls("tests.api.kit")
def test_another_address_is_another_count(api):
    here = api()
    assert [here.post("kit/few")["errorcode"] for _ in range(6)][-1] == 429
    elsewhere = api()
    elsewhere.client.defaults["REMOTE_ADDR"] = "127.9.9.9"
    assert elsewhere.post("kit/few") == OK
    pretending = api(**{"x-forwarded-for": "9.9.9.9"})
    assert pretending.post("kit/few") == OFTEN


@pytest.mark.django_db
@pytest.mark.urls("tests.api.kit")
def test_a_limit_says_its_own_refusal(api):
    assert [api(factories.person()).post("kit/fewer")["errorcode"] for _ in range(2)] == [0, 700]


@pytest.mark.django_db
@pytest.mark.urls("tests.api.kit")
def test_without_valkey_nobody_is_refused(api, without_valkey, caplog):
    assert [api().post("kit/few") for _ in range(7)] == [OK] * 7
    assert "rate_limits_unreachable" in caplog.text


@pytest.mark.django_db
def test_the_hundred_and_first_room_text_in_ten_seconds_is_refused_and_not_said(api, told):
    live, speaker = factories.live(), factories.person()
    factories.inside(live, speaker)
    phone = api(speaker)
    answers = [phone.post("msg/send-msg", text=str(n), roomId=live.pk, liveId=live.pk) for n in range(101)]
    assert answers == [OK] * 100 + [OFTEN]
    assert phone.post("message/send-msg", text="the other path", roomId=live.pk, liveId=live.pk) == OFTEN
    another = factories.person()
    factories.inside(live, another)
    assert api(another).post("msg/send-msg", text="x", roomId=live.pk, liveId=live.pk) == OK


@pytest.mark.django_db
def test_the_fifty_first_code_of_an_address_in_an_hour_is_refused_and_not_sent(api):
    answers = [api().post("user/get-sms-verification-code", phoneNo=f"137{n:08}")["errorcode"] for n in range(51)]
    assert answers == [0] * 50 + [400]
    assert PhoneCode.objects.count() == 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.api.kit")
def test_the_limit_of_a_person_is_exact_when_forty_threads_call_the_endpoint(api, settings):
    phone = api()
    start = Barrier(THREADS)

    def post(_: int) -> int:
        start.wait()
        try:
            return int(phone.post("kit/few")["errorcode"])
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(post, range(THREADS)))
    assert sorted(codes) == [0] * 5 + [429] * 35


def test_a_valkey_that_does_not_answer_costs_one_time_out_and_not_one_per_call(api, monkeypatch):
    tries = []

    class Silent:
        def hit(self, *args: object) -> bool:
            tries.append(args)
            raise TimeoutError("no answer")

    monkeypatch.setattr(throttles, "_limiter", Silent)
    assert all(throttles.allowed("1/hour", "anybody") for _ in range(20))
    assert len(tries) == 1
