"""`manage.py media_server`: what the media server runs by, from our settings."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from heihei_site import nginx_rtmp
from heihei_site.embedded import MediaPlace


class Command(BaseCommand):
    help = "Print the configuration of nginx with its RTMP module. It holds secrets: keep the file from others."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--module", help="where ngx_rtmp_module.so is on the machine it is for, if not on this one")

    def handle(self, *, module: str | None, **options: Any) -> None:
        place = MediaPlace(settings.RTMP_PORT, settings.MEDIA_PORT, str(settings.MEDIA_FILES))
        self.stdout.write(nginx_rtmp.configuration(place, module=f"load_module {module};" if module else found_here()))


def found_here() -> str:
    nginx = nginx_rtmp.find()
    if nginx is None:
        raise CommandError(nginx_rtmp.INSTALL)
    return nginx.module
