"""Django's PostgreSQL backend with two economies: see base.py and compiled.py."""
