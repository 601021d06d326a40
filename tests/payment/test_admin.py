import pytest
from django.contrib.auth import get_user_model

from payment.models import Account, Entry, Gift, Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(get_user_model()._default_manager.create(username="op", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", [Account, Transfer, Entry])
def test_the_ledger_can_be_searched_but_not_touched(operator, person, model):
    someone = person(gold=50)
    address = f"/admin/payment/{model._meta.model_name}/"
    found = operator.get(address, {"q": str(someone)})
    assert found.status_code == 200
    row = model.objects.order_by("pk").last()
    assert operator.get(f"{address}{row.pk}/change/").status_code == 200
    assert operator.get(f"{address}add/").status_code == 403
    assert operator.post(f"{address}{row.pk}/change/", {"balance": 9}).status_code == 403
    assert operator.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("model", "term", "found"),
    [
        (Account, "{one}", 1),
        (Account, "grants", 1),
        (Transfer, "{one}", 1),
        (Transfer, "grant:{one}:", 1),
        (Transfer, "grant:", 2),
        (Entry, "{one}", 1),
        (Entry, "grant:{one}:start", 2),
        (Entry, "", 4),
        (Entry, "100000000000000000000", 0),
        (Entry, "%", 0),
    ],
)
def test_a_search_finds_a_person_or_a_text(operator, person, model, term, found):
    one, _ = person(gold=51), person(gold=52)
    page = operator.get(f"/admin/payment/{model._meta.model_name}/", {"q": term.format(one=one)})
    assert page.context["cl"].result_count == found


def test_operators_are_warned_of_an_incomplete_page(operator, lollipop):
    """D28"""
    assert "不是 10 的倍数" not in operator.get("/admin/payment/gift/").content.decode()
    Gift.objects.filter(pk=101).update(active=False)
    page = operator.get("/admin/payment/gift/").content.decode()
    assert "上架礼物现有 19 个,不是 10 的倍数" in page
    assert "/static/gifts/102.png" in page


def test_a_gift_can_be_changed_but_not_removed(operator, lollipop):
    address = "/admin/payment/gift/102/"
    assert operator.get(f"{address}change/").status_code == 200
    values = {
        "name": "大棒棒糖", "desc": "", "gold": 3, "red": 1, "green": 2, "blue": 3, "image": "gifts/102.png",
        "icon": "gifts/102-icon.png", "type": 0, "active": "on", "order": 102,
        "resources-TOTAL_FORMS": 0, "resources-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert operator.post(f"{address}change/", values).status_code == 302
    assert Gift.objects.filter(pk=102, name="大棒棒糖", gold=3).exists()
    assert operator.post(f"{address}change/", values | {"gold": 0}).status_code == 200
    assert operator.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert Gift.objects.get(pk=102).gold == 3
