from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "用户"

    def ready(self) -> None:
        from heihei_site.console import board
        from heihei_site.realtime import audiences, sessions
        from heihei_site.uploads import signals, sweeping
        from users import auth, erasure, figures, groups, personal_data
        from users.services import avatars

        board.register(figures.FIGURES, figures.CARDS)
        sessions.register(auth.SocketSessions())
        audiences.register(groups.FOLLOWERS, groups.followers_after)
        erasure.register(personal_data.holding)
        erasure.register(erasure.Holding("uploads", erase=sweeping.erase, export=sweeping.own_data))
        signals.examined.connect(avatars.examined, dispatch_uid="avatars")
