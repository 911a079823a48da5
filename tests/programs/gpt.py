"""A GPT in one file that makes more names, in the style of Karpathy's: token by token, with keys and values kept.

Attention by lists, RMS norm, cross-entropy and Adam by hand. A batch is names of one length.
"""

import random

from autograd_mini import Value, log, pick, relu, softmax, vectorize

docs = "ava mia anna leo lena mila nina eli levi ada ian alan".split()

uchars = sorted(set("".join(docs)))
BOS = len(uchars)  # the token that begins and ends a name
vocab_size = len(uchars) + 1
n_layer, n_embd, n_head, block_size = 1, 4, 2, 5  # names of up to 4 letters
head_dim = n_embd // n_head
learning_rate, beta1, beta2, eps_adam = 0.02, 0.85, 0.99, 1e-8


def tokenize(doc):
    return [BOS] + [uchars.index(ch) for ch in doc] + [BOS]


def batch_of(step):
    """All names of one length: the short ones, then the long ones, by turns."""
    n = (3, 4)[step % 2]
    return [tokenize(doc) for doc in docs if len(doc) == n]


def initial_parameters():
    rng = random.Random(42)
    matrix = lambda nout, nin, std=0.3: [[rng.gauss(0, std) for _ in range(nin)] for _ in range(nout)]
    state_dict = {
        "wte": matrix(vocab_size, n_embd),
        "wpe": matrix(block_size, n_embd),
        "lm_head": matrix(vocab_size, n_embd),
    }
    for i in range(n_layer):
        for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
            state_dict[f"layer{i}.{name}"] = matrix(n_embd, n_embd)
        state_dict[f"layer{i}.mlp_fc1"] = matrix(4 * n_embd, n_embd)
        state_dict[f"layer{i}.mlp_fc2"] = matrix(n_embd, 4 * n_embd)
    return state_dict


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(wo, x)) for wo in w]


def rmsnorm(x):
    ms = sum(xi * xi for xi in x) / len(x)
    scale = (ms + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def gpt(state_dict, token_id, pos_id, keys, values):
    tok_emb = pick(token_id, state_dict["wte"])  # token embedding
    pos_emb = state_dict["wpe"][pos_id]  # position embedding
    x = [t + p for t, p in zip(tok_emb, pos_emb)]
    x = rmsnorm(x)
    for li in range(n_layer):
        # 1) attention, to this token and those before it
        x_residual = x
        x = rmsnorm(x)
        q = linear(x, state_dict[f"layer{li}.attn_wq"])
        keys[li].append(linear(x, state_dict[f"layer{li}.attn_wk"]))
        values[li].append(linear(x, state_dict[f"layer{li}.attn_wv"]))
        x_attn = []
        for h in range(n_head):
            head = slice(h * head_dim, (h + 1) * head_dim)
            q_h, k_h, v_h = q[head], [k[head] for k in keys[li]], [v[head] for v in values[li]]
            attn_logits = [sum(a * b for a, b in zip(q_h, k)) / head_dim**0.5 for k in k_h]
            attn_weights = softmax(attn_logits)
            x_attn += [sum(w * v[j] for w, v in zip(attn_weights, v_h)) for j in range(head_dim)]
        x = linear(x_attn, state_dict[f"layer{li}.attn_wo"])
        x = [a + b for a, b in zip(x, x_residual)]
        # 2) a network at each place
        x_residual = x
        x = rmsnorm(x)
        x = linear(x, state_dict[f"layer{li}.mlp_fc1"])
        x = [relu(xi) for xi in x]
        x = linear(x, state_dict[f"layer{li}.mlp_fc2"])
        x = [a + b for a, b in zip(x, x_residual)]
    return linear(x, state_dict["lm_head"])


def run(num_steps=20):
    state_dict = {k: [[Value(w) for w in row] for row in mat] for k, mat in initial_parameters().items()}
    params = [p for mat in state_dict.values() for row in mat for p in row]

    def loss_of(tokens):
        keys, values = [[] for _ in range(n_layer)], [[] for _ in range(n_layer)]
        losses = []
        for pos_id in range(len(tokens) - 1):
            token_id, target_id = tokens[pos_id], tokens[pos_id + 1]
            probs = softmax(gpt(state_dict, token_id, pos_id, keys, values))
            losses.append(-log(pick(target_id, probs)))
        return sum(losses) / len(losses)

    loss = vectorize(loss_of)
    m, v = [0.0] * len(params), [0.0] * len(params)  # first and second moments
    losses = []
    for step in range(num_steps):
        value, gradient = loss.value_and_grad(batch_of(step))
        for p, g in zip(loss.parameters, gradient):
            p.grad = g
        lr_t = learning_rate * (1 - step / num_steps)  # linear learning rate decay
        for i, p in enumerate(params):
            m[i] = beta1 * m[i] + (1 - beta1) * p.grad
            v[i] = beta2 * v[i] + (1 - beta2) * p.grad**2
            m_hat = m[i] / (1 - beta1 ** (step + 1))
            v_hat = v[i] / (1 - beta2 ** (step + 1))
            p.data -= lr_t * m_hat / (v_hat**0.5 + eps_adam)
            p.grad = 0
        losses.append(value)

    # inference: new names, a token after the other
    rng, temperature = random.Random(0), 0.5
    made, shares = [], []
    for _ in range(3):
        keys, values = [[] for _ in range(n_layer)], [[] for _ in range(n_layer)]
        token_id = BOS
        for pos_id in range(block_size):
            logits = gpt(state_dict, token_id, pos_id, keys, values)
            probs = [p.data for p in softmax([logit / temperature for logit in logits])]
            token_id = rng.choices(range(vocab_size), weights=probs)[0]
            made.append(token_id)
            shares += probs
            if token_id == BOS:
                break
    return {
        "losses": losses,
        "last places": [p.data for p in state_dict["wpe"][-1]],
        "new names": made,
        "shares": shares,
    }
