// Installs onnxruntime's CUDA execution provider beside onnxruntime-node. Not part of `npm ci`: its files (about 250 MB,
// from nuget.org) are of use only beside an NVIDIA GPU. Retort works without them, on the CPU.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import { GraphBuilder } from '../src/core/onnx/builder.ts';
import { encodeModel } from '../src/core/onnx/encode.ts';

const script = fileURLToPath(import.meta.url);
if (process.argv[2] === '--compute') await compute();
else install();

function install(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    fail(`onnxruntime-node has no CUDA support on ${process.platform}-${process.arch}`);
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const libraries = ['shared', 'cuda', 'tensorrt'].map((part) =>
    join(folder, 'bin', 'napi-v6', 'linux', 'x64', `libonnxruntime_providers_${part}.so`),
  );
  const cuda = libraries[1]!;
  // A half installation would be worse than none.
  const undo = (why: string): never => {
    for (const library of libraries) rmSync(library, { force: true });
    return fail(why);
  };
  if (!existsSync(cuda)) {
    console.log("Running onnxruntime-node's installer for CUDA ...");
    const { status } = spawnSync(process.execPath, [join(folder, 'script', 'install.js')], {
      cwd: folder,
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'cuda12' },
      stdio: 'inherit',
    });
    if (status !== 0 || !existsSync(cuda))
      undo("onnxruntime-node's installer failed (it needs api.nuget.org)");
  }
  // Some builds carry a plugin under the same file name, which onnxruntime-node cannot load.
  if (!readFileSync(cuda).includes('GetProvider'))
    undo('the library that was fetched is one that onnxruntime-node cannot load');

  const device = onnxruntime.devices().find((each) => each.device === 'cuda');
  if (!device?.available) fail(`its files are installed, but ${device?.why}`);
  // In a process of its own: a provider that fails half-way through its start can end it.
  const args = ['--import', 'tsx', script, '--compute'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
  if (status !== 0) fail(`its files are installed, but it computes nothing: ${errorIn(stderr)}`);
  console.log('Teachers and the onnxruntime kernel now run on CUDA.');
}

/** One product on the device. */
async function compute(): Promise<void> {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 2]);
  b.output(b.op('MatMul', [x, b.constant([1, 1], 'float32', [2, 1])], {}, { outputs: ['y'] }));
  const session = await onnxruntime.open(encodeModel(b.model('probe')), { device: 'cuda', threads: 0 });
  const { y } = await session.run({ x: { dtype: 'float32', dims: [1, 2], data: Float32Array.of(1, 1) } });
  await session.close();
  assert.deepEqual([...(y!.data as Float32Array)], [2]);
}

function errorIn(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => line.includes('Error')) ?? lines.at(-1) ?? 'it ended without a word';
}

function fail(why: string): never {
  console.error(`\nCUDA cannot be used: ${why}.`);
  console.error('Retort runs on the CPU all the same.');
  process.exit(69);
}
