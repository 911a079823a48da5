"""The native machine: a table of instructions, run by a small library in C that is compiled at installation."""
