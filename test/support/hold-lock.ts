/** Holds a file lock until it is killed; says so when it has it. */
import { withFileLock } from '../../src/adapters/storage/file-lock.ts';

await withFileLock(process.argv[2]!, async () => {
  console.log('held');
  // Something to wait for: a promise alone does not keep a process.
  setInterval(() => {}, 1000);
  await new Promise(() => {});
});
