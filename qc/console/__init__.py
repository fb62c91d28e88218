"""Console pages of the grading room."""
