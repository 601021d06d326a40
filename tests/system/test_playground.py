"""The two addresses that only `/playground` uses, and that nothing of it is there in production. The page itself is
tried in a browser: tests/site/test_playground.py."""

import pytest
from django.test import Client

from heihei_site.providers import outbox
from heihei_site.system import playground
from payment import ledger
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings):
    settings.DEVELOPMENT = False


def test_in_production_there_is_no_such_page(production):
    user = factories.person()
    token = factories.token(user)
    outbox.append("sms", {"phone": "19700000001", "code": "123456"})
    for answer in (
        Client().get("/playground"),
        Client().get("/playground/code", {"phoneNo": "19700000001"}),
        Client().post("/playground/gold", {"token": token}),
    ):
        assert answer.status_code == 404
        assert b"123456" not in answer.content
    assert ledger.balances(user.pk).gold == 0
    assert b"/playground" not in Client().get("/").content


def test_the_status_page_leads_there():
    assert b'href="/playground"' in Client().get("/").content


def test_it_says_the_newest_code_of_that_number_and_of_no_other():
    for phone, code in (("19700000002", "111111"), ("19700000002", "222222"), ("19700000003", "333333")):
        outbox.append("sms", {"phone": phone, "code": code})
    ask = Client().get
    assert ask("/playground/code", {"phoneNo": "19700000002"}).json() == {"code": "222222"}
    assert ask("/playground/code", {"phoneNo": "1970000000"}).json() == {"code": ""}
    assert ask("/playground/code").json() == {"code": ""}


def test_gold_is_for_whose_token_it_is_each_time_again():
    user, other = factories.person(), factories.person()
    token = factories.token(user)
    for total in (playground.GOLD, 2 * playground.GOLD):
        assert Client().post("/playground/gold", {"token": token}).json() == {"gold": total}
    assert (ledger.balances(user.pk).gold, ledger.balances(other.pk).gold) == (2000, 0)


def test_a_browser_can_be_made_to_give_gold_by_nobody_who_does_not_know_the_token():
    """Neither without it nor by a link; what browsers send by themselves, cookies, counts for nothing."""
    user = factories.person()
    assert Client().post("/playground/gold").status_code == 404
    assert Client().post("/playground/gold", {"token": "f" * 64}).status_code == 404
    assert Client().get("/playground/gold", {"token": factories.token(user)}).status_code == 405
    assert ledger.balances(user.pk).gold == 0
