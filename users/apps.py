from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "用户"

    def ready(self) -> None:
        from heihei_site.realtime import audiences, sessions
        from users import auth, erasure, groups, personal_data

        sessions.register(auth.SocketSessions())
        audiences.register(groups.FOLLOWERS, groups.followers_after)
        erasure.register(personal_data.holding)
