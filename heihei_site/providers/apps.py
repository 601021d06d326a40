from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "heihei_site.providers"
    label = "providers"

    def ready(self) -> None:
        from heihei_site.providers import checks  # noqa: F401  registers itself
