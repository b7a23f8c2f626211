import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { DeviceState } from '../../pipeline/ports.ts';

/** Where onnxruntime looks for provider libraries: beside its own. */
function libraryFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
}

/**
 * What can be used here, WebGPU apart, which has to be tried. For CUDA the files are looked at, not loaded: a provider library that fails half-way through
 * its start can end the process. `backends` are the names of onnxruntime's `listSupportedBackends`.
 */
export function onnxruntimeDevices(
  backends: readonly string[],
  folder = libraryFolder(),
): readonly DeviceState[] {
  const why = cudaObstacle(backends, folder);
  return [
    { device: 'cpu', available: true },
    { device: 'cuda', available: why === undefined, ...(why === undefined ? {} : { why }) },
  ];
}

function cudaObstacle(backends: readonly string[], folder: string): string | undefined {
  if (!backends.includes('cuda')) {
    return `onnxruntime-node has no CUDA support on ${process.platform}-${process.arch}`;
  }
  const [prefix, suffix] = process.platform === 'win32' ? ['', '.dll'] : ['lib', '.so'];
  for (const part of ['shared', 'cuda']) {
    const name = `${prefix}onnxruntime_providers_${part}${suffix}`;
    if (!existsSync(join(folder, name))) {
      return `${name} is not installed beside onnxruntime; run \`npm run setup:cuda\``;
    }
  }
  if (process.platform !== 'linux') return undefined;
  if (!existsSync('/dev/nvidiactl')) return 'no NVIDIA driver is loaded (/dev/nvidiactl is missing)';
  const listing = spawnSync('ldd', [join(folder, 'libonnxruntime_providers_cuda.so')], { encoding: 'utf8' });
  if (listing.status !== 0) return 'libonnxruntime_providers_cuda.so is not a library of this machine';
  const missing = [...(listing.stdout ?? '').matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]);
  return missing.length ? `libraries are missing: ${missing.join(', ')} (set LD_LIBRARY_PATH)` : undefined;
}
