import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { registerNativeKernels } from './native/index.ts';

/** What runs the operators, and why not something faster where that is so. */
export interface Backend {
  /** `tensorflow` is tfjs-node's libtensorflow; `cpu` is plain JavaScript: right, but slow. */
  readonly name: 'tensorflow' | 'cpu';
  readonly note: string;
}

const NATIVE = '@tensorflow/tfjs-node';
const require = createRequire(import.meta.url);

let chosen: Promise<Backend> | undefined;
let native: Promise<string | undefined> | undefined;

/** Loads tfjs-node, once per process; why it is not to be had, or undefined. Plain JavaScript is left alone. */
export function nativeObstacle(threads = 0): Promise<string | undefined> {
  native ??= loadNative(threads);
  return native;
}

/**
 * Readies tfjs, once per process: tfjs-node where it is installed and loads, plain JavaScript otherwise.
 * `threads` counts only on the first call and only for tfjs-node; 0 leaves it to libtensorflow.
 */
export function loadBackend(threads = 0): Promise<Backend> {
  chosen ??= choose(threads);
  return chosen;
}

/** Whether libtensorflow runs the operators. */
export const isNative = (): boolean => tf.getBackend() === 'tensorflow';

async function choose(threads: number): Promise<Backend> {
  tf.enableProdMode();
  const absent = await nativeObstacle(threads);
  if (absent === undefined) {
    await tf.setBackend('tensorflow');
    registerNativeKernels();
    return { name: 'tensorflow', note: 'tfjs-node' };
  }
  await import('@tensorflow/tfjs-backend-cpu');
  await registerGradients();
  await tf.setBackend('cpu');
  return { name: 'cpu', note: inPlainJavaScript(absent) };
}

export const inPlainJavaScript = (why: string): string => `plain JavaScript, slow: ${why}`;

async function loadNative(threads: number): Promise<string | undefined> {
  // Read by libtensorflow when it starts; there is no call for it.
  if (threads > 0) {
    process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
    process.env.TF_NUM_INTEROP_THREADS ??= String(threads);
  }
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    require.resolve(NATIVE);
  } catch {
    return `${NATIVE} is not installed (npm run setup:tfjs)`;
  }
  restoreUtil();
  try {
    await import(NATIVE);
    return undefined;
  } catch (cause) {
    return `${NATIVE} is installed but does not load: ${(cause as Error).message.split('\n')[0]}`;
  }
}

/** tfjs-node calls two functions of node:util that Node 23 removed. */
function restoreUtil(): void {
  const known = util as unknown as Record<string, unknown>;
  known.isArray ??= Array.isArray;
  known.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
}

/**
 * tfjs-core's bundle for Node carries the tape but not the gradients it needs: they are a file of their own, in ES module
 * syntax that Node takes for CommonJS, so the TypeScript loader reads it. The registry of gradients is global.
 */
async function registerGradients(): Promise<void> {
  if (tf.getGradient('Conv2D')) return;
  const loader = await import('tsx/cjs/api');
  loader.require('@tensorflow/tfjs-core/dist/register_all_gradients.js', import.meta.url);
}
