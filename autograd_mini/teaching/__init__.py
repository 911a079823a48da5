"""For lecturers: what checks a student's work, and says what is wrong in it.

Each function is imported from its own file when it is first used.
"""
