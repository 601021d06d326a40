"""Django's PostgreSQL backend with three economies: see base.py, compiled.py and kept.py."""
