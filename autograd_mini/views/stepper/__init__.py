"""The stepper: the forward and the backward pass of a graph as a page that one steps through.

`payload` turns the records into plain data, `tape` the rules of the table into programs for the page, and `pictures`
makes the drawings; `views.page` packs them with the scripts and the style sheet into one piece of HTML. `widgets`
shares the step with a notebook's kernel; `animation` and `terminal` show the same steps as a moving SVG and as text.
"""

from autograd_mini.views.stepper.stepper import Stepper, step_through

__all__ = ["Stepper", "step_through"]
