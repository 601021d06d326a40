"""`payment/*`: what one has, exchange, withdrawal, and the statement (api.md 积分兑换钻石 to 提现请求)."""

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.errors import (
    AccountAbnormal,
    AccountTooYoung,
    AlipayCodeInvalid,
    AlipayNotVerified,
    NotEnoughCash,
    NotEnoughPoints,
    PackageInvalid,
    RealNameUnreachable,
    WithdrawalTooLarge,
    WithdrawalTooSmall,
)
from heihei_site.api.params import Limit as PageSize
from heihei_site.api.throttles import Limit
from heihei_site.console.tunables import tunables
from payment import ledger, purse_params, purse_serializers, statements
from payment.selectors import assets, p2g_packages
from payment.services import alipay, exchange, withdrawals
from payment.withdrawal_models import yuan
from payment.worth import cash

api = Endpoints("payment")

DEFAULT_PAGE = 20


@api.get()
def statistic(caller: Caller) -> purse_serializers.Assets:
    """The same figures as `user/user-gold`: `point` is what is free of withdrawals, `pointWorth` five for each."""
    return assets(caller.person)


@api.get()
def list_p2g_package(caller: Caller) -> purse_serializers.P2gPackages:
    """What points can be exchanged for."""
    return {"packages": p2g_packages()}


@api.post(path="p2g", raises=[AccountAbnormal, PackageInvalid, NotEnoughPoints])
def p2g(caller: Caller, *, package: purse_params.P2gPackageParam) -> purse_serializers.Exchanged:
    """Points for gold: `point` is what is left, `gold` what was got for it. Sent again within seconds (D26) it is the
    same exchange: the same `order`, charged once."""
    done = exchange.exchange(person=caller.person, package=package)
    return {"order": done.number, "point": done.point_after, "gold": done.gold}


@api.get()
def get_alipay_info(caller: Caller) -> purse_serializers.AlipayAnswer:
    """The verified account, masked (D37); empty texts where there is none."""
    shown = alipay.masked(caller.person.pk)
    return {
        "info": {"alipaycode": shown.account, "name": shown.name, "idcard": shown.idcard, "phone": shown.phone},
    }


@api.post(raises=[AlipayNotVerified, RealNameUnreachable], limits=[Limit(settings.ALIPAY_VERIFICATIONS)])
def verify_alipay(
    caller: Caller,
    *,
    alipaycode: purse_params.AlipayCode,
    username: purse_params.UserName,
    idcard: purse_params.IdCard,
    phone: purse_params.Phone,
) -> purse_serializers.Verified:
    """Where withdrawals go from now on, in the place of what was verified before. 726 for an id card with a wrong check
    digit, one of a minor (D19), and one of another name. `alipayCode` comes back masked."""
    details = alipay.Details(account=alipaycode, name=username, idcard=idcard, phone=phone)
    return {"alipay_code": alipay.verify(person=caller.person, details=details).account}


RULE = (
    "提现规则：{points}黑票可提现1元；每次最少{least}元，每天最多{day}元；注册满{days}天后可以提现；"
    "提现到本人实名的支付宝账号，审核通过后到账。"
)


@api.get(key="cash-info")
def cash_info(caller: Caller) -> purse_serializers.Cash:
    """What the free points would be in money: `cash` in fen, rounded down."""
    held = ledger.balances(caller.person.pk)
    rule = RULE.format(
        points=100 * settings.POINTS_PER_FEN,
        least=yuan(tunables.WITHDRAWAL_LEAST).removesuffix(".00"),
        day=yuan(tunables.WITHDRAWAL_DAY).removesuffix(".00"),
        days=tunables.WITHDRAWAL_ACCOUNT_AGE.days,
    )
    return {"point": held.point, "cash": cash(held.point), "rule": rule}


@api.post(
    raises=[
        AccountAbnormal,
        AccountTooYoung,
        AlipayCodeInvalid,
        NotEnoughCash,
        WithdrawalTooLarge,
        WithdrawalTooSmall,
    ]
)
def pay_req(
    caller: Caller, *, alipaycode: purse_params.AlipayCode, payamount: purse_params.Fen
) -> purse_serializers.Requested:
    """Asks for `payamount` fen; the points are frozen at once. `alipaycode` is the verified account, in full or as
    `get-alipay-info` shows it. 700 below the least amount and above a day's most, with the words to show; 721 for
    minors and accounts younger than a week. Sent again within seconds (D26) it is the same withdrawal."""
    asked = withdrawals.request(person=caller.person, alipaycode=alipaycode, fen=payamount)
    return {"reqmsg": "提现申请已提交", "order": asked.number, "point": ledger.balances(caller.person.pk).point}


@api.get()
def statement(
    caller: Caller,
    *,
    before: purse_params.Before = 0,
    limit: PageSize = DEFAULT_PAGE,
    currency: purse_params.OneCurrency = "",
) -> purse_serializers.Statement:
    """Every movement of the caller's gold and points, and of what they owe (`debt`: gold that a refund could not take
    back, which new gold pays first), the newest first; of one of them with `currency` (gold, point, debt).
    `before` of an answer is the `before` of the next page."""
    return statements.page(
        caller.person.pk, before=before, limit=min(limit or DEFAULT_PAGE, settings.STATEMENT_PAGE), currency=currency
    )
