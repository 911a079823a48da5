"""Programs in the styles of others compute what the other library computes; `record_jax.py` made its figures."""

import importlib
import json
from pathlib import Path

import pinn
import pytest

FIGURES = json.loads(Path(__file__).with_name("figures.json").read_text())


@pytest.mark.parametrize("program", FIGURES)
def test_a_program_computes_what_the_other_library_computes(program):
    found = importlib.import_module(program).run()
    assert found.keys() == FIGURES[program].keys()
    for name, numbers in FIGURES[program].items():
        assert found[name] == pytest.approx(numbers, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize(
    ("program", "name", "reached"),
    [
        ("makemore", "losses", lambda losses: sum(losses[-3:]) < sum(losses[:3]) - 0.5),
        ("newton", "rosenbrock", lambda path: path[-2:] == pytest.approx([1.0, 1.0], abs=1e-6)),
        ("neural_ode", "losses", lambda losses: losses[-1] < 0.1 * losses[0]),
        ("closures", "losses", lambda losses: losses[-1] < 0.8 * losses[0]),
        ("pinn", "losses", lambda losses: losses[-1] < 0.05 * losses[0]),
        ("gpt", "losses", lambda losses: sum(losses[-2:]) < 0.75 * sum(losses[:2])),
    ],
)
def test_what_was_recorded_is_a_program_that_gets_somewhere(program, name, reached):
    assert reached(FIGURES[program][name])


def test_a_physics_informed_network_goes_the_same_steps_when_it_is_trained_eagerly():
    losses, _ = pinn.by_trainer(3, engine="eager")
    assert losses == pytest.approx(FIGURES["pinn"]["losses"][:3], rel=1e-9)
