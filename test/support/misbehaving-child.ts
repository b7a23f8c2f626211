import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { answerRequest } from '../../src/adapters/processes/answer-request.ts';

/** A child that does with its one request what the name of the "model" says: every way a native library may go wrong. */
const deeds: Readonly<Record<string, (note: (text: string) => void) => unknown>> = {
  hang: () => {
    for (;;);
  },
  wait: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  /** Outside the heap, 20 MB at a time. */
  eat: async () => {
    for (const held: Uint8Array[] = []; ; ) {
      held.push(new Uint8Array(20e6).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  /** On the heap, without ever giving way. */
  'eat-heap': () => {
    for (const held: object[] = []; ; ) held.push({ a: `${held.length}`, b: [held.length] });
  },
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  abort: () => process.abort(),
  exit: () => process.exit(3),
  'killed-by-the-system': () => process.kill(process.pid, 'SIGKILL'),
  /** A file above the ceiling. */
  write: () => writeFileSync('big', new Uint8Array(4e6)),
  /** A process of its own that would outlive it. */
  fork: () => {
    const { pid } = spawn('sleep', ['300'], { stdio: 'ignore' });
    return { pid };
  },
  /** An answer of 5 million characters. */
  chatter: () => 'x'.repeat(5e6),
  bug: () => {
    throw new TypeError('the text of a bug, with /a/path');
  },
  look: async () => ({
    environment: Object.keys(process.env).sort(),
    files: await readdir('.'),
    folder: process.cwd(),
    pid: process.pid,
  }),
};

answerRequest<{ readonly model: { readonly name: string } }>(async ({ model }, note) => {
  if (model.name !== 'exit') note('model');
  // What was said has to leave the process before it goes down.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return deeds[model.name]!(note);
});
