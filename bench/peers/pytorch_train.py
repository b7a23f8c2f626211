"""PyTorch's side of `npm run bench -- train`: one workload in one variant, float32, on CPU.

usage: pytorch_train.py FILE WORKLOAD eager|channels_last|compile THREADS STEP,...

FILE (safetensors) holds what both sides start from: initial parameters under Retort's names, and one batch. Makes the
first steps, says the losses of those listed (counted from 1), then trains for as many seconds as each line of standard input says; answers are
JSON lines. A step is forward, 0.1 CE + 0.9 T^2 KL at T = 4, backward, Adam at 1e-3; the loss is read every 10th step.
"""

import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10
TEMPERATURE = 4.0
READ_EVERY = 10
TYPES = {"F32": np.float32, "I64": np.int64}


def read_start(path):
    """Tensors of a safetensors file by name: 8 bytes header length, JSON header, data."""
    with open(path, "rb") as file:
        whole = file.read()
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(whole[start + begin : start + end], TYPES[entry["dtype"]])
        tensors[name] = torch.from_numpy(data.reshape(entry["shape"]).copy())
    return tensors


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.fc2 = nn.Linear(512, 256)
        self.classifier = nn.Linear(256, CLASSES)

    def forward(self, x):
        return self.classifier(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.classifier = nn.Linear(128, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)
        return self.classifier(F.relu(self.fc1(x.flatten(1))))


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch normalisation."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__()
        padding = kernel // 2
        self.add_module("conv", nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False))
        self.add_module("bn", nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else ConvNorm(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(3, 16, 3)
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            blocks = nn.Module()
            for block in (1, 2, 3):
                stride = 2 if stage > 1 and block == 1 else 1
                blocks.add_module(f"block{block}", BasicBlock(channels, width, stride))
                channels = width
            self.add_module(f"stage{stage}", blocks)
        self.classifier = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem(x))
        for stage in (self.stage1, self.stage2, self.stage3):
            for block in stage.children():
                x = block(x)
        return self.classifier(x.mean((2, 3)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        inside = 4 * inputs
        self.expand = ConvNorm(inputs, inside, 1)
        self.depthwise = ConvNorm(inside, inside, 3, stride, groups=inside)
        self.project = ConvNorm(inside, outputs, 1)
        self.same = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(F.relu6(self.depthwise(F.relu6(self.expand(x)))))
        return x + y if self.same else y


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(3, 32, 3)
        channels = 32
        for i, (width, stride) in enumerate(((16, 1), (24, 2), (24, 1), (40, 2), (40, 1), (64, 2)), start=1):
            self.add_module(f"block{i}", InvertedResidual(channels, width, stride))
            channels = width
        self.head = ConvNorm(64, 128, 1)
        self.classifier = nn.Linear(128, CLASSES)

    def forward(self, x):
        x = F.relu6(self.stem(x))
        for i in range(1, 7):
            x = getattr(self, f"block{i}")(x)
        return self.classifier(F.relu6(self.head(x)).mean((2, 3)))


class EncoderLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, steps, width = x.shape
        split = [part.view(batch, steps, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, -1)]
        seen = F.scaled_dot_product_attention(*split).transpose(1, 2).reshape(batch, steps, width)
        x = x + self.out(seen)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, vocabulary=4000, width=128, layers=4, heads=4, steps=64):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(1, steps, width))
        for i in range(1, layers + 1):
            self.add_module(f"layer{i}", EncoderLayer(width, heads))
        self.layers = layers
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, CLASSES)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions
        for i in range(1, self.layers + 1):
            x = getattr(self, f"layer{i}")(x)
        return self.classifier(self.norm(x).mean(1))


class Gru(nn.Module):
    def __init__(self, vocabulary=4000, width=64):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.gru = nn.GRU(width, width, bidirectional=True, batch_first=True)
        self.classifier = nn.Linear(2 * width, CLASSES)

    def forward(self, ids):
        return self.classifier(self.gru(self.tokens(ids))[0].mean(1))


WORKLOADS = {
    "mlp": Mlp,
    "cnn": Cnn,
    "resnet20": ResNet20,
    "mobilenet": MobileNet,
    "transformer": Transformer,
    "gru": Gru,
}
NORMS = (nn.BatchNorm2d, nn.LayerNorm)


def load(model, start):
    """Copies the shared start into a model; every parameter is there, and none is left over."""
    left = {name for name in start if not name.startswith("data:")}

    def take(name):
        left.remove(name)
        return start[name]

    with torch.no_grad():
        for prefix, module in model.named_modules():
            if isinstance(module, nn.GRU):
                load_gru(module, take(f"{prefix}.w"), take(f"{prefix}.r"), take(f"{prefix}.b"))
                continue
            for leaf, parameter in module.named_parameters(recurse=False):
                name = f"{prefix}.{leaf}" if prefix else leaf
                if isinstance(module, NORMS) and leaf == "weight":
                    parameter.copy_(take(f"{prefix}.scale"))
                elif f"{prefix}.kernel" in left and leaf == "weight":
                    parameter.copy_(take(f"{prefix}.kernel").T)
                else:
                    parameter.copy_(take(name))
    if left:
        raise SystemExit(f"the model has no parameters {sorted(left)}")


def load_gru(module, w, r, b):
    """ONNX orders the gates z, r, n; PyTorch r, z, n. ONNX keeps both biases in one row."""

    def reordered(rows):
        z, reset, new = rows.chunk(3)
        return torch.cat((reset, z, new))

    for k, suffix in enumerate(("l0", "l0_reverse")):
        bias_w, bias_r = b[k].chunk(2)
        getattr(module, f"weight_ih_{suffix}").copy_(reordered(w[k]))
        getattr(module, f"weight_hh_{suffix}").copy_(reordered(r[k]))
        getattr(module, f"bias_ih_{suffix}").copy_(reordered(bias_w))
        getattr(module, f"bias_hh_{suffix}").copy_(reordered(bias_r))


def stepper(workload, variant, start):
    """The model and a function that makes one training step and returns its loss."""
    model = WORKLOADS[workload]()
    load(model, start)
    model.train()
    x, labels, logits = start["data:input"], start["data:labels"], start["data:teacher_logits"]
    if variant == "channels_last":
        if x.dim() != 4:
            raise SystemExit("channels_last is for pictures")
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    forward = torch.compile(model) if variant == "compile" else model
    classes = labels.argmax(1)
    target = F.softmax(logits / TEMPERATURE, -1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        z = forward(x)
        divergence = F.kl_div(F.log_softmax(z / TEMPERATURE, -1), target, reduction="batchmean")
        loss = 0.1 * F.cross_entropy(z, classes) + 0.9 * TEMPERATURE**2 * divergence
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    path, workload, variant, threads, steps = sys.argv[1:]
    torch.set_num_threads(int(threads))
    model, step = stepper(workload, variant, read_start(path))
    wanted = [int(number) for number in steps.split(",")]
    losses = [step().item() for _ in range(max(wanted))]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    say(losses=[losses[number - 1] for number in wanted], parameters=parameters, engine=f"torch {torch.__version__}, {variant}")
    for line in sys.stdin:
        seconds, count, begun, cpu = float(line), 0, time.perf_counter(), time.process_time()
        while True:
            loss = step()
            count += 1
            if count % READ_EVERY == 0:
                loss.item()
            if time.perf_counter() - begun > seconds:
                break
        took = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(steps=count, seconds=took, cpuSeconds=time.process_time() - cpu, outside=None, peakMiB=peak)


main()
