// Numbers by chance, the same for the same seed: first weights, and the order of the examples.

// Mulberry32: numbers from 0 to below 1.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6D2B79F5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

const normal = random => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const RECTIFIERS = new Set(["relu", "leaky_relu", "elu", "silu", "gelu"]);

// As autograd_mini.nn begins: He's weights before the ReLU kind, Xavier's before others, biases of 0.
function firstWeights(sizes, activation, seed) {
  const random = generator(seed), theta = [];
  for (let layer = 1; layer < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer - 1], sizes[layer]], isHe = layer < sizes.length - 1 && RECTIFIERS.has(activation);
    const limit = Math.sqrt(6 / (inputs + outputs)), spread = Math.sqrt(2 / inputs);
    for (let j = 0; j < outputs; j++) {
      for (let i = 0; i < inputs; i++) theta.push(isHe ? spread * normal(random) : limit * (2 * random() - 1));
      theta.push(0);
    }
  }
  return Float64Array.from(theta);
}

function shuffle(order, random) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}
