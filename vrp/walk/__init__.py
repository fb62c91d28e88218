"""The tour: one order from the buyer's API call to a paid artisan, over HTTP only.

It knows the running system as its users do: pages with forms, an API, a phone. It imports
nothing of the domain, so it would notice if what people see and what rows say part ways.

``actors`` are the people and systems who act, ``scenes`` what they do in order, ``show``
how it is told, ``pages`` and ``web`` the plumbing.
"""
