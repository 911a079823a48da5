"""The questions of the lessons, a file for each: `lesson_01.py` has `QUESTIONS`, and the first of them is 1.1.

They stand in order of difficulty. A new question goes to the end, or the numbers in the notebook and in
`notebooks/solutions/` move with it.
"""
