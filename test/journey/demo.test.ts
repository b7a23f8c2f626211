import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../src/pipeline/report/report.ts';

const demo = fileURLToPath(new URL('../../examples/shapes/demo.ts', import.meta.url));

/** Runs the demo as `npm run demo` does and returns the accuracies on its test split. */
function accuracies(seed: number): { teacher: number; control: number; student: number } {
  const out = mkdtempSync(join(tmpdir(), 'retort-demo-'));
  try {
    const args = ['--import', 'tsx', demo, '--out', out, '--seed', String(seed)];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr + stdout);
    const { models } = JSON.parse(readFileSync(join(out, 'distilled/report.json'), 'utf8')) as Report;
    const of = (role: 'teacher' | 'control' | 'student') => models[role]?.metrics.accuracy as number;
    return { teacher: of('teacher'), control: of('control'), student: of('student') };
  } finally {
    rmSync(out, { recursive: true });
  }
}

for (const seed of [0, 1, 2]) {
  test(`the demo with seed ${seed}: the student recovers at least 40 % of the gap between teacher and control`, () => {
    const { teacher, control, student } = accuracies(seed);
    assert.ok(teacher - control >= 0.05, `teacher ${teacher}, control ${control}: less than 5 points apart`);
    const recovered = (student - control) / (teacher - control);
    assert.ok(
      recovered >= 0.4,
      `recovered ${recovered}: teacher ${teacher}, control ${control}, student ${student}`,
    );
  });
}
