"""Telling people how their withdrawals ended (D37)."""

from typing import Any

from messages.services import notices, official
from payment.withdrawal_models import Withdrawal

LINK = "wmlives_heihei://homepage"
ARRIVED = "您提现的{yuan}元已到账，请在支付宝中查看。"
CAME_BACK = "您提现的{yuan}元没有成功，{point}黑票已退回您的账户。原因：{reason}"


def on_withdrawal_closed(*, withdrawal: Withdrawal, **_: Any) -> None:
    """Within telling(), as its last change."""
    words = ARRIVED if withdrawal.state == Withdrawal.State.SETTLED else CAME_BACK
    text = words.format(yuan=withdrawal.yuan, point=withdrawal.point, reason=withdrawal.return_reason)
    notices.notify(recipient_id=withdrawal.owner_id, actor=official.account(), text=text, link=LINK)
