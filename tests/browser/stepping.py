"""How the tests look at a stepper in a page."""

from __future__ import annotations

from autograd_mini.engine.value import Constant
from autograd_mini.explanations.steps import backward_steps, forward_steps

STEPPER = ".am-stepper"


def press(page, *keys):
    page.locator(STEPPER).first.focus()
    for key in keys:
        page.keyboard.press(key)


def step(page, which=0):
    return int(page.locator(STEPPER).nth(which).get_attribute("data-step"))


def formula(page):
    """The arithmetic of the step; below it are the lines of its local derivatives."""
    return page.locator(".am-formula > :first-child").text_content()


def texts(page, which=0):
    """The lines of every node and the labels of every edge, by id."""
    return (
        page.locator(STEPPER)
        .nth(which)
        .evaluate(
            """element => Object.fromEntries([...element.querySelectorAll("[data-id]")].map(
            part => [part.dataset.id, [...part.querySelectorAll("text")].map(text => text.textContent)]))"""
        )
    )


def choose(page, label, value):
    page.get_by_label(label, exact=True).first.select_option(value)


def records(root):
    """The records that the page steps through: nobody asks for the gradient of a constant."""
    forward = [s for s in forward_steps(root) if type(s.node) is not Constant]
    backward = [s for s in backward_steps(root) if type(s.node) is not Constant]
    return forward, backward


def read(text):
    """A line of arithmetic as the page's formulas read: in rows, one below the other."""
    return text.replace(" = ", "=")
