"""PyTorch on the recipe of `cifar10-5k` and `cifar10-full`: the control, trained on the labels alone. Needs torch, numpy, pillow.

usage: python pytorch_cifar10.py cifar10.zip --per-class 2250 --epochs 15 --seed 0 [--init he] [--threads 2]
Prints the test accuracy in percent after every epoch. ResNet-8 (16/32/64, shortcuts by 1x1 convolution), batch 64,
SGD 0.1 Nesterov, weight decay 5e-4, OneCycleLR with 10 % warm-up, pad-4 crop and flip before normalisation.
`--init he` draws weights as Retort's students do (std sqrt(2 / fan_in), classifier sqrt(1 / fan_in)).
"""
import argparse
import io
import re
import time
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn


def load(path, per_class):
    """Pictures [N, 3, 32, 32] as bytes and labels [N] of the training files below a number, and of all test files."""
    pictures, labels = {'train': [], 'test': []}, {'train': [], 'test': []}
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(('.jpg', '.png')))
        classes = sorted({name.split('/')[1] for name in names})
        for name in names:
            split, label, file = name.split('/')
            if split == 'train' and int(re.sub(r'\D', '', file)) >= per_class:
                continue
            picture = Image.open(io.BytesIO(archive.read(name))).convert('RGB')
            pictures[split].append(np.asarray(picture).transpose(2, 0, 1))
            labels[split].append(classes.index(label))
    return {split: (torch.tensor(np.stack(pictures[split])), torch.tensor(labels[split])) for split in pictures}


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU(),
            conv(outputs, outputs, 3), nn.BatchNorm2d(outputs),
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet8(init):
    model = nn.Sequential(
        conv(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )
    if init == 'he':
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features ** -0.5)
                nn.init.zeros_(module.bias)
    return model


def normalise(pictures):
    mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
    std = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)
    return (pictures.float() / 255 - mean) / std


def augment(pictures, generator):
    rows = len(pictures)
    padded = F.pad(pictures, (4, 4, 4, 4))
    left, top = (torch.randint(0, 9, (rows,), generator=generator) for _ in range(2))
    cut = torch.stack([padded[i, :, top[i]:top[i] + 32, left[i]:left[i] + 32] for i in range(rows)])
    flipped = torch.rand(rows, generator=generator) < 0.5
    return torch.where(flipped.view(-1, 1, 1, 1), cut.flip(3), cut)


def accuracy(model, pictures, labels):
    model.eval()
    with torch.no_grad():
        predicted = torch.cat([model(normalise(some)).argmax(1) for some in pictures.split(500)])
    model.train()
    return 100 * (predicted == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('zip')
    parser.add_argument('--per-class', type=int, default=500)
    parser.add_argument('--epochs', type=int, default=30)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--init', choices=['default', 'he'], default='default')
    parser.add_argument('--threads', type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    data = load(given.zip, given.per_class)
    pictures, labels = data['train']
    model = resnet8(given.init)
    batch = 64
    steps = len(pictures) // batch
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps * given.epochs, pct_start=0.1)
    generator = torch.Generator().manual_seed(given.seed + 1)
    began = time.time()
    for epoch in range(given.epochs):
        order = torch.randperm(len(pictures), generator=generator)
        for step in range(steps):
            rows = order[step * batch:(step + 1) * batch]
            loss = F.cross_entropy(model(normalise(augment(pictures[rows], generator))), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        figure = accuracy(model, *data['test'])
        print(f'epoch {epoch + 1} of {given.epochs}: test {figure:.2f} %, {time.time() - began:.0f} s', flush=True)


if __name__ == '__main__':
    main()
