"""Formulas as data: how they print themselves (`expression`), are simplified (`simplify`) and are read (`parse`)."""
