"""`manage.py media_server`: what the media server runs by, from our settings."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heihei_site import nginx_rtmp
from heihei_site.embedded import MediaPlace


class Command(BaseCommand):
    help = "Print the configuration of nginx with its RTMP module. It holds secrets: keep the file from others."

    def handle(self, **options: Any) -> None:
        nginx = nginx_rtmp.find()
        if nginx is None:
            raise CommandError(nginx_rtmp.INSTALL)
        place = MediaPlace(settings.RTMP_PORT, settings.MEDIA_PORT, str(settings.MEDIA_FILES))
        self.stdout.write(nginx_rtmp.configuration(place, module=nginx.module))
