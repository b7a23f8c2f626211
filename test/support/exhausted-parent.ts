import { closeSync, openSync, readdirSync } from 'node:fs';
import { DisposableProcess } from '../../src/adapters/processes/disposable-process.ts';

/** Starts a process once with no file descriptor left, and once more with some; prints what came of it. */
const scratch = process.argv[2]!;
const start = () =>
  DisposableProcess.start({
    entry: new URL('./misbehaving-child.ts', import.meta.url),
    environment: { PATH: process.env.PATH ?? '' },
    scratch,
    ceilings: { cpuSeconds: 600, fileBytes: 1e9, heapBytes: 1e9 },
  });
const ask = async (process: DisposableProcess) => {
  const { kind } = await process.ask({ model: { name: 'look' } }, { seconds: 60, memoryBytes: 1e9 });
  await process.gone;
  return kind;
};

await ask(await start());
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
const error = await start().then(
  () => ({}) as { code?: string; cause?: { code?: string } },
  (reason) => reason,
);
for (const descriptor of held) closeSync(descriptor);
const refused = [error.code, error.cause?.code, readdirSync(scratch)];
console.log(JSON.stringify({ refused, later: await ask(await start()) }));
