"""Stand-ins for the carrier and the wallet, and a feature phone on screen.

They speak HTTP only and know nothing of the product's own modules, as the real
services do. Start them with ``python -m simulators``; ``README.md`` beside this file
lists every address and every misbehaviour they can be told to show.
"""
