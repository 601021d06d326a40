from typing import ClassVar

from heihei_site.api.errors import OpenIdInvalid, WeiboTokenInvalid
from heihei_site.providers.identity.base import Account

PREFIX = "dev-"


class DevelopmentIdentity:
    """The twin of a vendor: `dev-<openId>` is that account's token. Who has a name there may say any union id."""

    development_only: ClassVar[bool] = True
    source: ClassVar[str]

    def account(self, *, token: str, open_id: str, union_id: str) -> Account:
        if not token.startswith(PREFIX):
            raise WeiboTokenInvalid
        if token != PREFIX + open_id:
            raise OpenIdInvalid
        return Account(self.source, open_id, union_id)


class DevelopmentWechat(DevelopmentIdentity):
    source = "Wechat"


class DevelopmentWeibo(DevelopmentIdentity):
    source = "Weibo"
