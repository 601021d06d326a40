"""Which new version a phone is told about (D31)."""

from typing import TypedDict

from heihei_site.postgres.kept import Kept
from heihei_site.system.models import AppVersion
from heihei_site.system.releases import release


class NewVersion(TypedDict):
    force: bool
    url: str
    title: str
    text: str
    file_name: str
    version_code: str
    channel: str


@Kept
def published() -> list[AppVersion]:
    return list(AppVersion.objects.filter(published=True))


def newest(*, installed: str, platform: str, channel: str) -> NewVersion | None:
    """The newest version that is newer than the installed one; None where there is none.

    A channel gets its own packages and those for all; of the same version its own. It must be installed where it, or
    any version between the two, says so.
    """
    have = release(installed)
    newer = [
        version
        for version in published()
        if version.platform == platform and version.channel in ("", channel) and version.release > have
    ]
    if not newer:
        return None
    best = max(newer, key=lambda version: (version.release, version.channel != ""))
    return {
        "force": any(version.force for version in newer),
        "url": best.url,
        "title": best.title,
        "text": best.text,
        "file_name": best.file_name,
        "version_code": best.version_code,
        "channel": best.channel or channel,
    }
