import { Presets, SingleBar } from 'cli-progress';
import type { Observer } from '../pipeline/run.ts';
import type { CliIo } from './command.ts';

const LINE_EVERY_MS = 5000;

/** Progress on the terminal, to be closed when it is over, however it ends. */
export interface ProgressView extends Required<Omit<Observer, 'offer'>> {
  /** A line between the stages. */
  note(text: string): void;
  close(): void;
}

/** One bar with the time left per stage on a terminal; plain lines where there is none. */
export function progressObserver(io: CliIo, summaries: Readonly<Record<string, string>>): ProgressView {
  return io.err.isTTY ? bars(io, summaries) : lines(io, summaries);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const stageLine = (summary: string, state: string, ms: number): string =>
  `${summary}: ${state === 'skipped' ? 'known already' : `done in ${seconds(ms)}`}\n`;

function bars(io: CliIo, summaries: Readonly<Record<string, string>>): ProgressView {
  let bar: SingleBar | undefined;
  const drop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stage(name, state, ms) {
      drop();
      const summary = summaries[name] ?? name;
      if (state !== 'started') return void io.err.write(stageLine(summary, state, ms));
      const format = `${summary} [{bar}] {percentage} % | {eta_formatted} left {note}`;
      bar = new SingleBar(
        { format, stream: io.err, clearOnComplete: true, hideCursor: true, etaBuffer: 50 },
        Presets.legacy,
      );
      bar.start(1, 0, { note: '' });
    },
    progress(_, done, total, note = '') {
      bar?.setTotal(Math.max(total, 1));
      bar?.update(total === 0 ? 0 : done, { note });
    },
    note(text) {
      drop();
      io.err.write(`${text}\n`);
    },
    // A bar that runs on would keep the process alive.
    close: drop,
  };
}

function lines(io: CliIo, summaries: Readonly<Record<string, string>>): ProgressView {
  let printed = 0;
  /** Where this view came in: earlier work says nothing of the pace. */
  let first: { readonly at: number; readonly done: number } | undefined;
  return {
    stage(name, state, ms) {
      printed = Date.now();
      first = undefined;
      if (state !== 'started') io.err.write(stageLine(summaries[name] ?? name, state, ms));
    },
    progress(name, done, total, note = '') {
      const now = Date.now();
      first ??= { at: now, done };
      if (now - printed < LINE_EVERY_MS) return;
      printed = now;
      const worked = done - first.done;
      const left = worked > 0 ? `, ${seconds(((now - first.at) / worked) * (total - done))} left` : '';
      const share = total > 0 ? `${Math.floor((100 * done) / total)} %${left}` : '';
      io.err.write(`${summaries[name] ?? name}: ${[share, note].filter(Boolean).join(' ')}\n`);
    },
    note: (text) => void io.err.write(`${text}\n`),
    close: () => {},
  };
}
