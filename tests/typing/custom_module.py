"""A module of one's own, with parameters and parts."""

from collections.abc import Sequence

from autograd_mini import Value, nn, relu, softmax


class Gated(nn.Module):
    def __init__(self, n_inputs: int) -> None:
        self.gate = nn.Neuron(n_inputs, "sigmoid", rng=0)
        self.layers = [nn.Layer(n_inputs, 4, rng=1), nn.Layer(4, 1, "identity", rng=2)]
        self.scale = nn.Parameter(1.0)

    def forward(self, x: Sequence[float]) -> Value:
        hidden = self.layers[0](x)
        a, *_ = self.layers[1]([relu(h) for h in hidden])
        return self.scale * self.gate(x) * a


class Net(nn.Module):
    def __init__(self) -> None:
        self.parts = [Gated(2), Gated(2)]
        self.network = nn.MLP(2, [4, 1], rng=0)

    def forward(self, x: Sequence[float]) -> Value:
        if x[0] > 1e6:
            return self.network(x)
        return self.parts[0](x)


model = Net()
output: Value = model([1.0, 2.0])
output.backward()
shares: list[Value] = softmax(nn.Layer(2, 3, rng=0)([1.0, 2.0]))
stack = nn.Sequential(nn.Layer(2, 3, rng=0), nn.Dropout(0.9, rng=0), nn.Activation("gelu"), nn.Layer(3, 1, rng=0))
bare: Value = stack([1.0, 2.0])
names: list[str] = [name for name, parameter in model.named_parameters() if parameter.grad != 0.0]
model.eval().train().zero_grad()
print(output.data, names, bare.data, shares)
