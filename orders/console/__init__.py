"""Console pages of the orders room."""
