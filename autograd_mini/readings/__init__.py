"""The namespaces ``xp`` over which the rules of `autograd_mini.primitives` are read.

`eager` holds the functions on Python floats, `array` on NumPy arrays, `text` on expressions that print themselves. The
fourth reading, on ``Value``s, is `autograd_mini.value.differentiable`. Nothing here imports anything of the package but
its neighbours.
"""
