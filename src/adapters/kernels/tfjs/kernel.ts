import type { TrainingKernel } from '../../../core/program/kernel.ts';
import { RetortError } from '../../../errors.ts';
import { inPlainJavaScript, loadBackend, nativeObstacle } from './backend.ts';
import { TfjsTrainer } from './trainer.ts';

/**
 * Trains by interpreting the Program's graph op by op; tfjs's own tape differentiates it. Needs no gradient rule of ours,
 * so it is the independent witness of the other kernel. On libtensorflow where tfjs-node is installed, there as one graph
 * (docs/adr/0014-step-as-a-graph.md).
 */
export const tfjsKernel: TrainingKernel = {
  name: 'tfjs',
  async declines({ device, threads }) {
    if (device !== 'cpu') return `it does not run on ${device}`;
    const obstacle = await nativeObstacle(threads);
    return obstacle && inPlainJavaScript(obstacle);
  },
  async open(program, options) {
    if (options.device !== 'cpu') {
      throw new RetortError('RUNTIME_UNAVAILABLE', `the tfjs kernel does not run on ${options.device}`, {
        hint: 'Use the onnxruntime kernel for that device.',
      });
    }
    return new TfjsTrainer(program, options, await loadBackend(options.threads));
  },
};
