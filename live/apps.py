from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "live"
    verbose_name = "直播"

    def ready(self) -> None:
        from heihei_site.console import board
        from heihei_site.realtime import doorkeeper, memberships
        from live import figures, guests, personal_data, selectors
        from live.services import archives, rooms, talk
        from messages import rooms as rooms_to_speak_in
        from users import activity, erasure, signals

        board.register(figures.FIGURES, figures.CARDS)
        memberships.register("live", selectors.rooms_of)
        doorkeeper.register(guests.Doorkeeper())
        activity.register("live", selectors.broadcasting)
        activity.register_places("live", selectors.place_of)
        activity.register_scenes("live", selectors.scene_of)
        activity.register_buttons("live", selectors.mic_button)
        rooms_to_speak_in.register(talk.LiveRooms())
        signals.became_minor.connect(rooms.end_lives_of, dispatch_uid="live.became_minor")
        signals.banned.connect(rooms.clear_out, dispatch_uid="live.banned")
        signals.banned.connect(archives.take_out, dispatch_uid="live.banned.archives")
        signals.blocked.connect(rooms.part, dispatch_uid="live.blocked")
        signals.left.connect(rooms.clear_out, dispatch_uid="live.left")
        erasure.register(personal_data.holding)
