"""The demo tenants: invented people, real proportions, the same at every load.

A composition root like ``vrp/urls.py``: it fills every room, and no room imports it.
Everything is drawn from a seeded generator, relative to the day it is loaded.
"""
