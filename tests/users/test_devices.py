"""`user/push-device-info`: where pushes go."""

import pytest

from tests import factories
from tests.answers import ok, refused
from users.models import Device

pytestmark = pytest.mark.django_db
SHIPPED = {"uuid": "861234567890123", "apnsType": "getui", "apnsToken": "clientid-1", "deveiceType": "android"}


def test_the_shipped_app_registers_its_device(api):
    user = factories.person()
    assert ok(api(user).post("user/push-device-info", **SHIPPED)) == {"errorcode": 0, "errormsg": "success"}
    device = Device.objects.get()
    assert (device.user_id, device.push_kind, device.push_token, device.platform, device.uuid) == (
        user.pk, "getui", "clientid-1", "android", "861234567890123")  # fmt: skip


def test_sent_again_it_is_the_same_device(api):
    phone = api(factories.person())
    for _ in range(3):
        ok(phone.post("user/push-device-info", **SHIPPED))
    assert Device.objects.count() == 1


def test_a_device_belongs_to_whoever_signed_in_on_it_last(api):
    first, second = factories.person(), factories.person()
    ok(api(first).post("user/push-device-info", **SHIPPED))
    ok(api(second).post("user/push-device-info", **SHIPPED))
    assert Device.objects.get().user_id == second.pk


def test_a_phone_has_a_few_addresses_and_nobody_a_thousand(api):
    """Every push goes to each of them. The newest count; another sign-in has its own."""
    user = factories.person()
    phone, other = api(user), api(factories.person())
    ok(other.post("user/push-device-info", **(SHIPPED | {"apnsToken": "other"})))
    for number in range(10):
        ok(phone.post("user/push-device-info", **(SHIPPED | {"apnsToken": f"c{number}"})))
    assert sorted(Device.objects.values_list("push_token", flat=True)) == ["c6", "c7", "c8", "c9", "other"]


@pytest.mark.parametrize("spelling", ["deveiceType", "deviceType", "devicesType"])
def test_every_spelling_of_device_type_is_understood(api, spelling):
    ok(api(factories.person()).post("user/push-device-info", apnsType="apns", apnsToken="t", **{spelling: "ios"}))
    assert Device.objects.get().platform == "ios"


@pytest.mark.parametrize(
    "wrong",
    [
        {"apnsToken": ""},
        {"apnsToken": "x" * 256},
        {"apnsType": "fax"},
        {"apnsType": ""},
        {"deveiceType": "tv"},
        {"uuid": "x" * 129},
    ],
)
def test_wrong_parameters_register_nothing(api, wrong):
    refused(api(factories.person()).post("user/push-device-info", **(SHIPPED | wrong)), 700, "参数错误")
    assert Device.objects.count() == 0


def test_nobody_registers_nothing(api):
    refused(api().post("user/push-device-info", **SHIPPED), 720, "token无效")
    assert Device.objects.count() == 0
