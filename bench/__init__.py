"""Measuring the house, as ratios taken in one run on one machine. ``bin/bench --list``.

A tool for development: nothing in the product imports it. Timings are printed, never
asserted; what must hold (query counts, losses) is asserted by the tests.
"""
