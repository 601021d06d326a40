#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")
    if "DATABASE_URL" not in os.environ:  # nobody's production: `make run` on this machine
        os.environ.setdefault("HEIHEI_ENV", "development")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
