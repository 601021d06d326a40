"""Who does what for us outside: `settings.PROVIDERS` names one class per need, as `STORAGES` does."""

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from heihei_site.providers.credentials.base import UploadCredentials
from heihei_site.providers.gateways.apple import AppStore
from heihei_site.providers.gateways.base import Gateway
from heihei_site.providers.identity.base import Identity
from heihei_site.providers.payouts.base import Payouts
from heihei_site.providers.push.base import KINDS, PushVendor
from heihei_site.providers.realname.base import RealName
from heihei_site.providers.rtc.base import Rtc
from heihei_site.providers.sms.base import Sms
from heihei_site.providers.streaming.base import Streaming


@cache
def get(need: str) -> object:
    return import_string(settings.PROVIDERS[need])()


def sms() -> Sms:
    return cast(Sms, get("sms"))


def identity(source: str) -> Identity:
    """Who vouches for accounts of `Wechat` or `Weibo`."""
    return cast(Identity, get(source.lower()))


def streaming() -> Streaming:
    return cast(Streaming, get("streaming"))


def rtc() -> Rtc:
    return cast(Rtc, get("rtc"))


def credentials() -> UploadCredentials:
    return cast(UploadCredentials, get("credentials"))


def realname() -> RealName:
    return cast(RealName, get("realname"))


def payouts() -> Payouts:
    return cast(Payouts, get("payouts"))


def gateway(channel: str) -> Gateway:
    """Who takes money through `alipay` or `wechat`."""
    return cast(Gateway, get({"wechat": "wechat-pay"}.get(channel, channel)))


def app_store() -> AppStore:
    return cast(AppStore, get("app-store"))


def push(kind: str) -> PushVendor:
    """Who reaches devices that registered as `apns`, `getui` or `gcm`."""
    return cast(PushVendor, get(kind))


def push_kinds() -> list[str]:
    """The kinds of devices that this installation has a vendor for."""
    return [kind for kind in KINDS if kind in settings.PROVIDERS]


def _forget_replaced(*, setting: str, **_: Any) -> None:
    if setting == "PROVIDERS":
        get.cache_clear()


setting_changed.connect(_forget_replaced)
