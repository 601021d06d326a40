"""Telling people how their withdrawals ended (D37), and what operators gave them or took back (ADR 20)."""

from typing import Any

from messages.services import notices, official
from payment.credit_models import Credit
from payment.withdrawal_models import Withdrawal

LINK = "wmlives_heihei://homepage"
ARRIVED = "您提现的{yuan}元已到账，请在支付宝中查看。"
CAME_BACK = "您提现的{yuan}元没有成功，{point}黑票已退回您的账户。原因：{reason}"
CREDITED = "{kind}：已为您发放{given}。"
TAKEN_BACK = "{kind}：已从您的账户扣回{taken}。"
CHANGED = "{kind}：已为您发放{given}，并扣回{taken}。"


def on_withdrawal_closed(*, withdrawal: Withdrawal, **_: Any) -> None:
    """Within telling(), as its last change."""
    words = ARRIVED if withdrawal.state == Withdrawal.State.SETTLED else CAME_BACK
    text = words.format(yuan=withdrawal.yuan, point=withdrawal.point, reason=withdrawal.return_reason)
    notices.notify(recipient_id=withdrawal.owner_id, actor=official.account(), text=text, link=LINK)


def on_credit_posted(*, credit: Credit, **_: Any) -> None:
    """Within telling(), as its last change."""
    amounts = ((credit.gold, "钻石"), (credit.point, "黑票"))
    given = "、".join(f"{amount}{what}" for amount, what in amounts if amount > 0)
    taken = "、".join(f"{-amount}{what}" for amount, what in amounts if amount < 0)
    words = CHANGED if given and taken else CREDITED if given else TAKEN_BACK
    text = words.format(kind=credit.get_kind_display(), given=given, taken=taken)
    notices.notify(recipient_id=credit.owner_id, actor=official.account(), text=text, link=LINK)
