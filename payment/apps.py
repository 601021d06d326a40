from django.apps import AppConfig


class PaymentConfig(AppConfig):
    name = "payment"
    verbose_name = "钱与礼物"

    def ready(self) -> None:
        from heihei_site.console import board
        from payment import figures

        board.register(figures.FIGURES, figures.CARDS)
