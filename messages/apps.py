from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "messages"
    label = "inbox"  # `messages` is the label of django.contrib.messages (ADR 0004)
    verbose_name = "消息"

    def ready(self) -> None:
        from heihei_site.console import board
        from heihei_site.realtime import inbound, pushing
        from heihei_site.uploads import signals
        from messages import figures, personal_data, socket
        from messages.services import examinations, money_notices, pushes
        from payment.signals import credit_posted, withdrawal_closed
        from users import erasure

        board.register(figures.FIGURES, figures.CARDS)
        inbound.register("IM", socket.send)
        pushing.register(pushes.write)
        signals.examined.connect(examinations.learn, dispatch_uid="messages.examined")
        withdrawal_closed.connect(money_notices.on_withdrawal_closed, dispatch_uid="messages.withdrawal_closed")
        credit_posted.connect(money_notices.on_credit_posted, dispatch_uid="messages.credit_posted")
        erasure.register(personal_data.holding)
