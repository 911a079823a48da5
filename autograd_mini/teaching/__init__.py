"""For lecturers: what checks a student's work, and says what is wrong in it."""

from autograd_mini.teaching.answers import answer, questions
from autograd_mini.teaching.codes import check_code
from autograd_mini.teaching.engines import EngineReport, Failure, check_engine
from autograd_mini.views.stepper.exercise import Score

__all__ = ["EngineReport", "Failure", "Score", "answer", "check_code", "check_engine", "questions"]
