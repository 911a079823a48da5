"""For lecturers: what checks a student's work, and says what is wrong in it."""

from autograd_mini.teaching.engines import EngineReport, Failure, check_engine

__all__ = ["EngineReport", "Failure", "check_engine"]
