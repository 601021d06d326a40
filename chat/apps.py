from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "约聊"

    def ready(self) -> None:
        from chat import figures, personal_data, selectors
        from chat.services import partings, talk, topics
        from heihei_site.console import board
        from heihei_site.realtime import memberships
        from messages import openings, rooms
        from users import activity, erasure, signals

        board.register(figures.FIGURES, figures.CARDS)
        memberships.register("chat", selectors.rooms_of)
        activity.register("chat", selectors.in_call)
        rooms.register(talk.CallRooms())
        openings.register(topics.opening)
        signals.banned.connect(partings.clear_out, dispatch_uid="chat.banned")
        signals.left.connect(partings.clear_out, dispatch_uid="chat.left")
        signals.blocked.connect(partings.part, dispatch_uid="chat.blocked")
        signals.went_on_air.connect(partings.go_on_air, dispatch_uid="chat.went_on_air")
        erasure.register(personal_data.holding)
