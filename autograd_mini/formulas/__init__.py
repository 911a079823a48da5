"""Formulas as data: expressions that print themselves, what is worked out beforehand, and how a typed one is read."""
