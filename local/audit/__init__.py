"""The ledger of what was done to patients' data, as an operator reads and checks it."""
