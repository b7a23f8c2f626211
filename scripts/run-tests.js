// Runs the test tiers with node:test and says at the end what was skipped and why.
// usage: node --import tsx scripts/run-tests.js [tier or file ...]   (tiers: the folders of test/; none means all)
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const testRoot = fileURLToPath(new URL('../test', import.meta.url));

const wanted = process.argv.slice(2);
const files = (wanted.length === 0 ? [testRoot] : wanted.map(locate)).flatMap(testFiles);
if (files.length === 0) {
  console.error('no test files found');
  process.exit(64);
}

const skipped = new Set();
const stream = run({
  files,
  concurrency: Math.max(1, Math.min(4, availableParallelism())),
  timeout: 1_800_000,
});
stream.on('test:pass', (event) => {
  if (event.skip !== undefined)
    skipped.add(`${event.name}: ${event.skip === true ? 'no reason given' : event.skip}`);
});
stream.on('test:fail', () => {
  process.exitCode = 1;
});
stream.on('end', () => {
  if (skipped.size === 0) console.log('\nNothing was skipped.');
  else console.log(['\nSkipped, and why:', ...skipped].join('\n  '));
});
stream.compose(new spec()).pipe(process.stdout);

function locate(name) {
  const path = join(testRoot, name);
  return existsSync(path) ? path : join(process.cwd(), name);
}

function testFiles(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const child = join(path, name);
      if (statSync(child).isDirectory()) return testFiles(child);
      return name.endsWith('.test.ts') ? [child] : [];
    });
}
