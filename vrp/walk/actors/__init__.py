"""Who acts in the tour: the buyer's system, ops staff, artisans on their phones."""
