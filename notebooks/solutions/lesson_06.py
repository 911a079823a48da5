"""Replies to the questions of lesson 06."""

from autograd_mini import lectures
from autograd_mini.graph import count_paths
from autograd_mini.teaching import answer

REPLIES = {
    "6.1": "-1",
    "6.2": "-1*(1 - 0^2)*3",
    "6.3": "-3*(1 - 0^2)*2",
    "6.4": "3*2 + 5*(-1) + 1*4",
    "6.5": "3*1 + 1*(-1)",
    "6.6": "2*2 + (3 + 2)*(-1)",
    "6.7": "5*5*5",
    "6.8": "125*4",
    "6.9": "5 + 25 + 25 + 5",
    "6.10": "1*0.5*0.5",
    "6.11": "0.25*4*0.25",
    "6.12": "0.25^10",
    "6.13": "1/0.25",
    "6.14": "4*1*(-3)*1*2",
    "6.15": 0,
    "6.16": "a",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    network = lectures.shared_network(layers=3, width=5)
    assert count_paths(network.y, network.theta) == 5**3 == 125  # 1
    assert lectures.products_with_sharing(network.y, network.theta) == 5 + 25 + 25 + 5 == 60
    assert lectures.products_without_sharing(network.y, network.theta) == 125 * 4 == 500

    assert lectures.vanishing_products("sigmoid", [10], z=0.0)[0] == 0.25**10  # 2: less than one in a million
    assert lectures.vanishing_products("sigmoid", range(1, 31), weight=4.0, z=0.0) == [1.0] * 30  # 3: w = 1/σ′(0) = 4

    dead = lectures.scalar_chain(3, weight=[1.0, -1.0, 1.0], activation="relu", x=2.0)  # 4: where any z is negative
    dead.y.backward()
    print("pre-activations", [z.data for z in dead.pre_activations], "gradient", dead.x.grad)
    assert dead.x.grad == 0.0
    assert dead.pre_activations[1].data < 0
