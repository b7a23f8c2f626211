// npx tsx test/chaos/malformed.ts [--models N]: sends N damaged models to POST /v1/models of a real service.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Problem } from '../../src/contract/problem.ts';
import { catalogue } from '../../src/errors.ts';
import { mutations } from '../support/mutations.ts';
import { Fleet } from './fleet.ts';

export interface MalformedResult {
  readonly sent: number;
  /** Answers by code; `card` where the model was none the worse. */
  readonly answers: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** Largest resident memory of the API process, bytes; null where /proc is not there. */
  readonly peakBytes: number | null;
  /** Answers that were neither a card nor a problem of the catalogue, in words. */
  readonly wrong: readonly string[];
}

/** Sends damaged models, two at a time, and looks at the answers. */
export async function sendMalformed(fleet: Fleet, count: number): Promise<MalformedResult> {
  const { make } = mutations();
  const answers: Record<string, number> = {};
  const wrong: string[] = [];
  let slowestMs = 0;
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < count) {
      const model = make(sent++);
      const started = performance.now();
      const form = new FormData();
      form.append('model', new Blob([model as Uint8Array<ArrayBuffer>]), 'model.onnx');
      const response = await fetch(`${fleet.url}/v1/models`, { method: 'POST', body: form });
      slowestMs = Math.max(slowestMs, performance.now() - started);
      const body = (await response.json()) as Partial<Problem>;
      const answer = response.status === 201 ? 'card' : (body.code ?? 'nothing');
      answers[answer] = (answers[answer] ?? 0) + 1;
      const known = answer === 'card' || (answer in catalogue && response.status === 422);
      if (!known) wrong.push(`${response.status} ${JSON.stringify(body).slice(0, 200)}`);
    }
  };
  await Promise.all([sender(), sender()]);
  return { sent, answers, slowestMs: Math.round(slowestMs), peakBytes: await peakOf(fleet), wrong };
}

async function peakOf({ api }: Fleet): Promise<number | null> {
  const status = await readFile(`/proc/${api.child.pid}/status`, 'utf8').catch(() => '');
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

if (process.argv[1]?.endsWith('malformed.ts')) {
  const { values } = parseArgs({ options: { models: { type: 'string', default: '1000' } } });
  const fleet = await Fleet.start(0);
  try {
    console.log(JSON.stringify(await sendMalformed(fleet, Number(values.models)), null, 2));
  } finally {
    await fleet.stop();
  }
}
