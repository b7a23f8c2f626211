import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './attempt.js';

const PROGRAM = `
  const tf = require(process.argv[1]);
  const [sum] = tf.matMul(tf.ones([1, 2]), tf.ones([2, 1])).dataSync();
  if (tf.getBackend() !== 'tensorflow' || sum !== 2) throw new Error('it computes on ' + tf.getBackend() + ', 1 + 1 = ' + sum);
`;

/** Whether the package in this folder loads and computes: its version, or what is wrong. */
export function probe(folder) {
  const { problem } = attempt(process.execPath, ['-e', PROGRAM, folder], { minutes: 2 });
  if (problem) return { problem: `it does not load: ${problem}` };
  return { version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version };
}
