from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "用户"

    def ready(self) -> None:
        from heihei_site.realtime import sessions
        from users import auth

        sessions.register(auth.SocketSessions())
