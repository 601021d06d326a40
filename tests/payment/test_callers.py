"""Who may not buy gold is told so, and nothing is begun (I11)."""

import pytest

from payment.order_models import Order
from tests import factories
from tests.conftest import Api
from tests.scenarios import scenarios
from tests.users.test_matrix import STRANGERS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", STRANGERS, ids=lambda who: who.__name__)
@pytest.mark.parametrize("path", ["payment/list-package", "payment/create-order", "payment/order-notify"])
def test_without_a_good_token_nothing_is_sold(api: type[Api], told, who, path):
    user, params = scenarios[path]()
    before = list(Order.objects.values())
    phone = api()
    phone.token = who(user)
    assert phone.post(path, **params)["errorcode"] == 720
    assert list(Order.objects.values()) == before
    assert told == []


def test_a_stranger_neither_fails_nor_learns_of_anothers_order(api: type[Api]):
    buyer, params = scenarios["payment/order-notify"]()
    stranger = api(factories.person())
    assert stranger.post("payment/order-notify", **params | {"status": 2})["errorcode"] == 727
    assert Order.objects.get(buyer=buyer).state == "created"
