"""Replies to the questions of lesson 11."""

from autograd_mini import Value, dot, explain, nn, softmax
from autograd_mini.teaching import answer

REPLIES = {
    "11.1": "4/2",
    "11.2": "(1 + 4) + (1 + 2)",
    "11.3": "a",
    "11.4": "log(50)",
    "11.5": "1/2",
    "11.6": "1/2*1/2*(3 - (-1))",
    "11.7": "-p1*(1 - p1)",
    "11.8": "(16 + 1)*27",
}

if __name__ == "__main__":
    for question, reply in REPLIES.items():
        print(answer(question, reply), end="\n\n")

    # The same by the engine, worked out.
    scores = [Value(0.0, label="s1"), Value(0.0, label="s2")]
    taken = dot(softmax(scores), [3.0, -1.0])
    print(explain(scores[0], taken))
    taken.backward()
    assert abs(scores[0].grad - 1.0) < 1e-12

    table = nn.Embedding(5, 2, rng=0)
    loss = dot(*table([3, 3]))
    loss.backward()
    print("rows of the table with a gradient:", [i for i, row in enumerate(table.weights) if any(w.grad for w in row)])
    assert all(w.grad == 0.0 for i, row in enumerate(table.weights) for w in row if i != 3)
    assert all(abs(w.grad - 2 * w.data) < 1e-12 for w in table.weights[3])  # read twice
