"""What this room does when another room records an event."""

from artisans import importing  # noqa: F401  (declares the import of workshops)
