"""A network that makes more names, in the style of the lectures on makemore.

Characters as embeddings, a hidden layer of tanh with batch norm by hand, running means, its own loop of descent.
"""

import random

from autograd_mini import Value, nn, softmax, sqrt, tanh

words = "emma olivia ava mia anna nora leo noah liam ella lena milan nina elena oliver levi".split()

chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
vocab_size = len(stoi)
block_size = 3  # how many characters are looked at to predict the next one
n_embd, n_hidden, batch_size = 2, 5, 8


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]  # crop and append
    return X, Y


def initial_parameters(g):
    C = [[g.gauss(0, 1) for _ in range(n_embd)] for _ in range(vocab_size)]
    W1 = [[g.gauss(0, 1) * 0.7 for _ in range(n_hidden)] for _ in range(n_embd * block_size)]
    W2 = [[g.gauss(0, 1) * 0.1 for _ in range(vocab_size)] for _ in range(n_hidden)]
    return C, W1, W2, [0.0] * vocab_size, [1.0] * n_hidden, [0.0] * n_hidden


def run(steps=12):
    g = random.Random(2147483647)
    X, Y = build_dataset(words)
    C, W1, W2, b2, bngain, bnbias = (
        [[Value(x) for x in row] for row in p] if isinstance(p[0], list) else [Value(x) for x in p]
        for p in initial_parameters(g)
    )
    parameters = [p for row in C + W1 + W2 for p in row] + b2 + bngain + bnbias
    bnmean_running, bnstd_running = [0.0] * n_hidden, [1.0] * n_hidden

    def pre_activations(x):
        emb = [v for ix in x for v in C[ix]]  # embed the characters and concatenate
        return [sum(e * row[j] for e, row in zip(emb, W1)) for j in range(n_hidden)]

    def logits_of(hpreact, mean, std):
        h = [tanh(bngain[j] * (hpreact[j] - mean[j]) / std[j] + bnbias[j]) for j in range(n_hidden)]
        return [sum(a * row[k] for a, row in zip(h, W2)) + b2[k] for k in range(vocab_size)]

    losses = []
    for i in range(steps):
        ix = [g.randrange(len(X)) for _ in range(batch_size)]  # minibatch construct
        # forward pass
        hpreact = [pre_activations(X[i]) for i in ix]
        mean = [sum(row[j] for row in hpreact) / batch_size for j in range(n_hidden)]
        std = [sqrt(sum((row[j] - mean[j]) ** 2 for row in hpreact) / (batch_size - 1) + 1e-5) for j in range(n_hidden)]
        bnmean_running = [0.9 * r + 0.1 * m.data for r, m in zip(bnmean_running, mean)]
        bnstd_running = [0.9 * r + 0.1 * s.data for r, s in zip(bnstd_running, std)]
        loss = sum(nn.cross_entropy(logits_of(h, mean, std), Y[i]) for h, i in zip(hpreact, ix)) / batch_size
        # backward pass
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        # update
        lr = 0.5 if i < 8 else 0.1  # step learning rate decay
        for p in parameters:
            p.data += -lr * p.grad
        losses.append(loss.data)

    # what may begin a name, by the running means
    logits = logits_of(pre_activations([0] * block_size), bnmean_running, bnstd_running)
    return {
        "losses": losses,
        "running mean": bnmean_running,
        "embedding of a": [v.data for v in C[stoi["a"]]],
        "first character": [p.data for p in softmax(logits)],
    }
