"""Console pages of this room: plans, and starting them."""
