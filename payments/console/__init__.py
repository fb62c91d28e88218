"""Console pages of money: what is owed, runs, payments, the ledger."""
