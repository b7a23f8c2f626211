import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { CliIo } from '../../src/cli/command.ts';
import { registries } from '../../src/cli/commands/registries.ts';

test('what an option may be, and what the entries of a list hold, is listed with it', async () => {
  const program = new Command();
  let text = '';
  const io = { out: { write: (part: string) => (text += part) } } as unknown as CliIo;
  registries.add(program, io);
  await program.parseAsync(['strategies'], { from: 'user' });
  assert.match(
    text,
    /\n {4}combine = "probabilities" \("probabilities" \| "standardized-logits" \| "logits"\) {2}what is averaged\n/,
  );
  assert.match(
    text,
    /\n {4}teachers {2}.*\n {6}file {2}the ONNX file.*\n {6}inputs {2}.*\n {6}labels {2}.*\n {6}weight {2}1 if left out\n/,
  );
});
