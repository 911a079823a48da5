// The Python of what was built: it runs with autograd_mini as installed, and begins with the page's weights.

const LOSS_NAMES = { "two classes": "binary_cross_entropy_with_logits", classes: "cross_entropy", numbers: "squared_error" };
const PENALTY_NAMES = { L1: "L1", L2: "L2", elimination: "WeightElimination" };

const inPython = x => Number.isFinite(x) ? String(x).includes(".") || /e/.test(x) ? String(x) : `${x}.0` : `float("${format(x)}")`;
const listed = numbers => `[${numbers.map(inPython).join(", ")}]`;

// The weights of each layer, a list for each neuron, and the biases.
function byLayer(sizes, theta) {
  const layers = [];
  let at = 0;
  for (let layer = 1; layer < sizes.length; layer++) {
    const weight = [], bias = [];
    for (let j = 0; j < sizes[layer]; j++) {
      weight.push([...theta.subarray(at, at + sizes[layer - 1])]);
      bias.push(theta[at + sizes[layer - 1]]);
      at += sizes[layer - 1] + 1;
    }
    layers.push({ weight, bias });
  }
  return layers;
}

function pythonOf(training) {
  const { network: { sizes, activation, task }, data, theta, settings: { optimizer, lr, batch, penalty, lambda } } = training;
  const state = byLayer(sizes, theta).flatMap(({ weight, bias }, l) => [
    `    "layers.${l}.weight": [${weight.map(listed).join(", ")}],`, `    "layers.${l}.bias": ${listed(bias)},`]);
  const rule = RULES[optimizer].python.replace("{lr}", inPython(lr));
  const [optimizerName] = rule.split("("), used = lambda > 0 ? PENALTY_NAMES[penalty] : undefined, loss = LOSS_NAMES[task];
  const target = task === "numbers" ? inPython : x => String(Math.round(x));
  const own = () => [`# Columns: ${data.names.join(", ")}; ${data.target}. Each number is scaled: (x - mean) / standard deviation.`,
    ...data.classes.length ? [`# Classes: ${data.classes.join(", ")}.`] : [],
    `X = [${data.rows.map(listed).join(",\n     ")}]`, `y = [${data.targets.map(target).join(", ")}]`].map(line => line.replace(/^# .*/s, text => text.replace(/[\r\n]/g, " ")));
  return `from autograd_mini import Trainer, ${data.python ? "datasets, " : ""}nn, no_grad
from autograd_mini.optim import ${optimizerName}

${data.python ? `X, y = ${data.python}` : own().join("\n")}

model = nn.MLP(${sizes[0]}, [${sizes.slice(1).join(", ")}], activation="${activation}")
model.load_state_dict({  # the page's weights; leave this out to begin anew
${state.join("\n")}
})
penalty = ${used ? `nn.${used}(${inPython(lambda)})` : "None"}
with no_grad():
    loss = sum(nn.${loss}(model(x), t).data for x, t in zip(X, y)) / len(y)
${used ? "    loss += penalty(model).data\n" : ""}print("loss", loss)

trainer = Trainer(
    model,
    "${loss}",
    ${rule},
    batch_size=${batch || "None"},
    epochs=100,
    penalty=penalty,
)
history = trainer.fit(X, y)
print("loss of the last epoch", history.loss[-1])
`;
}
